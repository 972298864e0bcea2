// What a connection costs that says nothing: KB of the process and of the JS heap, beside bare `ws` (one listener) and uWebSockets.js.
import { startPair } from "../pair.mjs";
import { median, rounded } from "../rounds.mjs";
import { subjects } from "../subjects.mjs";
import { targetOf } from "../targets.mjs";

const names = ["ws", "uws", "wsgen"];

export async function measure({ build, quick }) {
  const connections = quick ? 500 : 9000;
  const samples = new Map(names.map((name) => [name, []]));
  const failed = new Map();
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    for (const name of names) {
      try {
        samples.get(name).push(await weigh(name, { build, connections }));
      } catch (error) {
        failed.set(name, error.message);
      }
    }
  }
  return [
    ["rss", "RSS"],
    ["heap", "JS heap"],
  ].flatMap(([key, what]) => {
    const scenario = `idle connection, ${what}`;
    return names.map((name) => {
      const known = { name: `${scenario}: ${subjects[name].label}`, scenario, subject: subjects[name].label, unit: "KB each" };
      const values = samples.get(name).map((sample) => sample[key]);
      if (values.length === 0) return { ...known, failed: failed.get(name) };
      const figure = { ...known, value: rounded(median(values)), spread: [rounded(Math.min(...values)), rounded(Math.max(...values))] };
      if (name !== "wsgen") return figure;
      const ratio = median(values.map((value, round) => value / (samples.get("ws")[round]?.[key] ?? Number.NaN)));
      const absolute = targetOf(scenario, name)?.value;
      return {
        ...figure,
        peer: subjects.ws.label,
        ratio: rounded(ratio),
        ...(absolute === undefined ? { target: targetOf(scenario, name, "ws")?.ratio } : { target: absolute, bound: "value" }),
      };
    });
  });
}

/** KB for each of so many connections, on a server that has had as many before: code and pools are warm. */
async function weigh(name, { build, connections }) {
  const pair = await startPair(subjects[name], { behaviour: "idle", build });
  try {
    for (let times = 0; times < 5; times++) {
      await pair.open(connections / 10);
      await pair.load("close");
    }
    const empty = await pair.memory();
    await pair.open(connections);
    const full = await pair.memory();
    return {
      rss: (full.rss - empty.rss) / connections / 1024,
      heap: (full.heapUsed - empty.heapUsed) / connections / 1024,
    };
  } finally {
    await pair.end();
  }
}
