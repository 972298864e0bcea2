// `npm run bench [-- SCENARIO…]`: figures beside those of the peers, in one run; printed as tables and written to test/bench/results.json.
import { spawnSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { buildDocument, prepareBuild } from "./build.mjs";
import { measureRounds, median, quantile, ratioOf, rounded } from "./rounds.mjs";
import { traffic } from "./scenarios/traffic.mjs";
import { subjects } from "./subjects.mjs";
import { judge, printFigures, printTargets } from "./table.mjs";
import { targetOf } from "./targets.mjs";

/** Scenarios that are measured in their own way; each gives figures. */
const special = {
  idle: async (settings) => (await import("./scenarios/idle.mjs")).measure(settings),
  pong: async (settings) => (await import("./scenarios/pong.mjs")).measure(settings),
  "start-up": async (settings) => (await import("./scenarios/start-up.mjs")).measure(settings),
  validators: async (settings) => (await import("./scenarios/validators.mjs")).measure(settings),
  client: async (settings) => (await import("./scenarios/client.mjs")).measure(settings),
  size: async () => (await import("./scenarios/size.mjs")).measure(),
  generate: async () => (await import("./scenarios/generate.mjs")).measure(),
};
const known = [...Object.keys(traffic), ...Object.keys(special)];

const usage = `usage: npm run bench [-- SCENARIO… --quick --subjects NAME,… --out FILE --against DIR --profile DIR --rounds N --ms N --only TEXT]

  SCENARIO    ${known.join(" ")}; default: all
  --no-install  leave peers out that are not installed, instead of installing them
  --quick     short rounds, to see that all of it works; the figures mean little
  --only      variants whose name contains this, for example "16 in flight"
  --subjects  ${Object.keys(subjects).join(" ")}
  --out       where the figures go as JSON; default test/bench/results.json
  --against   another checkout of this repository, built: its wsgen is measured beside this one, as "before"
  --profile   where wsgen's server leaves its .cpuprofile
  --rounds, --ms  how many rounds, and how long one is; default 5 of 500 ms`;

const { values: given, positionals } = readArguments();
const settings = {
  rounds: Number(given.rounds ?? (given.quick ? 2 : 5)),
  ms: Number(given.ms ?? (given.quick ? 60 : 500)),
  quick: given.quick === true,
  profile: given.profile,
};

if (!given["no-install"]) installPeers();
const figures = [];
try {
  const wanted = positionals.length > 0 ? positionals : known;
  settings.build = prepareBuild("this");
  buildDocument(settings.build, new URL("hall.json", import.meta.url).pathname, "hall");
  if (given.against !== undefined) {
    settings.before = prepareBuild("before", given.against);
    buildDocument(settings.before, new URL("hall.json", import.meta.url).pathname, "hall", given.against);
  }
  for (const name of wanted) {
    console.log(`\n── ${name}`);
    if (Object.hasOwn(traffic, name)) for (const variant of traffic[name](settings).filter(isWanted)) report(await measureVariant(variant));
    else report(await special[name](settings));
  }
} finally {
  printTargets(figures);
}

function report(measured) {
  figures.push(...measured);
  printFigures(measured);
  // After each one, so that a run that is stopped leaves what it found.
  const judged = figures.map((figure) => ({ ...figure, met: judge(figure) }));
  writeFileSync(given.out ?? new URL("results.json", import.meta.url), `${JSON.stringify(judged, null, 2)}\n`);
}

function isWanted({ scenario }) {
  return given.only === undefined || scenario.includes(given.only);
}

/**
 * Runs one variant with everyone who is wanted and can run here. One figure for each, and one more for each peer it is compared with: where the variant
 * does not say who is compared with whom, its main subject with all others.
 */
async function measureVariant(variant) {
  const { scenario, unit, subject: main } = variant;
  const entries = (variant.entries ?? variant.names.map((name) => ({ key: name, name })))
    .filter(({ name }) => (name !== "before" || settings.before !== undefined) && (given.subjects?.split(",").includes(name) ?? true))
    .map((entry) => ({ label: subjects[entry.name].label, ...entry, subject: subjects[entry.name] }));
  const measured = await measureRounds({ ...variant, entries }, settings);
  const ran = ({ key }) => measured.get(key).samples?.length > 0;
  return entries.flatMap((entry) => {
    const { key, label } = entry;
    const known = { name: `${scenario}: ${label}`, scenario, subject: label, unit };
    if (!ran(entry)) return [{ ...known, failed: measured.get(key).failed ?? "no rounds" }];
    const { samples } = measured.get(key);
    const cpu = samples.map((sample) => sample.cpu);
    const figure = {
      ...known,
      value: rounded(median(cpu)),
      spread: [rounded(quantile(cpu, 0.25)), rounded(quantile(cpu, 0.75))],
      rate: Math.round(median(samples.map(({ rate }) => rate))),
      load: Math.round(100 * median(samples.map(({ busy }) => busy))),
    };
    const peers = entries
      .filter((peer) => peer.key !== key && ran(peer))
      .filter((peer) =>
        variant.pairs === undefined ? key === main : variant.pairs.some(([one, other]) => one === key && other === peer.key),
      );
    if (peers.length === 0) return [figure];
    return peers.map((peer) => ({
      ...figure,
      peer: peer.label,
      ratio: rounded(ratioOf(measured, key, peer.key)),
      target: targetOf(scenario, key, peer.key)?.ratio,
    }));
  });
}

/** The peers have a lock of their own, so that neither a user's install nor the repository's carries them. */
function installPeers() {
  const folder = new URL(".", import.meta.url).pathname;
  const installed = `${folder}node_modules/.package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${folder}package-lock.json`).mtimeMs) return;
  console.log("Installing the peers (once, 230 MB in test/bench/node_modules) …");
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) console.log("They could not be installed; the tables say who is missing.");
}

function readArguments() {
  const text = { type: "string" };
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: "boolean" },
        "no-install": { type: "boolean" },
        help: { type: "boolean" },
        only: text,
        subjects: text,
        against: text,
        out: text,
        profile: text,
        rounds: text,
        ms: text,
      },
    });
    if (parsed.values.help) {
      console.log(usage);
      process.exit(0);
    }
    const unknown = [
      ...parsed.positionals.filter((name) => !known.includes(name)),
      ...(parsed.values.subjects?.split(",") ?? []).filter((name) => !Object.hasOwn(subjects, name)),
    ];
    if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(", ")}`);
    return parsed;
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}
