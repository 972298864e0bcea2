// What client.ts says of the whole API: where its servers are, what a client shows to be let in, and the one call that makes it.
import type { DispatchTree, Format } from "@wsgen/runtime/generated/server";
import type { Endpoint, Model, Server } from "../model/model.ts";
import { apiNames, joins } from "./api-names.ts";
import { codecsOf, printCodecs } from "./codecs.ts";
import { type GeneratedFile, lineWidth } from "./file.ts";
import {
  directions,
  docsWith,
  paramsParameter,
  printCall,
  printClassify,
  printInterface,
  protocolArgument,
  requests,
  schemeDocs,
} from "./signatures.ts";

const join = joins.client;

/** Prints the addresses that the document names. */
export function printServers({ servers }: Model, file: GeneratedFile): void {
  if (servers.length === 0) return;
  file.doc("The addresses that the document names, each with its variables.");
  file.block(
    "export const servers = {",
    () => {
      for (const server of servers) printServer(server, file);
    },
    "} as const;",
  );
  file.print("");
}

function printServer({ name, docs, url, variables }: Server, file: GeneratedFile): void {
  const serverUrl = file.import("serverUrl", join, "value");
  const defaults = Object.fromEntries(variables.flatMap(({ name, default: value }) => (value === undefined ? [] : [[name, value]])));
  const values = file.value(defaults, `>(${file.string(url)}, ),`.length);
  const call = Object.keys(defaults).length === 0 ? `(${file.string(url)}),` : `(${file.string(url)}, ${values}),`;
  file.doc(docs);
  if (variables.length === 0) {
    file.print(`${file.key(name)}: ${serverUrl}${call}`);
    return;
  }
  file.block(
    `${file.key(name)}: ${serverUrl}<{`,
    () => {
      for (const { name, docs, default: value, enum: values } of variables) {
        file.doc(value === undefined ? docs : docsWith(docs, `Default: \`${value}\`.`));
        const type = values === undefined || values.length === 0 ? "string" : values.map((value) => file.string(value)).join(" | ");
        file.print(`${file.key(name)}${value === undefined ? "" : "?"}: ${type};`);
      }
    },
    `}>${call}`,
  );
}

/** Prints the client of the whole API, and the call that makes it. */
export function printApi(model: Model, file: GeneratedFile): void {
  const { client, classify, credentials, codecs } = apiNames(model);
  file.doc((model.docs.summary ?? model.docs.description) ? model.docs : `A client of ${model.title}.`);
  printInterface(file, client, model.endpoints, (endpoint) => {
    file.doc(endpoint.docs);
    printCall(
      file,
      file.key(endpoint.name),
      connectParameters(endpoint, file),
      `: ${file.import("Opening", join)}<${endpoint.typeName}Client>;`,
    );
  });
  printClassify(model, file, "client", ({ typeName }) => `${typeName}Client`);
  if (hasCredentials(model)) printCredentials(model, file);
  printCodecs(model, file, join);
  printCreate(model, file, {
    docs: "Creates a client; it connects when an endpoint's method is called.",
    client,
    classify: () => classify,
    credentials: () => credentials,
    codecs: () => codecs,
    checks: true,
  });
}

/** Credentials that a program can give; a certificate belongs to the TLS connection (`tls`). */
const credentialSchemes = ({ schemes }: Model): Model["schemes"] => schemes.filter(({ contract }) => contract.carries !== "certificate");
const hasCredentials = (model: Model): boolean => credentialSchemes(model).length > 0;

function printCredentials(model: Model, file: GeneratedFile): void {
  const given = file.import("Given", join);
  file.doc("What a client shows to be let in. A function is asked before every attempt, for what expires.");
  printInterface(file, apiNames(model).credentials, credentialSchemes(model), (scheme) => {
    file.doc(schemeDocs(scheme, "Goes"));
    const type = scheme.contract.carries === "basic" ? file.import("BasicCredentials", join) : "string";
    file.print(`readonly ${file.key(scheme.name)}?: ${given}<${type}>;`);
  });
}

/** Prints the one call. */
export function printCreate(
  model: Model,
  file: GeneratedFile,
  {
    docs,
    client,
    classify,
    credentials,
    codecs,
    checks,
  }: {
    readonly docs: string;
    readonly client: string;
    readonly classify: () => string;
    readonly credentials: () => string;
    readonly codecs: () => string;
    /** Whether the contract that it is given has guards. */
    readonly checks: boolean;
  },
): void {
  const base = file.import("ClientOptions", join);
  const classifies = model.endpoints.some((endpoint) => directions(endpoint, "client").receives.choice?.by === "classify");
  const shows = hasCredentials(model);
  const encodes = codecsOf(model).length > 0;
  const asked = [
    ...(classifies ? [`readonly classify: ${classify()}`] : []),
    ...(encodes ? [`readonly codecs: ${codecs()}`] : []),
    ...(shows ? [`readonly credentials?: ${credentials()}`] : []),
  ];
  const type = asked.length === 0 ? base : `${base} & { ${asked.join("; ")} }`;
  const given = shows ? `${file.import("credentials", join, "value")}(contract, options)` : "options";
  file.doc(docs);
  printCall(
    file,
    `export function ${apiNames(model).createClient}`,
    ["url: string | URL", `options${classifies || encodes ? "" : "?"}: ${type}`],
    `: ${client} {`,
  );
  const call = `  return ${file.import("createClient", join, "value")}<${client}>(`;
  const loaded = features(model, file, checks);
  const passed = ["contract", "url", given, ...(loaded.length === 0 ? [] : [`[${loaded.join(", ")}]`])];
  const line = `${call}${passed.join(", ")});`;
  file.print(line.length <= lineWidth ? line : `${call}\n${passed.map((one) => `    ${one},\n`).join("")}  );`);
  file.print("}");
}

/** What the runtime loads for this document beside its core. */
function features({ endpoints, closeCodes }: Model, file: GeneratedFile, checks: boolean): readonly string[] {
  const sides = endpoints.map((endpoint) => directions(endpoint, "client"));
  const subscribes = endpoints.some(({ topics, subscription }) =>
    [{ subscription }, ...topics].some((one) => one.subscription !== undefined),
  );
  const needed = [
    ...(checks ? ["guards"] : []),
    ...(checks && sides.some(({ sends }) => sends.messages.some(({ elsewhere }) => elsewhere !== undefined)) ? ["catchAlls"] : []),
    ...(sides.some(({ sends }) => sends.messages.some(({ constants }) => Object.keys(constants).length > 0)) ? ["constants"] : []),
    ...(endpoints.some(({ parameters, query, headers }) => parameters ?? query ?? headers) ? ["handshake"] : []),
    ...(sides.some(({ receives: { tree } }) => isFork(tree.json) || isFork(tree.encoded)) ? ["dispatch"] : []),
    ...(sides.some(({ sends, receives }) => [...sends.messages, ...receives.messages].some(({ format }) => isFormat(format)))
      ? ["formats"]
      : []),
    ...(sides.some(({ sends }) => requests(sends.messages).length > 0) ? ["requests"] : []),
    ...(sides.some(({ receives }) => requests(receives.deliveries).length > 0) ? ["answers"] : []),
    ...(closeCodes.length > 0 || endpoints.some((endpoint) => endpoint.closeCodes.length > 0) ? ["closings"] : []),
    ...(subscribes ? ["subscriptions"] : endpoints.some(({ topics }) => topics.length > 0) ? ["topics"] : []),
  ];
  const parts = needed.map((name) => file.import(name, join, "value"));
  // It reads on where the others have nothing to say.
  if (codecsOf({ endpoints }).length > 0) parts.push(`${file.import("codecs", join, "value")}(options)`);
  const chosen = sides.flatMap(({ receives }) => receives.choice?.by ?? []);
  if (chosen.length > 0) parts.push(`${file.import("choices", join, "value")}(contract${chosen.includes("classify") ? ", options" : ""})`);
  return parts;
}

/** Whether a tree has several ends. */
const isFork = (node: DispatchTree["json"]): boolean => typeof node === "object" && !("among" in node);

/** Whether messages of a format need more than JSON. */
const isFormat = (format: Format): boolean => format !== "json" && format !== "encoded";

/** Path parameters come first, query and headers are options: only the first belong to the address. */
function connectParameters(endpoint: Endpoint, file: GeneratedFile): readonly string[] {
  const { typeName, parameters, query, headers } = endpoint;
  const parts = [query, headers].filter((part) => part !== undefined);
  const options = parts.length === 0 ? `${file.import("ConnectOptions", join)}${protocolArgument([endpoint], file)}` : `${typeName}Options`;
  const optional = parts.every((part) => part.optional) ? "?" : "";
  return [...(parameters ? [paramsParameter(file, join, parameters, optional === "?")] : []), `options${optional}: ${options}`];
}
