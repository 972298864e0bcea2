// The public documents that tests read: ../shared/corpus, or WSGEN_SHARED. Where it is absent `entries` is empty, and who needs it is skipped.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = join(import.meta.dirname, "..");

/** The folder of the documents, each in a folder of its own. */
export const corpus = join(resolve(root, process.env.WSGEN_SHARED ?? "../shared"), "corpus");

const index = join(corpus, "INDEX.json");

/** Whether it is there. */
export const present = existsSync(index);

/** What INDEX.json says of each document. */
export const entries = present ? JSON.parse(readFileSync(index, "utf8")) : [];

/** The documents of WebSocket APIs in a version that is read. */
export const sockets = entries.filter(({ ws, version }) => ws && !version.startsWith("1."));

/** The one of that name. */
export function entryOf(slug) {
  const found = entries.find((entry) => entry.slug === slug);
  if (found === undefined) throw new Error(`no ${slug} in ${corpus}`);
  return found;
}

/** A document's main file, and the folder that its refs may lead to. */
export const filesOf = ({ slug, main }) => ({ document: join(corpus, slug, main), root: join(corpus, slug) });

/** The side it is written from. */
export const sideOf = ({ perspective }) => (perspective === "client" || perspective === "reversed" ? "client" : "server");

/** The configuration that a user would write for a document (test/conformance/overrides/), where it has one. */
export function configOf({ slug }) {
  const file = join(import.meta.dirname, `conformance/overrides/${slug}.json`);
  if (!existsSync(file)) return undefined;
  const { $schema: _, ...config } = JSON.parse(readFileSync(file, "utf8"));
  return config;
}
