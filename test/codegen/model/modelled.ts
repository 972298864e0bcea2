// Small documents for the tests of the model: written to a file, loaded by the real loader, built.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Diagnostic } from "../../../codegen/src/diagnostics.ts";
import { load } from "../../../codegen/src/document/load.ts";
import { type BuildOptions, type BuildResult, buildModel } from "../../../codegen/src/model/build.ts";
import type { Direction, Endpoint, Model, TypeDefinition } from "../../../codegen/src/model/model.ts";

export interface Modelled extends BuildResult {
  /** `error no-channels 3:1 message`, one for each diagnostic. */
  readonly lines: readonly string[];
}

/** Builds the model of a document's text. */
export async function modelled(
  text: string,
  { file = "document.yaml", ...options }: BuildOptions & { readonly file?: string } = {},
): Promise<Modelled> {
  const folder = await mkdtemp(join(tmpdir(), "wsgen-model-"));
  try {
    const path = join(folder, file);
    await writeFile(path, text);
    const result = buildModel(await load(path, { root: folder }), options);
    return { ...result, lines: result.diagnostics.map(line) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The model of a document that must have one. */
export async function modelOf(text: string, options: BuildOptions & { readonly file?: string } = {}): Promise<Model> {
  const { model, lines } = await modelled(text, options);
  if (model === undefined) throw new Error(`no model:\n${lines.join("\n")}`);
  return model;
}

function line({ severity, code, position, message }: Diagnostic): string {
  return `${severity} ${code} ${position?.line}:${position?.column} ${message}`;
}

/** The endpoint of that name. */
export function endpointOf(model: Model, name?: string): Endpoint {
  const found = name === undefined ? model.endpoints[0] : model.endpoints.find((endpoint) => endpoint.name === name);
  if (found === undefined) throw new Error(`no endpoint ${name}; there is ${model.endpoints.map((endpoint) => endpoint.name).join(", ")}`);
  return found;
}

/** The type of that name. */
export function typeOf(model: Model, name: string): TypeDefinition {
  const found = model.types.find((type) => type.name === name);
  if (found === undefined) throw new Error(`no type ${name}; there is ${model.types.map((type) => type.name).join(", ")}`);
  return found;
}

export const namesOf = ({ messages }: Direction): string[] => messages.map(({ name }) => name);
export const deliveriesOf = ({ deliveries }: Direction): string[] => deliveries.map(({ name }) => name);

/**
 * A 3.1 document of one channel whose messages the server receives (`receives`) and sends (`sends`), each with its payload; `extra` goes to the root.
 */
export function document3(messages: {
  readonly receives?: object;
  readonly sends?: object;
  readonly extra?: object;
  readonly channel?: object;
}): string {
  const { receives = {}, sends = {}, extra = {}, channel = {} } = messages;
  const withPayloads = Object.entries({ ...receives, ...sends }).map(([name, payload]) => [name, { payload }]);
  const refs = (names: object): object[] => Object.keys(names).map((name) => ({ $ref: `#/channels/main/messages/${name}` }));
  return JSON.stringify(
    {
      asyncapi: "3.1.0",
      info: { title: "Test", version: "1.0.0" },
      defaultContentType: "application/json",
      servers: { local: { host: "localhost", protocol: "ws" } },
      channels: { main: { address: "/main", messages: Object.fromEntries(withPayloads), ...channel } },
      operations: {
        receive: { action: "receive", channel: { $ref: "#/channels/main" }, messages: refs(receives) },
        send: { action: "send", channel: { $ref: "#/channels/main" }, messages: refs(sends) },
      },
      "x-wsgen": { perspective: "server" },
      ...extra,
    },
    null,
    2,
  );
}

/** An object payload with a constant `type` and other properties. */
export function tagged(type: unknown, properties: object = {}, required: readonly string[] = ["type"]): object {
  return { type: "object", required, properties: { type: { const: type }, ...properties } };
}
