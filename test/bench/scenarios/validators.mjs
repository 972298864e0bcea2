// What one validation costs, as a multiple of JSON.parse of the same message: the generated guard beside the validators people choose.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { measureBlocks } from "../blocks.mjs";
import { messages } from "../messages.mjs";
import { ajvGuards } from "../subjects/by-hand.mjs";

/** The messages by the name their guards have. */
const measured = { "154 B": "chat", "2.7 kB text": "chat", "2.7 kB book": "book" };
/** Messages parsed beforehand and checked in turn, so that no validator sees one object for ever. */
const COPIES = 64;

const subjects = {
  "wsgen's guard": async ({ build }) => {
    const { isChat, isBook } = await import(pathToFileURL(join(build, "hall/validators.js")).href);
    return { chat: isChat, book: isBook };
  },
  AJV: async () => Object.fromEntries(await ajvGuards()),
  "TypeBox, compiled": typebox,
  zod,
  valibot,
  "typia 9": typia,
};

export async function measure(settings) {
  const guards = new Map();
  const failed = new Map();
  for (const [name, load] of Object.entries(subjects)) {
    try {
      guards.set(name, await load(settings));
    } catch (error) {
      failed.set(name, error.code === "ERR_MODULE_NOT_FOUND" ? "not installed" : error.message);
    }
  }
  return Object.entries(measured).flatMap(([message, kind]) => compare(message, kind, guards, failed, settings));
}

function compare(message, kind, guards, failed, { rounds, quick }) {
  const scenario = `validating ${message}`;
  const text = JSON.stringify(messages[message]);
  const copies = Array.from({ length: COPIES }, () => JSON.parse(text));
  const runs = new Map([["JSON.parse", (ms) => timeOf(() => JSON.parse(text), ms)]]);
  for (const [name, byKind] of guards) {
    const guard = byKind[kind];
    if (guard(copies[0]) !== true || guard({ ...copies[0], extra: 1 }) !== false)
      throw new Error(`${name} does not judge as the contract does`);
    runs.set(name, (ms) => timeOf((index) => guard(copies[index % COPIES]), ms));
  }
  const figures = measureBlocks(scenario, runs, "JSON.parse", { rounds, quick, digits: 2 });
  const missing = [...failed].map(([name, reason]) => ({
    name: `${scenario}: ${name}`,
    scenario,
    subject: name,
    unit: "ns",
    failed: reason,
  }));
  return [...figures, ...missing];
}

let sink = 0;

function timeOf(run, ms) {
  const until = performance.now() + ms;
  const from = process.hrtime.bigint();
  let count = 0;
  while (performance.now() < until) {
    for (let index = 0; index < COPIES; index++) if (run(index)) sink++; // Used, or it might be optimised away.
    count += COPIES;
  }
  if (sink < 0) throw new Error("unreachable");
  return Number(process.hrtime.bigint() - from) / count;
}

async function typebox() {
  const { Type } = await import("typebox");
  const { Compile } = await import("typebox/compile");
  const strict = { additionalProperties: false };
  const name = Type.String({ minLength: 1, maxLength: 40 });
  const levels = Type.Array(Type.Tuple([Type.String({ maxLength: 20 }), Type.String({ maxLength: 20 })]), { maxItems: 1000 });
  const chat = Type.Object(
    {
      type: Type.Literal("chat"),
      id: name,
      room: name,
      by: Type.Object({ id: Type.Integer({ minimum: 1 }), name }, strict),
      text: Type.String({ minLength: 1, maxLength: 4000 }),
      at: Type.Integer({ minimum: 0 }),
    },
    strict,
  );
  const book = Type.Object(
    { type: Type.Literal("book"), symbol: Type.String({ maxLength: 20 }), sequence: Type.Integer(), bids: levels, asks: levels },
    strict,
  );
  const [checkChat, checkBook] = [Compile(chat), Compile(book)];
  return { chat: (value) => checkChat.Check(value), book: (value) => checkBook.Check(value) };
}

async function zod() {
  const { z } = await import("zod");
  const { chat } = await import("../subjects/zod-schema.mjs");
  const levels = z.array(z.tuple([z.string().max(20), z.string().max(20)])).max(1000);
  const book = z.strictObject({ type: z.literal("book"), symbol: z.string().max(20), sequence: z.int(), bids: levels, asks: levels });
  return { chat: (value) => chat.safeParse(value).success, book: (value) => book.safeParse(value).success };
}

async function valibot() {
  const v = await import("valibot");
  const text = (least, most) => v.pipe(v.string(), v.minLength(least), v.maxLength(most));
  const atLeast = (least) => v.pipe(v.number(), v.integer(), v.minValue(least));
  const levels = v.pipe(v.array(v.strictTuple([text(0, 20), text(0, 20)])), v.maxLength(1000));
  const chat = v.strictObject({
    type: v.literal("chat"),
    id: text(1, 40),
    room: text(1, 40),
    by: v.strictObject({ id: atLeast(1), name: text(1, 40) }),
    text: text(1, 4000),
    at: atLeast(0),
  });
  const book = v.strictObject({
    type: v.literal("book"),
    symbol: text(0, 20),
    sequence: v.pipe(v.number(), v.integer()),
    bids: levels,
    asks: levels,
  });
  return { chat: (value) => v.safeParse(chat, value).success, book: (value) => v.safeParse(book, value).success };
}

/** typia's guards are written by a compiler plug-in for TypeScript 5; its own command runs it. */
async function typia() {
  const here = new URL("..", import.meta.url).pathname;
  const require = createRequire(join(here, "package.json"));
  const folder = join(here, ".output/typia");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "source"), { recursive: true });
  copyFileSync(join(here, "subjects/typia-guards.ts"), join(folder, "source/guards.ts"));
  const options = { target: "es2022", module: "nodenext", moduleResolution: "nodenext", strict: true, skipLibCheck: true };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const command = require.resolve("typia/lib/executable/typia.js");
  const args = ["generate", "--input", "source", "--output", "guards", "--project", "tsconfig.json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`typia generate: ${stdout}${stderr}`);
  const { transpileModule } = require("typescript");
  const source = readFileSync(join(folder, "guards/guards.ts"), "utf8");
  writeFileSync(join(folder, "guards.js"), transpileModule(source, { compilerOptions: { target: "es2022", module: "es2022" } }).outputText);
  return import(pathToFileURL(join(folder, "guards.js")).href);
}
