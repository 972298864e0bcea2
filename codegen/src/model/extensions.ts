// Reads our own keys, `x-wsgen: {…}`. An unknown key or a wrong value is an error with a suggestion, never ignored.
import type { Path } from "@wsgen/runtime/generated/server";
import { nearest } from "../diagnostics.ts";
import type { Findings } from "./findings.ts";
import { isObject, joinPointer, type ObjectPlace, type Place, property, splitPointer, type Tree } from "./tree.ts";

const KEY = "x-wsgen";

/** `x-wsgen` at the root of a document. */
export interface RootExtension {
  readonly perspective?: "server" | "client";
  readonly name?: string;
}

/** `x-wsgen` of a channel. */
export interface ChannelExtension {
  readonly name?: string;
}

/** `x-wsgen` of a message. */
export interface MessageExtension {
  readonly name?: string;
  readonly error?: ErrorExtension;
}

/** `error: { code, detail, correlation }`: the message carries our own errors, each part at a JSON Pointer of its payload. */
export interface ErrorExtension {
  readonly code?: Path;
  readonly detail?: Path;
  readonly correlation?: Path;
  /** Where the mapping is written. */
  readonly pointer: string;
}

/** Reads the root's `x-wsgen`. */
export function readRootExtension(tree: Tree, findings: Findings): RootExtension {
  const place = extensionOf(tree.root, "the document", ["perspective", "name"], findings);
  if (place === undefined) return {};
  const perspective = property(place.value, "perspective");
  const name = readName(place, findings);
  if (perspective !== undefined && perspective !== "server" && perspective !== "client") {
    findings.error({
      code: "x-wsgen-value",
      message: `\`perspective\` is ${JSON.stringify(perspective)}, which is neither side.`,
      fix: "Write `perspective: server` or `perspective: client`: the side that the document describes.",
      pointer: joinPointer(place.pointer, "perspective"),
    });
    return { ...(name !== undefined && { name }) };
  }
  return { ...(perspective !== undefined && { perspective }), ...(name !== undefined && { name }) };
}

/** Reads a channel's `x-wsgen`. */
export function readChannelExtension(channel: Place, findings: Findings): ChannelExtension {
  const place = extensionOf(channel, "a channel", ["name"], findings);
  const name = place === undefined ? undefined : readName(place, findings);
  return { ...(name !== undefined && { name }) };
}

/** Reads a message's `x-wsgen`. */
export function readMessageExtension(message: Place, findings: Findings): MessageExtension {
  const place = extensionOf(message, "a message", ["name", "error"], findings);
  if (place === undefined) return {};
  const name = readName(place, findings);
  const error = readError(place, findings);
  return { ...(name !== undefined && { name }), ...(error !== undefined && { error }) };
}

function extensionOf(owner: Place, what: string, known: readonly string[], findings: Findings): ObjectPlace | undefined {
  const value = property(owner.value, KEY);
  if (value === undefined) return undefined;
  const pointer = joinPointer(owner.pointer, KEY);
  if (!isObject(value)) {
    findings.error({
      code: "x-wsgen-value",
      message: `\`${KEY}\` must be an object.`,
      fix: `Write \`${KEY}: { ${known[0]}: … }\`; ${what} may have ${list(known)}.`,
      pointer,
    });
    return undefined;
  }
  reportUnknownKeys({ pointer, value }, what, known, findings);
  return { pointer, value };
}

function reportUnknownKeys(place: ObjectPlace, what: string, known: readonly string[], findings: Findings): void {
  for (const key of Object.keys(place.value)) {
    if (known.includes(key)) continue;
    const suggestion = nearest(key, known);
    findings.error({
      code: "x-wsgen-key",
      message: `\`${key}\` is no option of \`${KEY}\` on ${what}.`,
      fix: suggestion === undefined ? `It may have ${list(known)}.` : `Did you mean \`${suggestion}\`?`,
      pointer: joinPointer(place.pointer, key),
      at: "key",
    });
  }
}

function readName(place: ObjectPlace, findings: Findings): string | undefined {
  const name = property(place.value, "name");
  if (name === undefined) return undefined;
  if (typeof name === "string" && /[\p{L}\p{Nd}]/u.test(name)) return name;
  findings.error({
    code: "x-wsgen-value",
    message: `\`name\` is ${JSON.stringify(name)}, which has nothing that an identifier could be made of.`,
    fix: "Write a name with letters in it.",
    pointer: joinPointer(place.pointer, "name"),
  });
  return undefined;
}

function readError(place: ObjectPlace, findings: Findings): ErrorExtension | undefined {
  const value = property(place.value, "error");
  if (value === undefined) return undefined;
  const pointer = joinPointer(place.pointer, "error");
  const known = ["code", "detail", "correlation"] as const;
  if (!isObject(value)) {
    findings.error({
      code: "x-wsgen-value",
      message: "`error` must say where our error goes in this message.",
      fix: "Write `error: { code: /code, detail: /detail }` with JSON Pointers into the payload.",
      pointer,
    });
    return undefined;
  }
  reportUnknownKeys({ pointer, value }, "`error`", known, findings);
  const paths: { -readonly [Part in (typeof known)[number]]?: Path } = {};
  for (const part of known) {
    const at = property(value, part);
    if (at === undefined) continue;
    if (typeof at === "string" && at.startsWith("/")) paths[part] = splitPointer(at);
    else
      findings.error({
        code: "x-wsgen-value",
        message: `\`${part}\` is ${JSON.stringify(at)}, which is no JSON Pointer into the payload.`,
        fix: `Write it with a leading slash, such as \`/${part}\`.`,
        pointer: joinPointer(pointer, part),
      });
  }
  return { ...paths, pointer };
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(" and ");
}
