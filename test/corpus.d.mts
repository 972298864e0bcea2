import type { Config } from "../codegen/src/options.ts";

export interface Entry {
  readonly slug: string;
  readonly main: string;
  readonly version: string;
  /** Whether it describes a WebSocket API. */
  readonly ws: boolean;
  readonly perspective: string;
  readonly bytes: number;
}

export const corpus: string;
export const present: boolean;
export const entries: readonly Entry[];
export const sockets: readonly Entry[];
export function entryOf(slug: string): Entry;
export function filesOf(entry: Pick<Entry, "slug" | "main">): { readonly document: string; readonly root: string };
export function sideOf(entry: Pick<Entry, "perspective">): "client" | "server";
export function configOf(entry: Pick<Entry, "slug">): Config | undefined;
