// What makes a client a package of its own: index.ts, which is all of it under one name, and how it is compiled. Its package.json is laid
// over the user's (package-file.ts), its README is printed in readme.ts.
import type { Model } from "../model/model.ts";
import { apiNames, clientSuffixes, joins } from "./api-names.ts";
import { closeCodeNames } from "./close-codes.ts";
import { type GeneratedFile, lineWidth } from "./file.ts";

/** The errors that a client's calls can end with, and when. */
export const clientErrors: readonly (readonly [name: string, when: string])[] = [
  [
    "ConnectionClosedError",
    "the connection is closed, or closed while the call was waiting; `closeCode`, `reason`, and its `meaning` where close codes have names",
  ],
  ["ContractError", "a message does not match the document; `messageName`, `path`, `direction`"],
  ["InboundOverflowError", "more arrived than is kept, and nobody read it"],
  ["OutboundOverflowError", "more was sent while there was no connection than is kept for the next"],
  ["RequestFailedError", "the server answered a request with its error message, which is `payload`"],
  ["RequestTimeoutError", "no reply came in time"],
  ["UpgradeRejectedError", "the server did not accept the connection; `status` and `body` where the platform shows them"],
  ["WsgenError", "the base of them all; `code` is stable"],
];

/** Everything that the package exports: the client, the types of the messages, the errors. */
export function emitIndex(model: Model, file: GeneratedFile): void {
  file.doc(`Everything of ${model.title}.`);
  file.print('export * from "./client.js";');
  const names = clientErrors.map(([name]) => name);
  file.block("export {", () => file.print(names.map((name) => `${name},`).join("\n")), `} from ${file.string(joins.client)};`);
  const taken = new Set([...clientNames(model), ...names]);
  const types = model.types.map(({ name }) => (taken.has(name) ? `${name} as ${free(`${name}Type`, model, taken)}` : name));
  if (types.length === 0) return;
  const line = `export type { ${types.join(", ")} } from "./types.js";`;
  if (line.length <= lineWidth) file.print(line);
  else file.block("export type {", () => file.print(types.map((name) => `${name},`).join("\n")), '} from "./types.js";');
}

/** What client.ts exports. A type of the document that has such a name is exported under another. */
function clientNames(model: Model): readonly string[] {
  const { client, createClient, classify, credentials } = apiNames(model);
  const typeNames = model.endpoints.flatMap(({ typeName, topics }) => [typeName, ...topics.map((topic) => topic.typeName)]);
  const ofEndpoints = typeNames.flatMap((typeName) => clientSuffixes.map((suffix) => typeName + suffix));
  return [client, createClient, classify, credentials, ...closeCodeNames(model), "servers", ...ofEndpoints];
}

function free(name: string, model: Model, taken: ReadonlySet<string>): string {
  const isTaken = taken.has(name) || model.types.some((type) => type.name === name);
  return isTaken ? free(`${name}_`, model, taken) : name;
}

/** `tsc` makes of src/ what is published. */
export const packageTsconfig = `{
  "compilerOptions": {
    "target": "ES2022",
    "lib": ["ES2022", "ESNext.Disposable", "DOM"],
    "types": [],
    "module": "nodenext",
    "rootDir": "src",
    "outDir": "dist",
    "declaration": true,
    "strict": true,
    "verbatimModuleSyntax": true,
    "skipLibCheck": true
  },
  "include": ["src"]
}
`;
