// The close codes that an application gives names: as constants, and as the type of what they are called.
import type { Endpoint, Model } from "../model/model.ts";
import type { GeneratedFile } from "./file.ts";
import { at } from "./signatures.ts";

/** Prints the application's close codes, where there are any. */
export function printCloseCodes(model: Model, file: GeneratedFile): void {
  if (model.closeCodes.length > 0) {
    file.doc("The close codes of the API: what to close a connection with, and what `closed` says of one.");
    printCodes("closeCodes", model.closeCodes, file);
  }
  for (const endpoint of model.endpoints) {
    if (endpoint.closeCodes.length === 0) continue;
    const shared = model.closeCodes.length > 0 ? ["...closeCodes,"] : [];
    file.doc(`The close codes of ${at(endpoint)}: what to close a connection with, and what \`closed\` says of one.`);
    printCodes(closeCodesOf(model, endpoint) ?? "", endpoint.closeCodes, file, shared);
  }
}

function printCodes(name: string, codes: Model["closeCodes"], file: GeneratedFile, first: readonly string[] = []): void {
  file.block(
    `export const ${name} = {`,
    () => {
      for (const line of first) file.print(line);
      for (const { name, code, docs } of codes) {
        file.doc(docs);
        file.print(`${file.key(name)}: ${code},`);
      }
    },
    "} as const;",
  );
  file.print("");
}

/** Names of the constants that {@link printCloseCodes} prints. */
export const closeCodeNames = (model: Model): readonly string[] => [
  "closeCodes",
  ...model.endpoints.flatMap((endpoint) => closeCodesOf(model, endpoint) ?? []),
];

function closeCodesOf(model: Model, { name, closeCodes }: Endpoint): string | undefined {
  return closeCodes.length > 0 ? `${name}CloseCodes` : model.closeCodes.length > 0 ? "closeCodes" : undefined;
}

/** The type of what an endpoint's close codes are called, `undefined` where it has none. */
export function closeName(model: Model, endpoint: Endpoint): string | undefined {
  const constant = closeCodesOf(model, endpoint);
  return constant && `keyof typeof ${constant}`;
}
