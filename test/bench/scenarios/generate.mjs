// What generating costs: time, processor time and memory for specs/chat.yaml, for documents of 20, 200 and 2,000 messages and for the largest public one:
// cold, with the document already checked, and again after a change in the same process, as `--watch` does; beside the official parser alone in the same
// rounds; how long TypeScript takes to check what was generated; and what an install carries.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pack } from "../../../tools/pack.mjs";

const root = new URL("../../..", import.meta.url).pathname;
const largest = join(resolve(root, process.env.WSGEN_SHARED ?? "../shared"), "corpus/openxapi-binance-spot/spot.yaml");

/** What is generated, how often, and what it may take: cold in s and already checked in s, or as a multiple of the parser alone. */
const documents = [
  { name: "chat.yaml", rounds: 9, write: (file) => cpSync(join(root, "specs/chat.yaml"), file), seconds: { cold: 1.2, warm: 0.35 } },
  { name: "20 messages", rounds: 5, write: (file) => writeFileSync(file, many(20)), seconds: { cold: 1.2, warm: 0.35 } },
  { name: "200 messages", rounds: 3, write: (file) => writeFileSync(file, many(200)) },
  { name: "2,000 messages", rounds: 1, write: (file) => writeFileSync(file, many(2000)) },
  {
    name: "openxapi-binance-spot",
    rounds: 3,
    write: existsSync(largest) ? (file) => cpSync(largest, file) : undefined,
    multiples: { cold: 1.2 },
    seconds: { warm: 0.8 },
  },
];

/** Reports wall time, processor time and peak memory of one node process. */
function run(args, cwd) {
  const report =
    "data:text/javascript,process.on('exit',()=>{const r=process.resourceUsage();" +
    "process.stderr.write(['\\nUSED',r.maxRSS,(r.userCPUTime%2Br.systemCPUTime)/1000].join(' '))})";
  const started = performance.now();
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--import", report, ...args], { cwd, encoding: "utf8" });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`${args.join(" ")} exited with ${status}\n${stdout}${stderr}`);
  const [, kb, cpu] = /USED (\d+) ([\d.]+)/.exec(stderr) ?? [];
  return { ms, cpu: Number(cpu), mb: Number(kb) / 1024, stdout };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const round = (value, digits = 2) => Number(value.toFixed(digits));

export async function measure() {
  const folder = mkdtempSync(join(tmpdir(), "wsgen-bench-"));
  try {
    return [...generation(folder), ...installs(folder)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function generation(folder) {
  const wanted = documents.filter(({ write }) => write !== undefined);
  const results = wanted.flatMap((document, index) => generating(join(folder, `${index}`), document));
  return [...results, ...growth(results)];
}

/** How much more ten times the messages cost: 10 would be in step, less is better. */
function growth(results) {
  const of = (name, words) => results.find((result) => result.name === `processor time of ${name}, ${words}`)?.value;
  const steps = [
    ["20 messages", "200 messages"],
    ["200 messages", "2,000 messages"],
  ];
  return ["cold", "already checked"].flatMap((words) =>
    steps.map(([few, more]) => ({
      name: `growth of processor time from ${few} to ${more}, ${words}`,
      value: round(of(more, words) / of(few, words), 1),
      unit: "times",
      target: 10,
      bound: "value",
    })),
  );
}

function generating(project, { name, rounds, write, seconds = {}, multiples = {} }) {
  // A project of its own, so that the cache that is emptied is not the repository's.
  mkdirSync(join(project, "node_modules/@wsgen"), { recursive: true });
  symlinkSync(join(root, "node_modules/typebox"), join(project, "node_modules/typebox"));
  symlinkSync(join(root, "runtime"), join(project, "node_modules/@wsgen/runtime"));
  writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }');
  write(join(project, "api.yaml"));
  const cache = join(project, "node_modules/.cache");
  const generate = [join(root, "codegen/bin/wsgen.js"), "generate", "api.yaml", "--out", "out"];
  const parser = join(project, "parser.mjs");
  writeFileSync(
    parser,
    `import { readFileSync } from "node:fs";
     import { Parser } from ${JSON.stringify(join(root, "codegen/dist/vendor/asyncapi-parser.mjs"))};
     const { document } = await new Parser().parse(readFileSync("api.yaml", "utf8"), { source: "api.yaml" });
     if (document === undefined) process.exit(1);`,
  );

  // What `--watch` does: the parser's worker is there, the program is warm, and one text of the document is another.
  const watch = join(project, "watch.mjs");
  writeFileSync(
    watch,
    `import { readFileSync, writeFileSync } from "node:fs";
     import { generate } from ${JSON.stringify(join(root, "codegen/dist/index.js"))};
     const text = readFileSync("api.yaml", "utf8");
     await generate({ document: "api.yaml", out: "out" });
     writeFileSync("api.yaml", text.replace(/("?title"?: *"?)/, "$1Changed "));
     const started = performance.now();
     await generate({ document: "api.yaml", out: "out" });
     console.log(performance.now() - started);
     writeFileSync("api.yaml", text);`,
  );

  const samples = { cold: [], warm: [], again: [], bare: [], parser: [] };
  for (let index = 0; index < rounds; index++) {
    rmSync(cache, { recursive: true, force: true });
    rmSync(join(project, "out"), { recursive: true, force: true });
    samples.cold.push(run(generate, project));
    rmSync(join(project, "out"), { recursive: true, force: true });
    samples.warm.push(run(generate, project));
    samples.parser.push(run([parser], project));
    const again = run([watch], project);
    samples.again.push({ ...again, ms: Number(again.stdout) });
    samples.bare.push(run(["-e", "0"], project));
  }
  const ms = (kind) => median(samples[kind].map((sample) => sample.ms));
  const mb = (kind) => median(samples[kind].map((sample) => sample.mb));
  const ratio = (kind) => round(median(samples[kind].map((sample, index) => sample.ms / samples.parser[index].ms)));
  const peer = "official parser alone";
  const time = (kind, words) => ({
    name: `generate ${name}, ${words}`,
    value: round(ms(kind) / 1000),
    unit: "s",
    ...(seconds[kind] === undefined ? {} : { target: seconds[kind], bound: "value" }),
    ...(multiples[kind] === undefined ? {} : { target: multiples[kind] }),
    peer,
    ratio: ratio(kind),
  });
  const cpu = (kind) => median(samples[kind].map((sample) => sample.cpu));
  const processor = (kind, words) => ({
    name: `processor time of ${name}, ${words}`,
    value: round(cpu(kind) / 1000),
    unit: "s",
    peer,
    ratio: round(median(samples[kind].map((sample, index) => sample.cpu / samples.parser[index].cpu))),
  });
  const memory = (kind, words) => ({
    name: `peak memory of ${name}, ${words}`,
    value: round(mb(kind), 0),
    unit: "MB",
    peer,
    ratio: round(mb(kind) / mb("parser")),
  });
  return [
    time("cold", "cold"),
    time("warm", "already checked"),
    time("again", "again after a change"),
    processor("cold", "cold"),
    processor("warm", "already checked"),
    { name: `official parser alone on ${name}`, value: round(ms("parser") / 1000), unit: "s" },
    ...(name === "chat.yaml" ? [{ name: "bare node", value: round(ms("bare") / 1000), unit: "s" }] : []),
    memory("cold", "cold"),
    memory("warm", "already checked"),
    ...typeChecks(project, name),
  ];
}

/** How long each TypeScript that is at hand takes to check what was generated. */
function typeChecks(project, name) {
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, module: "nodenext", target: "es2022", skipLibCheck: true, types: [] },
      include: ["out"],
    }),
  );
  // The benchmark's peers bring TypeScript 5.9 along.
  const compilers = [join(root, "node_modules/typescript"), join(root, "test/bench/node_modules/typescript")].filter(existsSync);
  return compilers.map((path) => {
    const { version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    const started = performance.now();
    const { status, stdout } = spawnSync(process.execPath, [join(path, "bin/tsc"), "-p", project], { encoding: "utf8" });
    if (status !== 0) throw new Error(stdout);
    return { name: `type-check of ${name}, TypeScript ${version}`, value: round((performance.now() - started) / 1000), unit: "s" };
  });
}

/** A document with so many messages, half of them each way. */
function many(count) {
  const names = Array.from({ length: count }, (_, index) => `thing${index}${index % 2 ? "Changed" : "Request"}`);
  const ref = (...path) => ({ $ref: `#/${path.join("/")}` });
  const object = (required, properties) => ({ type: "object", required, properties });
  const each = (value) => Object.fromEntries(names.map((name) => [name, value(name)]));
  const operation = (action, odd) => ({
    action,
    channel: ref("channels", "all"),
    messages: names.filter((_, index) => index % 2 === odd).map((name) => ref("channels", "all", "messages", name)),
  });
  return JSON.stringify({
    asyncapi: "3.0.0",
    info: { title: "Many", version: "1.0.0" },
    defaultContentType: "application/json",
    servers: { production: { host: "example.com", protocol: "wss" } },
    channels: { all: { address: "/all", messages: each((name) => ref("components", "messages", name)) } },
    operations: { receive: operation("receive", 0), send: operation("send", 1) },
    components: {
      messages: each((name) => ({ summary: `What ${name} says.`, payload: ref("components", "schemas", name) })),
      schemas: {
        Money: object(["amount", "currency"], {
          amount: { type: "string", pattern: "^[0-9]+$" },
          currency: { type: "string", minLength: 3, maxLength: 3 },
        }),
        ...each((name) =>
          object(["type", "id"], {
            type: { const: name },
            id: { type: "string", format: "uuid" },
            at: { type: "string", format: "date-time" },
            price: ref("components", "schemas", "Money"),
            tags: { type: "array", items: { type: "string" } },
            count: { type: "integer", minimum: 0, description: "How many there are." },
          }),
        ),
      },
    },
  });
}

function installs(folder) {
  const tarballs = pack(folder);
  return Object.entries(tarballs).flatMap(([name, tarball]) => {
    const place = join(folder, `install-${name}`);
    mkdirSync(place);
    writeFileSync(join(place, "package.json"), '{ "private": true }');
    const { status, stderr } = spawnSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", tarball], {
      cwd: place,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    const { packages, bytes } = weigh(join(place, "node_modules"));
    const label = name === "runtime" ? "@wsgen/runtime" : name;
    return [
      {
        name: `${label}: packages installed`,
        value: packages,
        unit: "packages",
        ...(name === "runtime" ? { target: 2, bound: "value" } : {}),
      },
      { name: `${label}: size installed`, value: round(bytes / 1e6, 1), unit: "MB" },
      { name: `${label}: tarball`, value: round(statSync(tarball).size / 1e6, 2), unit: "MB" },
    ];
  });
}

/** Counts the packages below a node_modules folder, and the bytes of their files. */
function weigh(folder) {
  let packages = 0;
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) bytes += statSync(path).size;
    if (entry.isFile() && entry.name === "package.json" && /node_modules\/(@[^/]+\/)?[^/]+$/.test(entry.parentPath)) packages++;
  }
  return { packages, bytes };
}
