// `wsgen init`: a small project that generates, compiles, passes its test and runs, to be changed into one's own.
import { readdir, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Diagnostic } from "./diagnostics.ts";
import { generate } from "./generate.ts";
import { version } from "./version.ts";
import { diskError, makeFolders, shown, WriteError } from "./write.ts";

export interface InitOptions {
  /** Where the project goes; it must be empty (a `.git` aside) or not exist. */
  readonly folder: string;
}

export interface InitResult {
  readonly ok: boolean;
  /** Absolute path. */
  readonly folder: string;
  /** Absolute paths of the files that are the user's to change; the generated ones are not among them. */
  readonly written: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Writes the project, generated code included. When something fails, nothing of it stays. */
export async function init({ folder: given }: InitOptions): Promise<InitResult> {
  const folder = resolve(given);
  const made: string[] = [];
  try {
    await requireEmpty(folder);
    await makeFolders(join(folder, "src/handlers"), (path) => made.push(path));
    for (const [path, text] of projectFiles(basename(folder))) {
      made.push(join(folder, path));
      await writeFile(join(folder, path), text, { flag: "wx" });
    }
    made.push(join(folder, "src/generated"));
    const { ok, diagnostics } = await generate({ cwd: folder, document: "api.yaml", out: "src/generated", handlers: "src/handlers" });
    if (!ok) await remove(made);
    // `npm install` is the next step anyway.
    const told = diagnostics.filter(({ code }) => !code.endsWith("-missing"));
    return { ok, folder, written: ok ? projectFiles("").map(([path]) => join(folder, path)) : [], diagnostics: told };
  } catch (error) {
    await remove(made);
    const { code, message, fix } = diskError(error, folder, "");
    return { ok: false, folder, written: [], diagnostics: [{ severity: "error", code, message, fix }] };
  }
}

/** Removes what was made, innermost first. */
async function remove(made: readonly string[]): Promise<void> {
  for (const path of [...made].reverse()) await rm(path, { recursive: true, force: true });
}

async function requireEmpty(folder: string): Promise<void> {
  const there = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error.code === "ENOTDIR" ? new WriteError("not-a-folder", `${shown(folder)} is a file.`, "Choose another name.") : error;
  });
  if (there.some((name) => name !== ".git")) {
    throw new WriteError("not-empty", `${shown(folder)} is not empty.`, "Choose a new folder; wsgen init overwrites nothing.");
  }
}

/** Every file of the project by path; `name` is that of its folder. */
function projectFiles(name: string): readonly (readonly [path: string, text: string])[] {
  return [
    ["api.yaml", document],
    ["src/handlers/hall.ts", handlers],
    ["src/app.ts", app],
    ["src/server.ts", server],
    ["src/hall.test.ts", test],
    ["dev.mjs", dev],
    ["package.json", packageJson(name)],
    ["tsconfig.json", tsconfig],
    [".gitignore", "node_modules/\ndist/\n"],
    ["README.md", readme],
  ];
}

/** npm allows small letters, digits and a few signs. */
function packageJson(name: string): string {
  const safe = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "");
  const content = {
    name: safe === "" ? "my-api" : safe,
    version: "0.0.0",
    private: true,
    type: "module",
    scripts: {
      dev: "node dev.mjs",
      generate: "wsgen generate api.yaml --out src/generated --handlers src/handlers",
      build: "npm run generate && tsc",
      test: "npm run build && node --test dist/hall.test.js",
      start: "node dist/server.js",
    },
    dependencies: { "@wsgen/runtime": `^${version}` },
    devDependencies: { "@types/node": "^20.19.0", typebox: "^1.4.3", typescript: "^7.0.2", wsgen: `^${version}` },
    engines: { node: ">=20.19" },
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

const tsconfig = `{
  "compilerOptions": {
    "target": "ES2022",
    "lib": ["ES2023", "ESNext.Disposable", "DOM"],
    "types": ["node"],
    "module": "nodenext",
    "rootDir": "src",
    "outDir": "dist",
    "strict": true,
    "exactOptionalPropertyTypes": true,
    "noUncheckedIndexedAccess": true,
    "noImplicitReturns": true,
    "noUnusedLocals": true,
    "verbatimModuleSyntax": true,
    "skipLibCheck": true
  },
  "include": ["src"]
}
`;

const readme = `# A WebSocket API

\`api.yaml\` says what is spoken; \`npm run generate\` makes \`src/generated\` of it; \`src/handlers\` is where you answer.
\`npm run dev\` does it all again whenever you save, \`npm test\` tests it, and \`npm start\` runs what \`npm run build\` built.
Try it: \`npx wscat -c ws://localhost:3000/hall\`, then \`{"type":"sayHello","name":"Ada"}\`.
`;

const document = `asyncapi: 3.1.0
info:
  title: Greeter
  version: 1.0.0
  description: A hall in which guests greet each other.
defaultContentType: application/json

servers:
  local:
    host: localhost:3000
    protocol: ws

channels:
  hall:
    address: /hall
    description: Whoever is connected is a guest in the hall, and hears every greeting.
    messages:
      sayHello: { $ref: "#/components/messages/sayHello" }
      countGuests: { $ref: "#/components/messages/countGuests" }
      greeting: { $ref: "#/components/messages/greeting" }
      guestCount: { $ref: "#/components/messages/guestCount" }
      problem: { $ref: "#/components/messages/problem" }

# Said from the server's side: it receives what clients send.
operations:
  receiveHello:
    action: receive
    channel: { $ref: "#/channels/hall" }
    messages:
      - $ref: "#/channels/hall/messages/sayHello"
  answerCount:
    action: receive
    channel: { $ref: "#/channels/hall" }
    messages:
      - $ref: "#/channels/hall/messages/countGuests"
    reply:
      messages:
        - $ref: "#/channels/hall/messages/guestCount"
  greet:
    action: send
    channel: { $ref: "#/channels/hall" }
    messages:
      - $ref: "#/channels/hall/messages/greeting"
      - $ref: "#/channels/hall/messages/problem"

components:
  messages:
    sayHello:
      summary: Say hello to everyone in the hall.
      payload:
        type: object
        additionalProperties: false
        required: [type, name]
        properties:
          type: { const: sayHello }
          name: { type: string, minLength: 1, maxLength: 40, description: Who says it. }
    countGuests:
      summary: Ask how many guests there are.
      correlationId: { location: $message.payload#/requestId }
      payload:
        type: object
        additionalProperties: false
        required: [type, requestId]
        properties:
          type: { const: countGuests }
          requestId: { type: string, description: Comes back in the answer. }
    greeting:
      summary: Someone said hello.
      payload:
        type: object
        additionalProperties: false
        required: [type, text]
        properties:
          type: { const: greeting }
          text: { type: string }
    guestCount:
      summary: How many guests there are.
      correlationId: { location: $message.payload#/requestId }
      payload:
        type: object
        additionalProperties: false
        required: [type, requestId, guests]
        properties:
          type: { const: guestCount }
          requestId: { type: string }
          guests: { type: integer, minimum: 0 }
    problem:
      summary: The last message could not be used.
      payload:
        type: object
        additionalProperties: false
        required: [type, code, detail]
        properties:
          type: { const: problem }
          code: { type: string }
          detail: { type: string, description: "Where and why, in words." }
          requestId: { type: string, description: "The request it answers, if it was one." }
      # What the server answers when a message is wrong; without it, it would close the connection.
      x-wsgen:
        error: { code: /code, detail: /detail, correlation: /requestId }
`;

const handlers = `import type { HallHandler } from "../generated/server.js";

let guests = 0;

export const hall: HallHandler = {
  open(conn) {
    guests += 1;
    conn.join("everyone");
  },

  messages: {
    sayHello({ name }, conn) {
      conn.to("everyone").send.greeting({ text: \`Hello, \${name}!\` });
    },

    countGuests() {
      return { guests };
    },
  },

  close() {
    guests -= 1;
  },
};
`;

const app = `import { createRouter, type Router } from "@wsgen/runtime";
import { registerGreeter } from "./generated/server.js";
import { hall } from "./handlers/hall.js";

/** Everything but the port, so that tests run the same thing. */
export function createApp(): Router {
  const router = createRouter();
  registerGreeter(router, { hall });
  return router;
}
`;

const server = `import { serve } from "@wsgen/runtime";
import { createApp } from "./app.js";

const server = await serve(createApp(), { port: Number(process.env["PORT"] ?? 3000) });
console.log(\`listening on \${server.url}/hall\`);
`;

const test = `import assert from "node:assert/strict";
import { test } from "node:test";
import { testServer } from "@wsgen/runtime/testing";
import { createApp } from "./app.js";
import { createGreeterClient } from "./generated/client.js";

test("every guest hears a greeting, and guests are counted", async () => {
  await using server = await testServer(createApp());
  const client = createGreeterClient(server.url, { WebSocket: server.WebSocket });
  await using ada = await client.hall();
  await using bob = await client.hall();

  assert.equal((await ada.request.countGuests()).guests, 2);

  ada.send.sayHello({ name: "Ada" });
  for await (const { name, payload } of bob) {
    assert.equal(name, "greeting");
    assert.deepEqual(payload, { type: "greeting", text: "Hello, Ada!" });
    break;
  }
});
`;

const dev = `// Generates, compiles and restarts whenever you save. What fails is shown, and the next save tries again; Ctrl-C ends it all.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const command = (name, path) => fileURLToPath(new URL(path, import.meta.resolve(name)));
const wsgen = [command("wsgen", "../bin/wsgen.js"), "generate", "api.yaml", "--out", "src/generated", "--handlers", "src/handlers"];
const tsc = [command("typescript", "../bin/tsc")];
const windows = process.platform === "win32";

const started = [];
let ending = false;

/** Ends every command with whatever it started; what does not end within 2 s is made to. */
function end(code) {
  if (ending) return;
  ending = true;
  process.exitCode = code;
  for (const child of started) kill(child, "SIGTERM");
  const late = () => started.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  setTimeout(() => late().forEach((child) => kill(child, "SIGKILL")), 2000).unref();
}

function kill({ pid }, signal) {
  try {
    if (windows) spawnSync("taskkill", ["/pid", String(pid), "/t", "/f"]);
    else process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function start(...args) {
  // A process group of its own, so that what it starts ends with it.
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"], detached: !windows });
  started.push(child);
  child.on("exit", () => end(1));
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0));

for (const args of [wsgen, tsc]) spawnSync(process.execPath, args, { stdio: "inherit" });
start(...wsgen, "--watch");
start(...tsc, "--watch", "--preserveWatchOutput");
while (!existsSync("dist/server.js") && !ending) await sleep(200);
if (!ending) start("--watch", "dist/server.js");
`;
