// Messages whose payloads extend one schema with a `discriminator`: told apart by the property it names, from the document to the wire.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRouter, connect as dial, type Router, serve } from "@wsgen/runtime";
import { afterEach, beforeAll, expect, test } from "vitest";
import { generate } from "../../codegen/src/generate.ts";
import { until } from "./peers.ts";

const output = new URL("../.output/polymorphism/", import.meta.url).pathname;
const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});
beforeAll(() => rmSync(output, { recursive: true, force: true }));

const extending = (properties: object, ...parents: readonly string[]) => ({
  allOf: [...parents.map((name) => ({ $ref: `#/components/schemas/${name}` })), { type: "object", properties }],
});
const pet = (more: object = {}) => ({
  type: "object",
  discriminator: "petType",
  required: ["petType"],
  properties: { petType: { type: "string", ...more } },
});

interface Client {
  readonly send: Readonly<Record<string, (payload: object) => Promise<void> | undefined>>;
  close(): Promise<unknown>;
}

let count = 0;
async function zoo(schemas: object, ...sent: readonly string[]) {
  const out = join(output, `${++count}`);
  const oneOf = sent.map((name) => ({ name: name.toLowerCase(), payload: { $ref: `#/components/schemas/${name}` } }));
  const document = {
    asyncapi: "2.6.0",
    info: { title: "Zoo", version: "1" },
    "x-wsgen": { name: "Zoo" },
    channels: { "/zoo": { publish: { message: { oneOf } } } },
    components: { schemas },
  };
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "api.json"), JSON.stringify(document));
  const { diagnostics } = await generate({ document: join(out, "api.json"), out, schemas: false });
  const { registerZoo } = (await import(join(out, "server.ts"))) as { registerZoo(router: Router, handlers: object): unknown };
  const { createZooClient } = (await import(join(out, "client.ts"))) as {
    createZooClient(url: string, options: object): { zoo(): Promise<Client> };
  };
  const router = createRouter();
  const heard: unknown[] = [];
  const messages = Object.fromEntries(
    sent.map((name) => [name.toLowerCase(), (payload: unknown) => void heard.push([name.toLowerCase(), payload])]),
  );
  registerZoo(router, { zoo: { messages } });
  const server = await serve(router, { host: "127.0.0.1", signals: [] });
  opened.push(server);
  return {
    lines: diagnostics.map(({ severity, code, message }) => `${severity} ${code} ${message}`),
    /** Sends with the generated client: what handlers were given, or why it was not sent. */
    async send(name: string, payload: object) {
      const client = await createZooClient(server.url, { reconnect: false }).zoo();
      try {
        await client.send[name]?.(payload);
      } catch (error) {
        return (error as Error).message;
      } finally {
        await client.close();
      }
      await until(() => heard.length > 0);
      return heard.splice(0)[0];
    },
    /** Sends these from one connection each: what handlers were given, or the code that it was closed with. */
    async say(payload: object) {
      const connection = await dial(`${server.url}/zoo`);
      await connection.send(JSON.stringify(payload));
      await connection.close();
      const { code } = await connection.closed;
      return heard.splice(0)[0] ?? code;
    },
  };
}

test.each([
  ["anything", {}],
  ["their names", { enum: ["Cat", "Dog"] }],
])("schemas that extend one whose discriminator may be %s have their own name there", async (_, more) => {
  const schemas = { Pet: pet(more), Cat: extending({ lives: { type: "integer" } }, "Pet"), Dog: extending({}, "Pet") };
  const { say, lines } = await zoo(schemas, "Cat", "Dog");
  expect(lines).toEqual([]);
  expect(await say({ petType: "Dog" })).toEqual(["dog", { petType: "Dog" }]);
  expect(await say({ petType: "Cat", lives: 7 })).toEqual(["cat", { petType: "Cat", lives: 7 }]);
  expect(await say({ petType: "Cat", lives: "many" })).toBe(1008);
  expect(await say({ petType: "Pet" })).toBe(1008);
});

test("what extends an heir has its own name, and is one of those", async () => {
  const schemas = {
    Pet: pet(),
    Cat: extending({}, "Pet"),
    Lion: extending({ mane: { type: "boolean" } }, "Cat"),
    Dog: extending({}, "Pet"),
  };
  const { say, lines } = await zoo(schemas, "Lion", "Dog");
  expect(lines).toEqual([]);
  expect(await say({ petType: "Lion", mane: true })).toEqual(["lion", { petType: "Lion", mane: true }]);
  const cats = await zoo(schemas, "Cat", "Dog");
  expect(await cats.say({ petType: "Lion" })).toEqual(["cat", { petType: "Lion" }]);
  expect(await cats.say({ petType: "Cat" })).toEqual(["cat", { petType: "Cat" }]);
});

test("an heir of an heir that is a message too takes its own name, and the name is not sent as the other", async () => {
  const schemas = {
    Pet: pet(),
    Cat: extending({ lives: { type: "integer" } }, "Pet"),
    Lion: extending({ mane: { type: "boolean" } }, "Cat"),
    WhiteLion: extending({}, "Lion"),
    Tabby: extending({}, "Cat"),
    Dog: extending({}, "Pet"),
  };
  const { say, send, lines } = await zoo(schemas, "Cat", "Lion", "WhiteLion", "Dog");
  expect(lines).toEqual([]);
  for (const [petType, name] of Object.entries({ Cat: "cat", Tabby: "cat", Lion: "lion", WhiteLion: "whitelion", Dog: "dog" }))
    expect(await say({ petType })).toEqual([name, { petType }]);
  expect(await say({ petType: "Lion", mane: "white" })).toBe(1008);
  expect(await send("cat", { petType: "Tabby" })).toEqual(["cat", { petType: "Tabby" }]);
  expect(await send("cat", { petType: "Lion" })).toMatch(/^"cat" was not sent: \/petType must not be "Lion"/);
  expect(await send("lion", { petType: "WhiteLion" })).toMatch(/^"lion" was not sent: \/petType must not be "WhiteLion"/);
});

test("values of the schemas' own count", async () => {
  const kind = (value: string) => ({ petType: { const: value } });
  const own = await zoo({ Pet: pet(), Cat: extending(kind("cat-1"), "Pet"), Dog: extending(kind("dog-1"), "Pet") }, "Cat", "Dog");
  expect(own.lines).toEqual([]);
  expect(await own.say({ petType: "dog-1" })).toEqual(["dog", { petType: "dog-1" }]);
});
