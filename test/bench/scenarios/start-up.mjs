// What starting costs: from the first line of a program to a server that listens, and the memory of its process then.
import { spawnSync } from "node:child_process";
import { median, quantile, rounded } from "../rounds.mjs";

export function measure({ build, quick }) {
  const report =
    "process.stdout.write(JSON.stringify({ ms: performance.now() - from, mb: process.memoryUsage().rss / 2 ** 20 })); process.exit(0);";
  const runtime = JSON.stringify(`${build}/node_modules/@wsgen/runtime/dist/index.js`);
  const programs = {
    "node:http": `const { createServer } = await import("node:http"); await new Promise((resolve) => createServer().listen(0, "127.0.0.1", resolve));`,
    "bare ws": `const { WebSocketServer } = await import("ws"); const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
      await new Promise((resolve) => server.once("listening", resolve));`,
    "@wsgen/runtime": `const { createRouter, serve } = await import(${runtime}); const router = createRouter(); router.ws("/", async () => {});
      await serve(router, { host: "127.0.0.1" });`,
    "a generated API": `const { createRouter, serve } = await import(${runtime}); const { registerHall } = await import(${JSON.stringify(`${build}/hall/server.js`)});
      const router = createRouter(); registerHall(router, { hall: { messages: { chat() {}, book() {}, blob() {}, ask() {}, publish() {} } } });
      await serve(router, { host: "127.0.0.1" });`,
  };
  const samples = new Map(Object.keys(programs).map((name) => [name, []]));
  for (let round = 0; round < (quick ? 2 : 15); round++) {
    for (const [name, program] of Object.entries(programs))
      samples.get(name).push(run(`const from = performance.now(); ${program} ${report}`));
  }
  return [
    ["ms", "start-up, time"],
    ["mb", "start-up, memory"],
  ].flatMap(([key, scenario]) =>
    [...samples].map(([name, runs]) => {
      const values = runs.map((sample) => sample[key]);
      const figure = {
        name: `${scenario}: ${name}`,
        scenario,
        subject: name,
        unit: key === "ms" ? "ms" : "MB",
        value: rounded(median(values)),
        spread: [rounded(quantile(values, 0.25)), rounded(quantile(values, 0.75))],
      };
      if (name === "node:http" || name === "bare ws") return figure;
      const ratio = median(values.map((value, round) => value / samples.get("bare ws")[round][key]));
      return { ...figure, peer: "bare ws", ratio: rounded(ratio) };
    }),
  );
}

function run(program) {
  const cwd = new URL("..", import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
