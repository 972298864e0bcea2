// The public documents of ../shared/corpus, with nothing said on the command line but the perspective where INDEX.json knows that it is read wrongly: each is
// generated, compiled under the strictest tsconfig and compared with its model, or refused for a reason at a place. Those of WebSocket APIs then run the
// self-test over real sockets (self-test.mjs), and once more with the options that a user would give them (overrides/).
// `npm run conformance -- documents` prints `documents: passed/total`.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { transform } from "esbuild";
import { entries as all, configOf, corpus, filesOf, present, sideOf } from "../corpus.mjs";
import { processorTime } from "../processor-time.mjs";
import { selfTest } from "./self-test.mjs";
import { structureProblems } from "./structure.mjs";

const root = join(import.meta.dirname, "../..");
const output = join(root, "test/.output/corpus");

/** No document may take longer, in ms of processor time, the official parser included. */
const patience = 10_000;

/** Runs the documents, or some of them. `failures` are lines for people, `timing` is what no two runs have in common. */
export async function run({ only = [] } = {}) {
  if (!present) return { passed: 0, total: 0, failures: [], skipped: `${corpus} is not there` };
  const wsgen = {
    ...(await import(join(root, "codegen/dist/index.js"))),
    ...(await import(join(root, "codegen/dist/config.js"))),
    ...(await import(join(root, "codegen/dist/document/load.js"))),
    ...(await import(join(root, "codegen/dist/model/build.js"))),
  };
  const runtime = await import(join(root, "runtime/dist/index.js"));
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });

  const entries = only.length === 0 ? all : all.filter(({ slug }) => only.includes(slug));
  const problems = new Map(entries.map(({ slug }) => [slug, []]));
  const figures = { generated: 0, refused: 0, sockets: 0, perspectives: 0, slowest: 0, slow: 0 };
  const [plain, configured] = [createTally(), createTally()];
  for (const entry of entries) {
    const { slug, ws, version } = entry;
    const fail = (problem) => problems.get(slug).push(problem);
    const options = { ...filesOf(entry), out: join(output, slug), cwd: root };
    const from = processorTime();
    let result = await wsgen.generate(options);
    const took = processorTime() - from;
    const side = sideOf(entry);
    if (ws && result.ok && result.summary.perspective.side !== side) {
      figures.perspectives += 1;
      rmSync(options.out, { recursive: true, force: true });
      result = await wsgen.generate({ ...options, perspective: side });
    }
    if (took > patience) {
      figures.slow += 1;
      fail(`took ${(took / 1000).toFixed(1)} s`);
    }
    figures.slowest = Math.max(figures.slowest, Math.round(took));
    if (!result.ok) {
      figures.refused += 1;
      const [error] = result.diagnostics.filter(({ severity }) => severity === "error");
      if (error?.position === undefined) fail(`refused without a place: ${error?.message}`);
      if (ws && !version.startsWith("1.")) fail(`refused: ${error?.message}`);
      continue;
    }
    figures.generated += 1;
    if (ws) figures.sockets += 1;
    await tryOut({ options, result, tally: plain, fail, speaks: ws, wsgen, runtime });

    const config = ws ? withoutSubscriptions(configOf(entry)) : undefined;
    if (config === undefined) continue;
    const chosen = { ...options, ...config, perspective: side, out: `${options.out}.overrides` };
    const again = await wsgen.generate(chosen);
    const failAgain = (problem) => fail(`with overrides: ${problem}`);
    if (again.ok) await tryOut({ options: chosen, result: again, tally: configured, fail: failAgain, speaks: true, wsgen, runtime });
    else failAgain(`refused: ${again.diagnostics.find(({ severity }) => severity === "error")?.message}`);
  }
  for (const line of compile()) problems.get(line.split("/")[0].replace(/\.overrides$/, ""))?.push(line);

  const failures = [...problems].flatMap(([slug, found]) => found.slice(0, 3).map((problem) => `${slug}: ${problem}`));
  const passed = [...problems.values()].filter((found) => found.length === 0).length;
  const also =
    `${figures.generated} generated (${figures.sockets} of them WebSocket documents), ${figures.refused} refused, ` +
    `perspective given for ${figures.perspectives}, ${figures.slow} over ${patience / 1000} s; ${told(plain)}; ` +
    `${configured.documents} of them once more with overrides: ${told(configured)}`;
  return { passed, total: entries.length, failures, also, timing: `the slowest took ${figures.slowest} ms` };
}

/** The self-test sends each message by itself; topics that subscribe when they are opened have tests of their own (test/vendors). */
function withoutSubscriptions(config) {
  return config && JSON.parse(JSON.stringify(config, (key, value) => (key === "subscription" ? undefined : value)));
}

const createTally = () => ({
  ...{ documents: 0, unions: 0, inUnions: 0, delivered: 0, misdelivered: 0 },
  ...{ attempts: 0, leaked: 0, unanswered: 0, impossible: 0 },
});

const told = (tally) =>
  `${tally.unions} unions of ${tally.inUnions} messages; ${tally.delivered} messages delivered, ${tally.misdelivered} misdelivered; ` +
  `${tally.attempts} invalid frames, ${tally.leaked} leaked, ${tally.unanswered} not answered by the table; ` +
  `${tally.impossible} messages have no valid value, each with a warning`;

/** Compares what was generated with its model, and lets it speak where it is a WebSocket API's. */
async function tryOut({ options, result, tally, fail, speaks, wsgen, runtime }) {
  const loaded = await wsgen.load(options.document, { root: options.root });
  const { overrides } = wsgen.overridesOf(options, join(root, "overrides"));
  const chosen = { source: "corpus", perspective: result.summary.perspective.side, ...(overrides && { overrides }) };
  const { model } = wsgen.buildModel(loaded, chosen);
  tally.documents += 1;
  for (const { clientToServer, serverToClient } of model.endpoints)
    for (const { deliveries } of [clientToServer, serverToClient])
      for (const { messages } of deliveries.filter((delivery) => delivery.messages.length > 1)) {
        tally.unions += 1;
        tally.inUnions += messages.length;
      }
  const text = Object.fromEntries(
    readdirSync(options.out)
      .filter((name) => name.endsWith(".ts"))
      .map((name) => [name, readFileSync(join(options.out, name), "utf8")]),
  );
  for (const problem of structureProblems(text, model)) fail(problem);
  if (!speaks) return;
  await translate(options.out, text);
  const [server, client] = await Promise.all(["server.js", "client.js"].map((name) => import(join(options.out, name))));
  const found = await selfTest({ model, document: loaded, server, client, runtime, redefined: overrides !== undefined });
  for (const name of ["delivered", "attempts"]) tally[name] += found[name];
  for (const name of ["misdelivered", "leaked", "unanswered"]) {
    tally[name] += found[name].length;
    for (const problem of found[name]) fail(`${name}: ${problem}`);
  }
  tally.impossible += found.unsampled.length;
  const warned = result.diagnostics
    .filter(({ code }) => code === "impossible-message")
    .map(({ message }) => /valid `([^`]+)`/.exec(message)?.[1]);
  const unsampled = found.unsampled.map((kind) => kind.split(" ").at(-1));
  for (const name of unsampled) if (!warned.includes(name)) fail(`no valid value was found for ${name}, and nobody was warned`);
  for (const name of warned) if (!unsampled.includes(name)) fail(`${name} has valid values, though a warning says that it has none`);
}

/** What was generated as JavaScript, beside it. */
async function translate(folder, text) {
  for (const [name, source] of Object.entries(text)) {
    const { code } = await transform(source, { loader: "ts", format: "esm", target: "es2022" });
    writeFileSync(join(folder, name.replace(/ts$/, "js")), code);
  }
}

/** Compiles all that was generated at once; gives the compiler's lines. */
function compile() {
  const config = join(output, "tsconfig.json");
  const compilerOptions = {
    noEmit: true,
    composite: false,
    noPropertyAccessFromIndexSignature: true,
    isolatedModules: true,
    skipLibCheck: false,
  };
  writeFileSync(config, JSON.stringify({ extends: "../../../tsconfig.json", compilerOptions, include: ["**/*.ts"] }));
  const tsc = [join(root, "node_modules/typescript/bin/tsc"), "-p", relative(output, config), "--pretty", "false"];
  const { stdout } = spawnSync(process.execPath, tsc, { encoding: "utf8", cwd: output, maxBuffer: 1 << 28 });
  return stdout.split("\n").filter((line) => line.includes("error TS"));
}
