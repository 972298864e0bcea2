// Invents every identifier of the generated code: total, deterministic, and from a definition's own key, never from position or count, so that
// reordering a document or adding something unrelated to it renames nothing.
import { createHash } from "node:crypto";
import { capitalized, inCapitals, inSmall, runsOf } from "../letters.ts";

/** A definition that needs an identifier. */
export interface Named {
  /** Words to name it by. */
  readonly base: string;
  /** Where it was written: what tells two of one name apart in the end. */
  readonly identity: string;
  /** What the digits are taken of that tell two of one name apart in the end, where the identity has a position in it; default: the identity. */
  readonly digested?: string | undefined;
  /** The channel it is written in: what tells two of one name apart first. */
  readonly channel?: string | undefined;
  /** Appended when the name is taken by the language, and (for types of messages) always. */
  readonly suffix?: { readonly text: string; readonly always: boolean };
  /** Chosen by the user (`x-wsgen: { name }`): stays as it is in a clash. */
  readonly chosen?: boolean;
}

/** An identifier, and whether it had to be told apart from another one. */
export interface Assigned {
  readonly name: string;
  /** Identities of the definitions that had the same name at first, itself among them: one list for them all. Empty where there was no other. */
  readonly clash: readonly string[];
}

/** Assigns PascalCase names, compared without case, to the types of a document. */
export function assignTypeNames(named: readonly Named[]): ReadonlyMap<string, Assigned> {
  return assign(named, pascalCase, GLOBAL_TYPES);
}

/** The PascalCase name of a whole API, from the first words that make one. */
export function apiName(...words: readonly string[]): string {
  const name = words.map(pascalCase).find((one) => one !== "") ?? "";
  return name === "" || GLOBAL_TYPES.has(name) ? `${name}Api` : name;
}

/** Assigns camelCase names, compared without case, to the messages of one direction of one endpoint. */
export function assignMethodNames(named: readonly Named[]): ReadonlyMap<string, Assigned> {
  return assign(named, camelCase, MEMBERS);
}

/** Assigns camelCase names, compared without case, to the endpoints of a document: handler files and their variables, and methods of clients. */
export function assignVariableNames(named: readonly Named[]): ReadonlyMap<string, Assigned> {
  return assign(named, camelCase, FILES);
}

/** Assigns camelCase names, compared without case, to the topics of one endpoint: what they stand beside, `beside` included, cannot be called so. */
export function assignTopicNames(named: readonly Named[], beside: readonly string[]): ReadonlyMap<string, Assigned> {
  return assign(named, camelCase, new Set([...MEMBERS, ...NEIGHBOURS, ...beside.map(camelCase)]));
}

/** Assigns camelCase names, compared without case, to the servers of a document: properties of one object, where reserved words are fine. */
export function assignPropertyNames(named: readonly Named[]): ReadonlyMap<string, Assigned> {
  return assign(named, camelCase, OBJECT_MEMBERS);
}

function assign(named: readonly Named[], style: (words: string) => string, taken: ReadonlySet<string>): ReadonlyMap<string, Assigned> {
  const spell = (definition: Named, base: string): string => {
    const plain = style(base) || style(`${definition.suffix?.text ?? "unnamed"} ${hash(base)}`);
    const { suffix } = definition;
    if (suffix === undefined || plain.toLowerCase().endsWith(suffix.text.toLowerCase()))
      return taken.has(plain) && suffix === undefined ? `${plain}_` : plain;
    return suffix.always || taken.has(plain) ? `${plain}${suffix.text}` : plain;
  };

  let spelled = named.map((definition) => ({ definition, name: spell(definition, definition.base) }));
  const first = clashes(spelled);
  if (first.size > 0) {
    spelled = spelled.map((entry) => {
      const { definition } = entry;
      if (!first.has(folded(entry.name)) || definition.chosen === true || definition.channel === undefined) return entry;
      return { definition, name: spell(definition, `${definition.channel} ${definition.base}`) };
    });
  }
  // Four hexadecimal digits are nearly always enough; where they are not, more of the same digest are.
  for (let digits = 4, rest = clashes(spelled); rest.size > 0 && digits <= 64; digits *= 2, rest = clashes(spelled)) {
    spelled = spelled.map((entry) => {
      const members = rest.get(folded(entry.name));
      if (members === undefined || (entry.definition.chosen === true && members.filter((member) => member.chosen === true).length === 1))
        return entry;
      const { digested = entry.definition.identity, identity } = entry.definition;
      // Of several with the same content it does not matter which is which.
      const alike = members.filter((member) => member.digested === digested).length > 1;
      const digest = hash(alike ? `${digested}\n${identity}` : digested, digits);
      return { definition: entry.definition, name: `${entry.name.replace(/_[0-9a-f]{4,}$/, "")}_${digest}` };
    });
  }
  const together = new Map([...first].map(([name, members]) => [name, members.map(({ identity }) => identity)]));
  return new Map(
    spelled.map(({ definition, name }) => [
      definition.identity,
      { name, clash: together.get(folded(spell(definition, definition.base))) ?? [] },
    ]),
  );
}

/** The groups of definitions that had one name at first, each once, in the order of their first members. */
export function clashesOf<T>(definitions: readonly T[], clashOf: (definition: T) => readonly string[]): T[][] {
  const groups = new Map<readonly string[], T[]>();
  for (const definition of definitions) {
    const clash = clashOf(definition);
    if (clash.length === 0) continue;
    const group = groups.get(clash);
    if (group === undefined) groups.set(clash, [definition]);
    else group.push(definition);
  }
  return [...groups.values()];
}

function clashes(spelled: readonly { readonly definition: Named; readonly name: string }[]): Map<string, Named[]> {
  const groups = new Map<string, Named[]>();
  for (const { definition, name } of spelled) {
    const key = folded(name);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [definition]);
    else group.push(definition);
  }
  for (const [key, group] of groups) if (group.length === 1) groups.delete(key);
  return groups;
}

/** What is one name to a disk that ignores case: some compare small letters, some capitals, and `ß` and `ς` have two forms of one. */
export function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** The first digits of the SHA-256 of a text, in hexadecimal. */
export function hash(text: string, digits = 4): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}

/** `post message`, `PostMessage`, `POST_MESSAGE` and `post.message` → `PostMessage`; an acronym inside a mixed name stays (`HTTPServer`). */
export function pascalCase(text: string): string {
  return join(wordsOf(text).map(capitalized));
}

/** The same with a small first word: `HTTPServer` → `httpServer`. */
export function camelCase(text: string): string {
  return join(wordsOf(text).map((word, index) => (index === 0 ? inSmall(word) : capitalized(word))));
}

/** Words of a name: letters and digits, split at everything else and where the case changes; a name in capitals is written small. */
export function wordsOf(text: string): string[] {
  return runsOf(text).flatMap((run) => {
    if (run === inCapitals(run) && run !== inSmall(run)) return [inSmall(run)];
    return run.split(/(?<=[\p{Ll}\p{Nd}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u);
  });
}

/** Words that begin with a digit take `_` where they would not be a word of their own otherwise. */
function join(words: readonly string[]): string {
  let name = "";
  for (const word of words) {
    const apart = /^\p{Nd}/u.test(word) && (name === "" || /\p{Nd}$/u.test(name));
    name += apart ? `_${word}` : word;
  }
  return name;
}

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

/** Reserved words of ECMAScript and TypeScript, and the names strict code cannot bind. */
const RESERVED = words(
  "abstract any arguments as async await boolean break case catch class const continue debugger declare default delete do else enum eval export extends " +
    "false finally for from function get if implements import in infer instanceof interface is keyof let module namespace never new null number object of " +
    "package private protected public readonly require return satisfies set static string super switch symbol this throw true try type typeof undefined " +
    "unique unknown using var void while with yield",
);

/** What objects and promises already mean by a property's name. */
const OBJECT_MEMBERS = words(
  "catch constructor finally hasOwnProperty isPrototypeOf propertyIsEnumerable prototype then toJSON toLocaleString toString valueOf",
);

/** What a method in an object of messages cannot be called: reserved words too, and what reads like a socket's own. */
const MEMBERS: ReadonlySet<string> = new Set([...RESERVED, ...OBJECT_MEMBERS, "close", "send"]);

/** What a topic cannot be called: it stands beside the members of handlers and of client connections, those that may come included. */
const NEIGHBOURS = words(
  "answer closed error getSnapshot iterate join leave message messages name off on once onError open params protocol query ready reconnect reconnected " +
    "request server signal state states stream subscribe subscription topic topics unsubscribe url",
);

/** And what no file can be called on Windows. */
const FILES: ReadonlySet<string> = new Set([
  ...MEMBERS,
  ...words("con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9"),
]);

/** Types that every module sees, of the language and of browsers and Node, and names the generated code or its reader would mistake. */
const GLOBAL_TYPES = words(
  "AbortController AbortSignal AggregateError Array ArrayBuffer ArrayLike AsyncGenerator AsyncIterable AsyncIterator Atomics Awaited BigInt " +
    "BigInt64Array BigUint64Array Blob Boolean BroadcastChannel Buffer Capitalize CloseEvent Crypto CustomEvent DataView Date Disposable Document " +
    "Element Error ErrorEvent EvalError Event EventSource EventTarget Exclude Extract File Float32Array Float64Array FormData Function Generator Headers " +
    "History Infinity Int16Array Int32Array Int8Array Intl Iterable Iterator IteratorResult JSON Location Lowercase Map Math MessageChannel " +
    "MessageEvent MessagePort NaN Navigator NoInfer Node NonNullable Notification Number Object Omit Parameters Partial Performance Pick " +
    "Promise PromiseLike PropertyKey Proxy Range RangeError Readonly ReadonlyArray ReadonlyMap ReadonlySet Record ReferenceError Reflect RegExp Request " +
    "Required Response ReturnType Selection Set SharedArrayBuffer Storage String Symbol SymbolConstructor SyntaxError Text TextDecoder TextEncoder " +
    "ThisType TypeError Uint16Array Uint32Array Uint8Array Uint8ClampedArray Uncapitalize Uppercase URIError URL URLSearchParams WeakMap WeakRef WeakSet " +
    "WebAssembly WebSocket Window Worker",
);
