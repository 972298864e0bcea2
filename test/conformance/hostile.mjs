// The hostile documents: each is generated on the built package with traps for what it must not bring about; what comes of it is compiled under the
// strictest tsconfig, imported, and compared with the model. `npm run conformance -- hostile` prints `hostile: passed/total`, a recipe a case.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { recipes } from "./hostile-recipes.mjs";
import { drawnRecipe } from "./hostile-strings.mjs";
import { structureProblems } from "./structure.mjs";

const here = fileURLToPath(import.meta.url);
const root = join(dirname(here), "../..");
const output = join(root, "test/.output/hostile");

/** What one document may take, in ms of processor time and four times as much by the clock: a bound against hanging, far above what any of them needs. */
const patience = 30_000;

/**
 * Runs the recipes, or documents with hostile strings drawn into them instead, in a process of their own, where the traps are set before anything else.
 * `failures` are lines for people.
 */
export async function run({ only = [], drawn } = {}) {
  const what = drawn === undefined ? only : ["--drawn", `${drawn.count}`, `${drawn.seed}`];
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const result = join(output, "result.json");
  const canary = join(output, "canary.txt");
  writeFileSync(canary, "");
  // The official parser runs in a worker, where the canary does not sing: whether it asks for anything is seen from the other end.
  let asked = 0;
  const listener = createServer((_, response) => {
    asked += 1;
    response.end("{}");
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const child = spawn(
    process.execPath,
    ["--import", pathToFileURL(join(dirname(here), "hostile-canary.mjs")).href, here, "--inside", ...what],
    {
      env: { ...process.env, WSGEN_CANARY: canary, WSGEN_LISTENER: `http://127.0.0.1:${listener.address().port}/x.json` },
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  const code = await new Promise((resolve) => child.once("close", resolve));
  await new Promise((resolve) => listener.close(resolve));
  if (!existsSync(result)) return { passed: 0, total: recipes.length, failures: [`the process that generates ended with ${code}`] };
  const judged = JSON.parse(readFileSync(result, "utf8"));
  return asked === 0
    ? judged
    : { ...judged, passed: judged.passed - 1, failures: [...judged.failures, `H34: ${asked} requests were sent`] };
}

/** Inside the trapped process. */
async function judgeAll(only) {
  const { generate } = await import("wsgen");
  const { load } = await import(join(root, "codegen/dist/document/load.js"));
  const { buildModel } = await import(join(root, "codegen/dist/model/build.js"));
  const [option, count, seed] = only;
  const chosen =
    option === "--drawn" ? [drawnRecipe(Number(count), Number(seed))] : recipes.filter(({ id }) => only.length === 0 || only.includes(id));
  const failures = [];
  const generated = [];
  const cases = chosen.flatMap(({ id, variants }) =>
    variants.map((variant, index) => ({ id, variant, folder: join(output, `${id}-${index}`) })),
  );

  for (const { id, variant, folder } of cases) {
    const fail = (problem) => failures.push(`${id}: ${variant.name}: ${problem}`);
    prepare(folder, variant);
    const before = snapshot(output);
    const document = join(folder, variant.argument ?? Object.keys(variant.files).find((name) => !name.includes("/") && name !== "out"));
    const options = { document, out: join(folder, "out"), handlers: join(folder, "handlers"), root: folder, cwd: folder };
    const sung = songs();
    if (variant.slow === true) {
      for (const problem of await measure(options)) fail(problem);
      rmSync(folder, { recursive: true, force: true });
      continue;
    }
    const from = performance.now();
    const result = await limited(generate(options));
    const took = performance.now() - from;
    if (process.env.VERBOSE)
      console.log(
        id,
        variant.name,
        result === undefined ? "hangs" : result.ok ? "ok" : "refused",
        `${took.toFixed(0)} ms`,
        (result?.diagnostics ?? []).slice(0, 2).map(({ severity, code, message }) => `${severity} ${code}: ${message.slice(0, 150)}`),
      );
    if (songs() !== sung) fail(songs().slice(sung.length).trim());
    if (Object.prototype.polluted !== undefined || globalThis.pwn !== undefined) fail("something ran, or a prototype was changed");
    if (result === undefined) {
      fail(`nothing came of it in ${patience / 1000} s of processor time`);
      continue;
    }
    for (const problem of judgeDiagnostics(variant, result, folder)) fail(problem);
    const changed = difference(before, snapshot(output));
    if (!result.ok && changed.length > 0) fail(`it was refused, and ${changed.join(", ")} changed`);
    const outside = changed.filter((path) => !path.startsWith(`${relative(output, folder)}/`));
    if (outside.length > 0) fail(`${outside.join(", ")} changed outside its folder`);
    if (variant.strict !== undefined) {
      const strict = await generate({ ...options, strict: true, out: join(folder, "strict") });
      if (strict.ok || !strict.diagnostics.some(({ severity, message }) => severity === "error" && variant.strict.test(message)))
        fail("--strict does not refuse it");
    }
    if (variant.killed !== undefined) for (const problem of await kill(variant.killed, document, folder)) fail(problem);
    if (!result.ok) continue;
    const { model } = buildModel(await load(document, { root: folder }), { source: "hostile" });
    const text = Object.fromEntries(
      filesBelow(options.out)
        .filter((path) => path.endsWith(".ts"))
        .map((path) => [path, readFileSync(join(options.out, path), "utf8")]),
    );
    for (const problem of structureProblems(text, model)) fail(problem);
    generated.push({ variant, folder, text, model, fail });
  }

  const broken = compile();
  for (const { variant, folder, text, model, fail } of generated) {
    const complaint = broken.find((line) => line.startsWith(`${relative(output, folder)}/`));
    if (complaint !== undefined) {
      fail(`does not compile: ${complaint}`);
      continue;
    }
    const sung = songs();
    const compiled = (file) => import(pathToFileURL(join(output, ".js", relative(output, folder), "out", file)).href);
    try {
      const [{ contract }, guards, server] = [
        await compiled("contract.server.js"),
        await compiled("validators.js"),
        await compiled("server.js"),
      ];
      await compiled("client.js");
      await compiled("schemas.js");
      const handlerFiles = filesBelow(join(folder, "handlers"));
      for (const file of handlerFiles)
        await import(pathToFileURL(join(output, ".js", relative(output, folder), "handlers", file.replace(/\.ts$/, ".js"))).href);
      if (songs() !== sung) fail(songs().slice(sung.length).trim());
      const problem = await variant.holds?.({ text, contract, guards, model, handlerFiles, server });
      if (problem !== undefined) fail(problem);
    } catch (error) {
      fail(`importing it throws ${error}`);
    }
    if (Object.prototype.polluted !== undefined || globalThis.pwn !== undefined) fail("something ran, or a prototype was changed");
  }
  const ids = new Set(failures.map((failure) => failure.split(":")[0]));
  return { passed: chosen.length - ids.size, total: chosen.length, failures, generated: generated.length };
}

/** What is wrong with how long a very large document takes, and how much memory: both in a process of its own (figure G3: 30 s, 1.5 GB). */
async function measure({ document, out, root: folder }) {
  const script = `import { generate } from "wsgen"; const { ok } = await generate(${JSON.stringify({ document, out, root: folder, cwd: folder })}); console.log(JSON.stringify({ ok, megabytes: Math.round(process.resourceUsage().maxRSS / 1024) })); process.exit(0);`;
  const from = performance.now();
  const { stdout, signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: root,
    encoding: "utf8",
    timeout: 4 * patience,
  });
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  if (signal !== null) return [`nothing came of it in ${seconds} s`];
  const { ok, megabytes } = JSON.parse(stdout);
  console.log(`  ${relative(output, folder)}: ${seconds} s, ${megabytes} MB`);
  return [...(ok ? [] : ["it was refused"]), ...(megabytes > 1_500 ? [`it took ${megabytes} MB`] : [])];
}

/** What is wrong with what was said of a document. */
function judgeDiagnostics(variant, { ok, diagnostics }, folder) {
  const problems = [];
  const said = (severity, pattern) =>
    diagnostics.some(
      (one) => (severity === "error") === (one.severity === "error") && pattern.test(`${one.code} ${one.message} ${one.fix ?? ""}`),
    );
  const lines = diagnostics.map(({ severity, code, message }) => `${severity} ${code}: ${message}`.slice(0, 200)).slice(0, 4);
  if (variant.refused !== undefined) {
    if (ok) problems.push(`it was generated${lines.length > 0 ? ` with ${lines}` : ""}`);
    else if (!said("error", variant.refused)) problems.push(`it was refused, but for ${lines}`);
  } else if (!ok && variant.mayRefuse !== true) problems.push(`it was refused: ${lines}`);
  if (variant.warned !== undefined && !said("warning", variant.warned)) problems.push(`no warning says ${variant.warned}: ${lines}`);
  if (variant.noticed === true && ok && diagnostics.length === 0) problems.push("nothing was said of it");
  for (const { severity, code, message, fix, position } of diagnostics) {
    const text = `${message} ${fix ?? ""}`;
    if (/\n\s+at |node:internal|TypeError|is not a function|undefined is not/.test(text) && code !== "check-abandoned")
      problems.push(`a stack or an inner error is shown: ${text.slice(0, 200)}`);
    if (text.length > 2_000) problems.push(`${code} says ${text.length} characters`);
    if (
      severity === "error" &&
      variant.anywhere !== true &&
      (position === undefined || !position.file.startsWith(folder) || position.line < 1)
    )
      problems.push(`${code} has no place in the document: ${message.slice(0, 120)}`);
  }
  return problems;
}

function prepare(folder, { files, prepare: more }) {
  mkdirSync(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  more?.(folder);
}

/** Every file below a folder with what it holds; links are what they say. */
function snapshot(folder) {
  const files = new Map();
  const visit = (below) => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = join(below, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.isSymbolicLink()) files.set(path, readlinkSync(join(folder, path)));
      else if (entry.isFile() && entry.name !== "canary.txt") files.set(path, statText(join(folder, path)));
    }
  };
  visit("");
  // One level up as well, where `../../evil` would lie.
  for (const name of readdirSync(join(folder, "../.."))) files.set(`../../${name}`, "");
  for (const name of readdirSync(join(folder, ".."))) files.set(`../${name}`, "");
  return files;
}

function statText(path) {
  const text = readFileSync(path);
  return text.length > 1_000_000 ? `${text.length} bytes` : text.toString("latin1");
}

function difference(before, after) {
  return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path));
}

function filesBelow(folder) {
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    : [];
}

const songs = () => readFileSync(process.env.WSGEN_CANARY, "utf8");

async function limited(promise) {
  const began = performance.now();
  const before = process.cpuUsage();
  let timer;
  const late = new Promise((resolve) => {
    timer = setInterval(() => {
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1000 > patience || performance.now() - began > 4 * patience) resolve(undefined);
    }, 250);
  });
  const result = await Promise.race([promise, late]);
  clearInterval(timer);
  return result;
}

/** Compiles all that was generated at once; gives the compiler's lines. */
function compile() {
  const config = join(output, "tsconfig.json");
  writeFileSync(
    config,
    JSON.stringify({
      extends: "../../../tsconfig.json",
      compilerOptions: {
        composite: false,
        incremental: false,
        declaration: false,
        declarationMap: false,
        sourceMap: false,
        noPropertyAccessFromIndexSignature: true,
        isolatedModules: true,
        rootDir: ".",
        outDir: ".js",
        noEmitOnError: false,
      },
      include: ["*/out/*.ts", "*/handlers/**/*.ts"],
    }),
  );
  const { stdout } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", config, "--pretty", "false"], {
    encoding: "utf8",
    cwd: output,
    maxBuffer: 1 << 28,
  });
  return stdout.split("\n").filter((line) => line.includes("error TS"));
}

/** Kills the command at different moments while it replaces old output; what is there afterwards is old or new, never mixed. */
async function kill(times, document, folder) {
  const cli = join(root, "codegen/dist/cli.js");
  const out = join(folder, "killed");
  const old = { ...JSON.parse(readFileSync(document, "utf8")) };
  old.info.title = "Old";
  const [oldDocument, newDocument] = [join(folder, "old.json"), join(folder, "new.json")];
  writeFileSync(oldDocument, JSON.stringify(old));
  old.info.title = "New";
  old.channels.talk.messages.more = { payload: { type: "object", required: ["more"], properties: { more: { const: 1 } } } };
  writeFileSync(newDocument, JSON.stringify(old));
  const generateNow = (name, wait) =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [cli, "generate", name, "--out", out], { cwd: folder, stdio: "ignore" });
      if (wait !== undefined) setTimeout(() => child.kill("SIGKILL"), wait);
      child.once("close", resolve);
    });
  const whole = () =>
    JSON.stringify(
      filesBelow(out)
        .sort()
        .map((path) => [path, readFileSync(join(out, path), "utf8")]),
    );
  await generateNow(newDocument);
  const fresh = whole();
  const from = performance.now();
  await generateNow(oldDocument);
  const duration = performance.now() - from;
  const stale = whole();
  const problems = [];
  for (let time = 0; time < times; time++) {
    await generateNow(newDocument, (duration * (time + 1)) / times);
    const now = whole();
    if (now !== fresh && now !== stale)
      problems.push(`killed after ${Math.round((duration * (time + 1)) / times)} ms, old and new files are mixed`);
    if (now !== stale) await generateNow(oldDocument);
    if (whole() !== stale) problems.push("the next run does not repair it");
  }
  return problems;
}

if (process.argv[2] === "--inside") {
  const result = await judgeAll(process.argv.slice(3));
  writeFileSync(join(output, "result.json"), JSON.stringify(result));
  process.exit(0);
}
if (process.argv[1] === here) {
  const { passed, total, failures } = await run({ only: process.argv.slice(2) });
  for (const failure of failures) console.error(`✗ ${failure}`);
  console.log(`hostile: ${passed}/${total}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
