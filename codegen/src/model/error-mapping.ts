// `x-wsgen: { error }`: our own errors as a message of the contract, proven to be valid for every error the runtime can have.

import { nearest } from "../diagnostics.ts";
import type { JsonValue } from "../document/document.ts";
import { listed } from "../grammar.ts";
import type { Directions } from "./directions.ts";
import type { ErrorExtension } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import type { Judge } from "./judge.ts";
import type { Schema } from "./keywords.ts";
import type { Direction, ErrorMapping, Message } from "./model.ts";
import { DEFINITIONS } from "./schemas.ts";
import { evidenceAt, type Shape, schemaAt, shapeAt } from "./shape.ts";
import { isObject, joinPointer, property } from "./tree.ts";

/** What `code` can say (runtime/src/contract/session.ts writes them). */
export const ERROR_CODES = ["invalid_message", "unknown_message", "invalid_json", "unsupported_data", "internal_error"] as const;

/** `detail` is a sentence of 1 to this many characters. */
const LONGEST_DETAIL = 200;

/** So much of a payload is shown. */
const LONGEST_SAMPLE = 60;

interface MappedError {
  readonly message: Message;
  readonly extension: ErrorExtension;
  /** Of its payload. */
  readonly shape: Shape;
}

/** What it takes to prove that a message can carry every error. */
interface Proof {
  readonly judge: Judge;
  readonly definitions: ReadonlyMap<string, Schema>;
  readonly findings: Findings;
}

/** The message that carries our errors to the clients of an endpoint, where one of its messages is said to. */
export function buildError(
  directions: Directions,
  built: { readonly clientToServer: Direction; readonly serverToClient: Direction },
  proof: Proof,
): ErrorMapping | undefined {
  const mapped = directions.serverToClient.entries.flatMap(({ draft, name }): MappedError[] => {
    const extension = draft.source.extension.error;
    const message = built.serverToClient.messages.find((candidate) => candidate.name === name);
    return extension === undefined || message === undefined ? [] : [{ extension, message, shape: draft.shape }];
  });
  for (const { draft } of directions.clientToServer.entries) {
    const extension = draft.source.extension.error;
    if (extension === undefined || mapped.some((one) => one.extension === extension)) continue;
    proof.findings.error({
      code: "error-message",
      message: `\`${draft.base}\` carries our errors, but only clients send it here.`,
      fix: "Map the errors onto a message that the server sends.",
      pointer: extension.pointer,
      at: "key",
    });
  }
  return buildErrorMapping(mapped, built.clientToServer, proof);
}

/** Checks the mapping of one endpoint; `undefined` (and an error that says why) when it cannot work. */
function buildErrorMapping(
  mapped: readonly MappedError[],
  clientToServer: Direction,
  { judge, definitions, findings }: Proof,
): ErrorMapping | undefined {
  const [first, ...others] = mapped;
  if (first === undefined) return undefined;
  for (const { extension, message } of others) {
    findings.error({
      code: "error-message",
      message: `\`${first.message.name}\` carries the errors of this endpoint already, \`${message.name}\` cannot as well.`,
      fix: "Keep `x-wsgen: { error }` on one of them.",
      pointer: extension.pointer,
      at: "key",
    });
  }
  const { message, extension, shape } = first;
  if (message.format !== "json" && message.format !== "encoded") {
    findings.error({
      code: "error-message",
      message: `\`${message.name}\` is bare text or bytes, so our errors have no place in it.`,
      fix: "Map the errors onto a JSON message.",
      pointer: extension.pointer,
      at: "key",
    });
    return undefined;
  }
  if (leadsNowhere(message, extension, shape, findings)) return undefined;
  if (extension.toError) {
    const { code, detail, correlation, pointer } = extension;
    if (code !== undefined || detail !== undefined) {
      findings.error({
        code: "error-message",
        message: `With \`toError\` a function makes \`${message.name}\`: it also says what would go to \`${code === undefined ? "detail" : "code"}\`.`,
        fix: "Keep either `toError` or `code` and `detail`.",
        pointer: joinPointer(pointer, code === undefined ? "detail" : "code"),
        at: "key",
      });
    }
    return { message: message.name, toError: true, ...(correlation !== undefined && { correlation }) };
  }
  // Where the caller gives the id, its form is not known.
  const ids = [
    ...new Set(
      clientToServer.messages.flatMap(({ reply }) => (reply === undefined || reply.given || reply.id === "order" ? [] : [reply.id])),
    ),
  ];
  const atCode = extension.code && schemaAt({ $ref: DEFINITIONS + message.type }, extension.code, (name) => definitions.get(name));
  const refusedCodes = atCode === undefined ? [] : ERROR_CODES.filter((code) => !judge.allows(atCode, code));
  for (const sample of samplesOf(message, extension, ids)) {
    const refusals = judge.refusals(message.type, sample.value);
    if (refusals === undefined || refusals.length === 0) continue;
    findings.error({
      code: "error-message",
      message: `\`${message.name}\` cannot carry our error ${sample.what}: ${refusals[0]} in ${shortened(JSON.stringify(sample.value))}.${
        refusedCodes.length === 0 ? "" : ` Its code refuses ${listed(refusedCodes, "and")}.`
      }`,
      fix:
        refusedCodes.length > 0
          ? `Add ${listed(refusedCodes, "and")} to the values of the code, make it any string, or let a function make the message: \`error: { toError: true }\`.`
          : "Make the payload accept any text where `code` and `detail` go and require nothing that the mapping does not fill in, or let a function make the message: `error: { toError: true }`.",
      pointer: extension.pointer,
      at: "key",
    });
    return undefined;
  }
  return {
    message: message.name,
    ...(extension.code !== undefined && { code: extension.code }),
    ...(extension.detail !== undefined && { detail: extension.detail }),
    ...(extension.correlation !== undefined && { correlation: extension.correlation }),
  };
}

/** Whether a part of the mapping leads to a property that the payload does not have: misspelt, or forbidden. */
function leadsNowhere(message: Message, extension: ErrorExtension, shape: Shape, findings: Findings): boolean {
  let found = false;
  for (const part of ["code", "detail", "correlation"] as const) {
    const path = extension[part];
    if (path === undefined) continue;
    const depth = path.findIndex((_, index) => evidenceAt(shape, path.slice(0, index + 1)).presence === "absent");
    if (depth === -1) continue;
    const before = path.slice(0, depth);
    const name = String(path[depth]);
    const near = nearest(
      name,
      [...(shapeAt(shape, before)?.members.keys() ?? [])].map(String).filter((other) => !taken(extension, [...before, other])),
    );
    // An open payload may be given what it does not mention.
    if (near === undefined && !evidenceAt(shape, path.slice(0, depth + 1)).proven) continue;
    found = true;
    findings.error({
      code: "error-message",
      message: `The payload of \`${message.name}\` has no \`${[...before, name].join(".")}\`, where \`${part}\` should go.`,
      fix:
        near === undefined
          ? "Write a JSON Pointer to one of its properties, or declare the property."
          : `Did you mean \`${joinPointer("", ...[...before, near, ...path.slice(depth + 1)].map(String))}\`?`,
      pointer: joinPointer(extension.pointer, part),
    });
  }
  return found;
}

function taken(extension: ErrorExtension, path: readonly (string | number)[]): boolean {
  return [extension.code, extension.detail, extension.correlation].some((other) => other?.join("/") === path.join("/"));
}

function shortened(text: string): string {
  return text.length <= LONGEST_SAMPLE ? text : `${text.slice(0, LONGEST_SAMPLE - 1)}…`;
}

interface Sample {
  readonly what: string;
  readonly value: JsonValue;
}

/** Every kind of payload that the runtime builds: each code, short and long details, with an id and without. */
function samplesOf(message: Message, { code, detail, correlation }: ErrorExtension, ids: readonly string[]): Sample[] {
  const samples: Sample[] = [];
  const known: (string | number | undefined)[] = [undefined, ...(correlation === undefined ? [] : ids.map((id) => SAMPLE_IDS[id] ?? "1"))];
  for (const text of ERROR_CODES) {
    for (const reason of ["/ is wrong", "x".repeat(LONGEST_DETAIL)]) {
      for (const id of known) {
        // An error about no JSON at all answers no request.
        if (id !== undefined && (text === "invalid_json" || text === "unsupported_data" || text === "unknown_message")) continue;
        let value: JsonValue = { ...message.constants };
        if (code !== undefined) value = withValue(value, code, text);
        if (detail !== undefined) value = withValue(value, detail, reason);
        if (correlation !== undefined && id !== undefined) value = withValue(value, correlation, id);
        const parts = [
          `\`${text}\``,
          id === undefined ? "without the id of a request" : "with the id of a request",
          ...(reason.length > 50 ? [`and a detail of ${LONGEST_DETAIL} characters`] : []),
        ];
        samples.push({ what: parts.join(" "), value });
      }
    }
  }
  return samples;
}

const SAMPLE_IDS: Readonly<Record<string, string | number>> = { string: "1", integer: 1, uuid: "00000000-0000-4000-8000-000000000000" };

function withValue(value: JsonValue, path: readonly (string | number)[], leaf: JsonValue): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined) return leaf;
  const outer = isObject(value) ? value : {};
  return { ...outer, [step]: withValue(property(outer, String(step)) ?? {}, rest, leaf) };
}
