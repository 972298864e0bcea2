export function pack(folder: string): { readonly wsgen: string; readonly runtime: string };
