// How long another connection waits for its pong while a handler sends in a loop that never ends.
import { WebSocket } from "ws";
import { startPair } from "../pair.mjs";
import { median, rounded } from "../rounds.mjs";
import { subjects } from "../subjects.mjs";
import { targetOf } from "../targets.mjs";

export async function measure({ build, quick }) {
  const pair = await startPair(subjects.wsgen, { behaviour: "endless", build });
  const scenario = "another connection's pong beside an endless loop of sends";
  try {
    await pair.open(1);
    const socket = new WebSocket(`ws://127.0.0.1:${pair.port}/`);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const times = [];
    const flood = pair.load("flood", { payload: JSON.stringify({ type: "publish", times: 1, what: "chat" }), ms: quick ? 300 : 3_000 });
    let over = false;
    const done = flood.finally(() => {
      over = true;
    });
    while (!over) {
      const from = performance.now();
      await new Promise((resolve) => {
        socket.once("pong", resolve);
        socket.ping();
      });
      times.push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { bytes, ms } = await done;
    socket.terminate();
    const known = { scenario, subject: "wsgen", unit: "ms" };
    return [
      {
        ...known,
        name: `${scenario}: wsgen`,
        value: rounded(median(times)),
        spread: [rounded(Math.min(...times)), rounded(Math.max(...times))],
        target: targetOf(scenario, "wsgen").value,
        bound: "value",
      },
      { ...known, name: "the loop meanwhile", subject: "the loop meanwhile", unit: "MB/s", value: rounded(bytes / 1e3 / ms) },
    ];
  } finally {
    await pair.end();
  }
}
