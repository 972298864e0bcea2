// What tells one subscription from another: read from the message that subscribes, looked for in what arrives, and said again to unsubscribe.
import type { KeyPlaces, Path, SubscriptionContract } from "../contract/contract.ts";
import { valueAt, withValueAt } from "../contract/path.ts";
import { says } from "./topics.ts";

/** Stands in a path for every position of a list. */
const EACH = "*";

/** One thing that is subscribed to: a message may ask for several. */
export interface Entry {
  /** What each part of the key is; `undefined`: nothing says it, or only the server's ack will. */
  readonly key: readonly unknown[];
  /** Where in the list that `*` stands for it is. */
  readonly position: number;
}

/** The parts of a key, each with all its places. */
export function placesOf({ key }: SubscriptionContract): readonly KeyPlaces[] {
  // `Array.isArray` does not see that a readonly list is one.
  return key.map((part) => (Array.isArray(part) ? samePlace(part as Path) : (part as KeyPlaces)));
}

const samePlace = (path: Path): KeyPlaces => ({ subscribe: path, unsubscribe: path, ack: path, messages: path });

/** What a subscribing message asks for: each position of a list that has a `*` of the key, and each value where a part of the key is a list. */
export function entriesOf(places: readonly KeyPlaces[], payload: unknown): readonly Entry[] {
  const list = listOf(places, payload);
  return (list?.items ?? [undefined]).flatMap((_, position) => {
    const parts = places.map(({ subscribe }) => [subscribe && valueAt(payload, at(subscribe, position))].flat());
    const keys = parts.reduce<readonly (readonly unknown[])[]>(
      // What an empty list asks for nobody knows.
      (before, values) => before.flatMap((key) => (values.length ? values : [undefined]).map((value) => [...key, value])),
      [[]],
    );
    return keys.map((key) => ({ key, position }));
  });
}

/** Whether a message says this key, as far as it says any. `surely`: it has to say some of it. */
export function isSaid(
  { key }: Entry,
  places: readonly KeyPlaces[],
  from: "ack" | "messages",
  payload: unknown,
  surely?: boolean,
): boolean {
  const said = places.map((place) => place[from] && valuesAt(payload, place[from]));
  // What the subscribing message leaves open is open, and so is what the ack is to say first.
  const isOpen = (part: number) => key[part] === undefined && (places[part]?.subscribe !== undefined || from === "ack");
  return said.every((value, part) => isOpen(part) || says(value, key[part])) && !(surely && said.every((value) => value === undefined));
}

/** The key with what the server's ack adds to it; without an ack, nothing that an earlier one did. */
export function withGiven(entry: Entry, places: readonly KeyPlaces[], ack?: unknown): Entry {
  const key = places.map((place, part) => (place.subscribe ? entry.key[part] : place.ack && valueAt(ack, place.ack)));
  return { ...entry, key };
}

/** What unsubscribes from some of the entries that a payload subscribed to: one message for all of them, or one for each. */
export function unsubscribing(
  { unsubscribe }: SubscriptionContract,
  places: readonly KeyPlaces[],
  payload: unknown,
  entries: readonly Entry[],
  whole: boolean,
): readonly unknown[] {
  const build = (from: unknown, entry: Entry): unknown => {
    if (typeof unsubscribe === "object") return withValueAt(from, unsubscribe.at, unsubscribe.value);
    let body: unknown;
    for (const [part, { subscribe, unsubscribe: to }] of places.entries()) {
      if (to === undefined) continue;
      if (!subscribe) body = withValueAt(body, at(to, 0), entry.key[part]);
      else if (!subscribe.includes(EACH)) body = withValueAt(body, at(to, 0), valueAt(from, subscribe));
      else {
        for (const position of listOf([{ subscribe }], from)?.items.keys() ?? [])
          body = withValueAt(body, at(to, position), valueAt(from, at(subscribe, position)));
      }
    }
    return body;
  };
  const [first] = entries;
  const given = places.some(({ subscribe, unsubscribe: to }) => to && !subscribe);
  if (whole && !given) return first ? [build(payload, first)] : [];
  return entries.map((entry) => build(narrow(places, payload, entry), entry));
}

/** The subscribing payload, as if it had asked for one entry alone. */
function narrow(places: readonly KeyPlaces[], payload: unknown, { key, position }: Entry): unknown {
  const list = listOf(places, payload);
  let alone = list ? withValueAt(payload, list.path, [list.items[position]]) : payload;
  for (const [part, { subscribe }] of places.entries()) {
    const path = subscribe && at(subscribe, 0);
    if (path && Array.isArray(valueAt(alone, path))) alone = withValueAt(alone, path, [key[part]]);
  }
  return alone;
}

/** The list that a `*` of the key stands for. */
function listOf(places: readonly KeyPlaces[], payload: unknown): { readonly path: Path; readonly items: readonly unknown[] } | undefined {
  const starred = places.flatMap(({ subscribe }) => (subscribe?.includes(EACH) ? [subscribe] : []))[0];
  const path = starred?.slice(0, starred.indexOf(EACH));
  const items = path && valueAt(payload, path);
  return path && Array.isArray(items) ? { path, items } : undefined;
}

const at = (path: Path, position: number): Path => path.map((step) => (step === EACH ? position : step));

/** All that is said at a place; `undefined` when nothing is. */
function valuesAt(payload: unknown, path: Path): unknown {
  const star = path.indexOf(EACH);
  if (star < 0) return valueAt(payload, path);
  const list = valueAt(payload, path.slice(0, star));
  const values = Array.isArray(list) ? list.flatMap((item) => valuesAt(item, path.slice(star + 1)) ?? []) : [];
  return values.length ? values : undefined;
}
