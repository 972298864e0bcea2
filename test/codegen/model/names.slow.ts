// Names in the public documents: whatever is shuffled, removed or added, the others keep theirs; and none collide, on disks that ignore case either.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Document, JsonObject, JsonValue } from "../../../codegen/src/document/document.ts";
import { load } from "../../../codegen/src/document/load.ts";
import { buildModel } from "../../../codegen/src/model/build.ts";
import type { Model } from "../../../codegen/src/model/model.ts";
import { type Entry, filesOf, present, sideOf, sockets } from "../../corpus.mjs";

/** So many definitions of each document are removed, one after the other. */
const removals = Number(process.env["RUNS"] ?? 12);

describe.skipIf(!present)("names in the corpus (needs ../shared/corpus)", () => {
  test("do not collide across kind, channel and direction, on disks that ignore case either", async () => {
    for (const entry of sockets) {
      const { endpoints, types } = (await open(entry)).model;
      expectApart([...types.map(({ name }) => name), ...endpoints.map(({ typeName }) => `${typeName} of an endpoint`)], entry.slug);
      expectApart(
        endpoints.map(({ name }) => name),
        entry.slug,
      );
      for (const { topics, clientToServer, serverToClient } of endpoints) {
        expectApart(
          topics.map(({ name }) => name),
          entry.slug,
        );
        for (const { messages, deliveries } of [clientToServer, serverToClient]) {
          expectApart(
            messages.map(({ name }) => name),
            entry.slug,
          );
          expectApart(
            deliveries.map(({ name }) => name),
            entry.slug,
          );
        }
      }
    }
  });

  test("stay when a document is shuffled", async () => {
    for (const entry of sockets) {
      const { document, model, build } = await open(entry);
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const after = build({ ...document, value: shuffled(document.value, seed) });
          expect(Object.fromEntries(namesIn(after)), entry.slug).toEqual(Object.fromEntries(namesIn(model)));
        }),
        { numRuns: model.types.length > 150 ? 1 : 3 },
      );
    }
  });

  test("stay when another definition is removed, and so when it is added", async () => {
    const figures = { removed: 0, compared: 0, qualified: 0 };
    const renamed: string[] = [];
    for (const entry of sockets) {
      const { document, model, build } = await open(entry);
      const pointers = definitionsIn(document.value);
      const step = Math.max(1, pointers.length / removals);
      const before = namesIn(model);
      for (let at = 0; at < pointers.length; at += step) {
        const pointer = pointers[Math.floor(at)] ?? "";
        const after = namesIn(build({ ...document, value: without(document.value, pointer) }));
        figures.removed += 1;
        for (const [place, name] of after) {
          const was = before.get(place);
          if (was === undefined || place.endsWith(pointer)) continue;
          figures.compared += 1;
          // Of several that would have one name, each says which it is; the last one need not.
          if (was !== name && was.toLowerCase().endsWith(name.toLowerCase())) figures.qualified += 1;
          else if (was !== name) renamed.push(`${entry.slug} without ${pointer}: ${place} was ${was}, is ${name}`);
        }
      }
    }
    console.info("names", figures);
    expect(renamed).toEqual([]);
    expect(figures.compared).toBeGreaterThan(10_000);
    expect(figures.qualified).toBeLessThan(figures.compared / 1000);
  });
});

/** A model, and the document it was built of. */
type Named = Pick<Model, "endpoints" | "types"> & { readonly value: JsonObject };

async function open(entry: Entry) {
  const files = filesOf(entry);
  const document = await load(files.document, { root: files.root });
  /** A document without its only channel has no model, and nothing to compare. */
  const build = (changed: Document): Named => {
    const { endpoints, types } = buildModel(changed, { perspective: sideOf(entry) }).model ?? { endpoints: [], types: [] };
    return { endpoints, types, value: changed.value };
  };
  return { document, model: build(document), build };
}

function expectApart(names: readonly string[], slug: string): void {
  const lower = names.map((name) => name.toLowerCase()).sort();
  expect(
    lower.filter((name, at) => lower[at + 1] === name),
    slug,
  ).toEqual([]);
}

/** Names of endpoints, messages and types, by where they were written; those that have no place of their own are left out. */
function namesIn({ endpoints, types, value }: Named): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const note = (place: string, name: string): void => {
    // What is there twice may be either.
    names.set(place, [...(names.get(place)?.split(" or ") ?? []), name].sort().join(" or "));
  };
  const at = (pointer: string): string => withoutPositions(value, pointer);
  for (const { name, pointer, schema } of types)
    if (typeof schema === "boolean" || !Array.isArray(schema["anyOf"])) note(`type ${at(pointer)}`, name);
  for (const { name, address, channels, clientToServer, serverToClient } of endpoints) {
    // An endpoint has the name of its channel; a socket that several share is called by its path, for none of them could name it.
    note(`endpoint ${address} ${channels.length > 1 ? "of several" : "of one"}`, name);
    for (const [way, { messages }] of Object.entries({ clientToServer, serverToClient }))
      for (const message of messages) note(`message ${way} ${address} ${at(message.pointer)}`, message.method);
  }
  return names;
}

/** A pointer with what stands in a list instead of its position there, which is another one when the list changes. */
function withoutPositions(value: JsonValue, pointer: string): string {
  let here: JsonValue | undefined = value;
  const steps = pointer.split("/").map((step, depth) => {
    if (depth === 0) return step;
    const inList = Array.isArray(here);
    here = (Object(here) as JsonObject)[step.replaceAll("~1", "/").replaceAll("~0", "~")];
    return inList ? createHash("sha256").update(JSON.stringify(here)).digest("hex") : step;
  });
  return steps.join("/");
}

/** Pointers of what has a name of its own. */
function definitionsIn({ channels, operations, components }: JsonObject): readonly string[] {
  const keys = (held: JsonValue | undefined, place: string): string[] =>
    Object.keys(Object(held)).map((key) => `${place}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  const { schemas, messages } = Object(components) as JsonObject;
  const alternatives = Object.entries(Object(channels) as JsonObject).flatMap(([address, channel]) =>
    ["publish", "subscribe"].flatMap((way) => {
      const { message } = Object((Object(channel) as JsonObject)[way]) as JsonObject;
      const { oneOf } = Object(message) as JsonObject;
      return keys(oneOf, `${keys({ [address]: 0 }, "/channels")[0]}/${way}/message/oneOf`);
    }),
  );
  return [
    ...alternatives,
    ...keys(schemas, "/components/schemas"),
    ...keys(messages, "/components/messages"),
    ...keys(operations, "/operations"),
    ...keys(channels, "/channels"),
  ];
}

/** The document without a definition, and without everything that refers to it. */
function without(value: JsonObject, pointer: string): JsonObject {
  const walk = (inner: JsonValue, at: string): JsonValue | undefined => {
    if (at === pointer) return undefined;
    if (typeof inner !== "object" || inner === null) return inner;
    const ref = (inner as JsonObject)["$ref"];
    if (typeof ref === "string" && (ref === `#${pointer}` || ref.startsWith(`#${pointer}/`))) return undefined;
    if (Array.isArray(inner))
      return inner.flatMap((item: JsonValue, place) => {
        const kept = walk(item, `${at}/${place}`);
        return kept === undefined ? [] : [kept];
      });
    const kept = Object.entries(inner as JsonObject).flatMap(([key, held]) => {
      const rest = walk(held, `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
      return rest === undefined ? [] : [[key, rest] as const];
    });
    return Object.fromEntries(kept);
  };
  return walk(value, "") as JsonObject;
}

/** The same document with channels, operations and components in another order. */
function shuffled(value: JsonObject, seed: number): JsonObject {
  const mixed = (key: string): number => [...key].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1009, Math.abs(seed) % 997);
  const turn = (inner: JsonValue | undefined, depth: number): JsonValue | undefined => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    const entries = Object.entries(inner as JsonObject).map(
      ([key, held]) => [key, depth === 0 ? held : (turn(held, depth - 1) as JsonValue)] as const,
    );
    return Object.fromEntries(entries.toSorted(([a], [b]) => mixed(a) - mixed(b)));
  };
  /** Lists of messages, wherever they stand in what was turned. */
  const mixLists = (inner: JsonValue, key: string): JsonValue => {
    if (typeof inner !== "object" || inner === null || key === "payload" || key === "headers") return inner;
    if (Array.isArray(inner)) {
      const items = [...(inner as readonly JsonValue[])];
      return key === "oneOf" ? items.toSorted((a, b) => mixed(JSON.stringify(a)) - mixed(JSON.stringify(b))) : items;
    }
    return Object.fromEntries(Object.entries(inner as JsonObject).map(([name, held]) => [name, mixLists(held, name)]));
  };
  const { components, channels, operations, ...rest } = value;
  const { messages, ...others } = Object(turn(components, 1)) as JsonObject;
  const parts = {
    components: components && { ...others, ...(messages !== undefined && { messages: mixLists(messages, "messages") }) },
    channels: channels && mixLists(turn(channels, 2) ?? {}, "channels"),
    operations: turn(operations, 0),
  };
  return { ...rest, ...Object.fromEntries(Object.entries(parts).filter(([, held]) => held !== undefined)) } as JsonObject;
}
