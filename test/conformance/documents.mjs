// The public documents of ../shared/corpus, with nothing said on the command line but the perspective where INDEX.json knows that it is read wrongly: each is
// generated, compiled under the strictest tsconfig and compared with its model, or refused for a reason at a place. Those of WebSocket APIs then run the
// self-test over real sockets (self-test.mjs). `npm run conformance -- documents` prints `documents: passed/total`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { transform } from "esbuild";
import { selfTest } from "./self-test.mjs";
import { structureProblems } from "./structure.mjs";

const root = join(import.meta.dirname, "../..");
const corpus = join(resolve(root, process.env.WSGEN_SHARED ?? "../shared"), "corpus");
const output = join(root, "test/.output/corpus");

/** No document may take longer, in ms. */
const patience = 10_000;

/** Messages whose schemas contradict themselves, so that nothing can be sent, by document, each with the contradiction. A list that may only shrink. */
const noValidValue = JSON.parse(readFileSync(join(import.meta.dirname, "documents.no-valid-value.json"), "utf8"));

/** Runs the documents, or some of them. `failures` are lines for people. */
export async function run({ only = [] } = {}) {
  if (!existsSync(corpus)) return { passed: 0, total: 0, failures: [], skipped: `${corpus} is not there` };
  const { generate } = await import(join(root, "codegen/dist/index.js"));
  const { load } = await import(join(root, "codegen/dist/document/load.js"));
  const { buildModel } = await import(join(root, "codegen/dist/model/build.js"));
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });

  const runtime = await import(join(root, "runtime/dist/index.js"));
  const index = JSON.parse(readFileSync(join(corpus, "INDEX.json"), "utf8"));
  const entries = only.length === 0 ? index : index.filter(({ slug }) => only.includes(slug));
  const problems = new Map(entries.map(({ slug }) => [slug, []]));
  const figures = { generated: 0, refused: 0, sockets: 0, perspectives: 0, unions: 0, slowest: 0, slow: 0 };
  const spoken = { delivered: 0, misdelivered: 0, attempts: 0, leaked: 0, unanswered: 0, noValidValue: 0 };
  for (const { slug, main, ws, version, perspective } of entries) {
    const fail = (problem) => problems.get(slug).push(problem);
    const document = join(corpus, slug, main);
    const options = { document, out: join(output, slug), root: join(corpus, slug), cwd: root };
    const from = performance.now();
    let result = await generate(options);
    const took = performance.now() - from;
    const side = perspective === "client" || perspective === "reversed" ? "client" : "server";
    if (ws && result.ok && result.summary.perspective.side !== side) {
      figures.perspectives += 1;
      rmSync(options.out, { recursive: true, force: true });
      result = await generate({ ...options, perspective: side });
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
    const loaded = await load(document, { root: options.root });
    const { model } = buildModel(loaded, { source: "corpus", perspective: result.summary.perspective.side });
    for (const { clientToServer, serverToClient } of model.endpoints)
      for (const { deliveries } of [clientToServer, serverToClient])
        figures.unions += deliveries.filter(({ messages }) => messages.length > 1).length;
    const text = Object.fromEntries(
      readdirSync(options.out)
        .filter((name) => name.endsWith(".ts"))
        .map((name) => [name, readFileSync(join(options.out, name), "utf8")]),
    );
    for (const problem of structureProblems(text, model)) fail(problem);
    if (!ws) continue;
    await translate(options.out, text);
    const [server, client] = await Promise.all(["server.js", "client.js"].map((name) => import(join(options.out, name))));
    const found = await selfTest({ model, document: loaded, server, client, runtime });
    for (const name of ["delivered", "attempts"]) spoken[name] += found[name];
    for (const name of ["misdelivered", "leaked", "unanswered"]) {
      spoken[name] += found[name].length;
      for (const problem of found[name]) fail(`${name}: ${problem}`);
    }
    const known = noValidValue[slug] ?? {};
    spoken.noValidValue += found.unsampled.length;
    for (const kind of found.unsampled) if (known[kind] === undefined) fail(`no valid value was found for ${kind}`);
    for (const kind of Object.keys(known)) if (!found.unsampled.includes(kind)) fail(`${kind} has valid values now, take it off the list`);
  }
  for (const line of compile()) problems.get(line.split("/")[0])?.push(line);

  const failures = [...problems].flatMap(([slug, found]) => found.slice(0, 3).map((problem) => `${slug}: ${problem}`));
  const passed = [...problems.values()].filter((found) => found.length === 0).length;
  const also =
    `${figures.generated} generated (${figures.sockets} of them WebSocket documents), ${figures.refused} refused, ${figures.unions} unions, ` +
    `perspective given for ${figures.perspectives}, the slowest took ${figures.slowest} ms, ${figures.slow} over ${patience / 1000} s; ` +
    `${spoken.delivered} messages delivered, ${spoken.misdelivered} misdelivered; ${spoken.attempts} invalid frames, ${spoken.leaked} leaked, ` +
    `${spoken.unanswered} not answered by the table; ${spoken.noValidValue} messages have no valid value`;
  return { passed, total: entries.length, failures, also };
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
