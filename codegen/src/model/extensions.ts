// Reads our own keys, `x-wsgen: {…}`. An unknown key or a wrong value is an error with a suggestion, never ignored.
import type { Constant, KeyPlaces, Path, Statement } from "@wsgen/runtime/generated/server";
import { listed, misuses } from "../grammar.ts";
import { type Discriminator, OPTIONS_KEY, type Options, type Owner, optionsOn } from "../options.ts";
import type { Findings } from "./findings.ts";
import { isObject, joinPointer, type Place, pathOfPointer, property, type Tree } from "./tree.ts";

/** What a document and a channel can say alike; the channel's word wins. */
export interface SocketOptions {
  readonly envelope?: EnvelopeOption | false;
  /** Several where messages say it at different places. */
  readonly discriminator?: readonly DiscriminatorOption[];
  readonly onAmbiguous?: "union" | "error" | "first" | "classify";
  readonly correlation?: CorrelationOption;
  readonly onInvalid?: "reply" | "close" | "drop";
  /** Subprotocols, best first. */
  readonly protocols?: readonly string[];
}

/** `x-wsgen` at the root of a document. */
export interface RootExtension {
  readonly perspective?: "server" | "client";
  readonly name?: string;
  readonly multiplex?: "auto" | "channel" | "socket";
  readonly contentType?: string;
  readonly closeCodes?: CloseCodesOption;
  /** What holds for every channel that does not say otherwise. */
  readonly defaults: SocketOptions;
}

/** `x-wsgen` of a channel. */
export interface ChannelExtension extends SocketOptions {
  readonly name?: string;
  readonly multiplex?: "auto" | "channel" | "socket";
  readonly subscription?: SubscriptionOption;
  /** Beside those of the document. */
  readonly closeCodes?: CloseCodesOption;
}

/** Names of close codes, as they are written. */
export interface CloseCodesOption {
  readonly codes: NonNullable<Options["closeCodes"]>;
  readonly pointer: string;
}

/** Which messages of a channel subscribe to what comes on it, by the document's names. */
export interface SubscriptionOption {
  readonly subscribe: string;
  readonly unsubscribe: string | Statement;
  readonly ack?: string;
  readonly refused?: string | Statement;
  readonly key: readonly (Path | KeyPlaces)[];
  readonly pointer: string;
}

/** `x-wsgen` of a message. */
export interface MessageExtension {
  readonly name?: string;
  readonly direction?: "send" | "receive" | "both";
  readonly contentType?: string;
  readonly envelope?: EnvelopeOption | false;
  readonly correlation?: CorrelationOption;
  readonly error?: ErrorExtension;
}

/** `x-wsgen` of a security scheme. */
export type SchemeExtension = Pick<Options, "carrier">;

/** Where the parts of a message lie in what is sent. */
export interface EnvelopeOption {
  readonly payload: Path;
  readonly headers?: Path;
  /** Where the option is written. */
  readonly pointer: string;
}

/** Where messages say which one they are. */
export interface DiscriminatorOption {
  readonly at: Path;
  /** Of the messages that are listed; without a list all of them have one. */
  readonly values: ReadonlyMap<string, readonly Constant[]> | undefined;
  readonly pointer: string;
}

/** What ties a reply to its request. */
export interface CorrelationOption {
  /** Where both have the id; `undefined` when replies come in the order of their requests. */
  readonly at: Path | undefined;
  readonly pointer: string;
}

/** `error: { code, detail, correlation }`: the message carries our own errors, each part at a JSON Pointer of its payload. */
export interface ErrorExtension {
  readonly code?: Path;
  readonly detail?: Path;
  readonly correlation?: Path;
  /** Whether a function of the user's makes the message instead. */
  readonly toError: boolean;
  /** Where the mapping is written. */
  readonly pointer: string;
}

/** Reads the root's `x-wsgen`. */
export function readRootExtension(tree: Tree, findings: Findings): RootExtension {
  const { perspective, name, multiplex, contentType, closeCodes, ...shared } = readOptions(tree.root, "document", findings);
  const own = pick({ perspective, name, multiplex, contentType, closeCodes: closeCodesOf(closeCodes, tree.root) });
  return { ...own, defaults: socketOptions(tree.root, shared) };
}

/** Reads a channel's `x-wsgen`. */
export function readChannelExtension(channel: Place, findings: Findings): ChannelExtension {
  const { name, multiplex, subscription, closeCodes, ...shared } = readOptions(channel, "channel", findings);
  const pointer = joinPointer(channel.pointer, OPTIONS_KEY, "subscription");
  const own = pick({
    name,
    multiplex,
    subscription: subscriptionOf(subscription, pointer),
    closeCodes: closeCodesOf(closeCodes, channel),
  });
  return { ...own, ...socketOptions(channel, shared) };
}

function closeCodesOf(codes: Options["closeCodes"], owner: Place): CloseCodesOption | undefined {
  return codes && { codes, pointer: joinPointer(owner.pointer, OPTIONS_KEY, "closeCodes") };
}

function subscriptionOf(option: Options["subscription"], pointer: string): SubscriptionOption | undefined {
  if (option === undefined) return undefined;
  const { subscribe, unsubscribe, ack, refused, key } = option;
  const said = (one: NonNullable<typeof refused>): string | Statement =>
    typeof one === "string" ? one : { ...one, at: pathOfPointer(one.at) };
  return {
    subscribe,
    unsubscribe: said(unsubscribe),
    ...pick({ ack, refused: refused && said(refused) }),
    key: key.map((part) => (typeof part === "string" ? pathOfPointer(part) : pick(mapValues(part, pathOfPointer)))),
    pointer,
  };
}

/** Reads a message's `x-wsgen`. */
export function readMessageExtension(message: Place, findings: Findings): MessageExtension {
  const { name, direction, contentType, envelope, correlation, error } = readOptions(message, "message", findings);
  const at = (key: string): string => joinPointer(message.pointer, OPTIONS_KEY, key);
  return pick({
    name,
    direction,
    contentType,
    envelope: envelopeOf(envelope, at("envelope")),
    correlation: correlationOf(correlation, at("correlation")),
    error: errorOf(error, at("error")),
  });
}

function errorOf(option: Options["error"], pointer: string): ErrorExtension | undefined {
  if (option === undefined) return undefined;
  const { toError, ...parts } = option;
  return { ...pick(mapValues(parts, pathOfPointer)), toError: toError === true, pointer };
}

/** Reads a security scheme's `x-wsgen`. */
export function readSchemeExtension(scheme: Place, findings: Findings): SchemeExtension {
  return readOptions(scheme, "security scheme", findings);
}

function socketOptions(owner: Place, options: Options): SocketOptions {
  const { envelope, discriminator, onAmbiguous, correlation, onInvalid, protocols } = options;
  const at = (key: string): string => joinPointer(owner.pointer, OPTIONS_KEY, key);
  return pick({
    envelope: envelopeOf(envelope, at("envelope")),
    discriminator: discriminatorsOf(discriminator, at("discriminator")),
    onAmbiguous,
    correlation: correlationOf(correlation, at("correlation")),
    onInvalid,
    protocols,
  });
}

function envelopeOf(option: Options["envelope"], pointer: string): EnvelopeOption | false | undefined {
  if (option === undefined || option === false) return option;
  return {
    payload: pathOfPointer(option.payload),
    ...(option.headers !== undefined && { headers: pathOfPointer(option.headers) }),
    pointer,
  };
}

function discriminatorsOf(option: Options["discriminator"], pointer: string): readonly DiscriminatorOption[] | undefined {
  if (option === undefined) return undefined;
  if (typeof option === "string") return [{ at: pathOfPointer(option), values: undefined, pointer }];
  const one = ({ at, values }: Discriminator, place: string): DiscriminatorOption => ({
    at: pathOfPointer(at),
    values: values && new Map(Object.entries(values).map(([name, value]) => [name, [value].flat() as readonly Constant[]])),
    pointer: place,
  });
  // `Array.isArray` does not see that a readonly list is one.
  const list = (Array.isArray(option) ? option : undefined) as readonly Discriminator[] | undefined;
  return list?.map((item, index) => one(item, joinPointer(pointer, String(index)))) ?? [one(option as Discriminator, pointer)];
}

function correlationOf(option: Options["correlation"], pointer: string): CorrelationOption | undefined {
  if (option === undefined) return undefined;
  return { at: option === "order" ? undefined : pathOfPointer(option), pointer };
}

/** The options of an object that are as they should be; what is wrong with others is reported. */
function readOptions(owner: Place, kind: Owner, findings: Findings): Options {
  const value = property(owner.value, OPTIONS_KEY);
  if (value === undefined) return {};
  const pointer = joinPointer(owner.pointer, OPTIONS_KEY);
  const fields = optionsOn(kind);
  const what = kind === "document" ? "the document" : `a ${kind}`;
  if (!isObject(value)) {
    findings.error({
      code: "x-wsgen-value",
      message: `\`${OPTIONS_KEY}\` must be an object.`,
      fix: `Write \`${OPTIONS_KEY}: { ${Object.keys(fields)[0]}: … }\`; ${what} may have ${listed(Object.keys(fields), "and")}.`,
      pointer,
    });
    return {};
  }
  const wrong = misuses(value, { kind: "fields", fields }, OPTIONS_KEY, `\`${OPTIONS_KEY}\` on ${what}`);
  for (const { path, at, message, fix } of wrong) {
    findings.error({ code: `x-wsgen-${at}`, message, fix, pointer: joinPointer(pointer, ...path), at });
  }
  const right = Object.entries(value).filter(([key]) => Object.hasOwn(fields, key) && !wrong.some(({ path }) => path[0] === key));
  // Their grammar says that they are.
  return Object.fromEntries(right) as unknown as Options;
}

/** Without what is `undefined`. */
function pick<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

function mapValues<K extends string, V, W>(values: { readonly [Key in K]?: V }, change: (value: V) => W): { [Key in K]?: W } {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value as V)])) as { [Key in K]?: W };
}
