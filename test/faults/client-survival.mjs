// killed: a server is killed three times in the middle of requests. asleep: the process of a client stands still (SIGSTOP), as in a laptop that is closed, while its
// server goes away; and while nothing happens at all.
import { setTimeout as pause } from "node:timers/promises";
import { createClient, guards, requests } from "@wsgen/runtime/client";
import { WebSocketServer } from "ws";
import { startSubject } from "./process.mjs";

const ask = { messages: ["answer"], request: ["id"], reply: ["id"], id: "string" };
const contract = {
  version: 1,
  generator: "",
  title: "Survival",
  endpoints: {
    desk: {
      address: "/",
      receives: { dispatch: { json: "answer" }, messages: { answer: { format: "json" } } },
      sends: { question: { format: "json", reply: ask } },
    },
  },
};
const connect = (port) => createClient(contract, `ws://127.0.0.1:${port}`, { reconnect: { spread: 200 } }, [guards, requests]).desk();

export const subjects = {
  /** Answers after a while, so that there are always questions in the middle. Listens when it is told to. */
  async server() {
    const listen = (port) =>
      new Promise((resolve) => {
        const server = new WebSocketServer({ port, host: "127.0.0.1" }, () => resolve(server.address().port));
        server.on("connection", (socket) => {
          socket.on("message", (data) => setTimeout(() => socket.send(String(data)), 20));
        });
      });
    return { port: 0, answers: { listen } };
  },
  /** A client in a process of its own, which can be stopped. */
  async client({ port }) {
    const desk = await connect(port);
    let times = 0;
    desk.subscribe(({ status, reconnected }) => {
      if (status === "open" && reconnected !== undefined) times += 1;
    });
    const question = async () => {
      // Who has just woken may ask before it hears that its connection is lost: that request is rejected, and asked again.
      await desk.request.question({}, { timeout: 10_000 }).catch(() => desk.request.question({}, { timeout: 10_000 }));
      return desk.getSnapshot().status;
    };
    return { port: 0, answers: { question, times: () => times } };
  },
};

export async function* measure({ id, asking = 50, seconds = 3 } = {}) {
  if (id === "killed") yield* killed(asking);
  else yield* asleep(seconds);
}

async function* killed(asking) {
  let server = await startSubject(import.meta.url, "server");
  const port = await server.ask("listen", 0);
  const desk = await connect(port);
  const outcomes = new Map();
  let going = true;
  let returns = 0;
  let reported = 0;
  desk.subscribe(({ status, reconnected }) => {
    if (status !== "open" || reconnected === undefined) return;
    returns += 1;
    if (reconnected.continuity === "unknown") reported += 1;
  });
  const askers = Array.from({ length: asking }, async () => {
    while (going) {
      const outcome = await desk.request.question({}, { timeout: 10_000 }).then(
        () => "answered",
        (error) => error.name,
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  });
  const away = [];
  for (let time = 1; time <= 3; time += 1) {
    await pause(300);
    const next = await startSubject(import.meta.url, "server");
    const back = returns;
    await server.stop();
    const gone = performance.now();
    await pause(100);
    await next.ask("listen", port);
    server = next;
    while (returns === back && performance.now() - gone < 20_000) await pause(5);
    away.push(performance.now() - gone);
  }
  await pause(300);
  going = false;
  const settled = await Promise.race([Promise.all(askers).then(() => true), pause(15_000, false)]);
  const count = (name) => outcomes.get(name) ?? 0;
  const others = [...outcomes.keys()].filter((name) => name !== "answered" && name !== "ConnectionClosedError");
  yield { what: "kills in the middle of requests that the client came back from", measured: returns, equals: 3 };
  yield { what: "returns that said what may be lost (continuity unknown)", measured: reported, equals: 3 };
  yield { what: "requests that never settled", measured: settled ? 0 : asking, equals: 0 };
  yield { what: "requests that failed with anything but ConnectionClosedError", measured: others.length, equals: 0 };
  yield {
    what: `requests that were under way and rejected (3 × ${asking} at most)`,
    measured: count("ConnectionClosedError"),
    atMost: 3 * asking,
  };
  yield { what: "requests that were answered", measured: count("answered"), atLeast: asking };
  yield { what: "away after a kill, longest", measured: Math.max(...away), unit: "ms", atMost: 3_000, kind: "time" };
  await desk.close();
  await server.stop();
}

async function* asleep(seconds) {
  let server = await startSubject(import.meta.url, "server");
  const port = await server.ask("listen", 0);
  const client = await startSubject(import.meta.url, "client", { port });
  const sleep = async (meanwhile) => {
    client.signal("SIGSTOP");
    await pause((seconds * 1_000) / 2);
    await meanwhile();
    await pause((seconds * 1_000) / 2);
    client.signal("SIGCONT");
    const woken = performance.now();
    const status = await client.ask("question");
    return { status, took: performance.now() - woken };
  };

  const calm = await sleep(async () => {});
  yield { what: `asleep for ${seconds} s, the server still there: state when it is asked`, measured: calm.status, equals: "open" };
  yield { what: "connections that were given up for it", measured: await client.ask("times"), equals: 0 };
  const killed = await sleep(async () => {
    await server.stop();
    server = await startSubject(import.meta.url, "server");
    await server.ask("listen", port);
  });
  yield {
    what: `asleep for ${seconds} s, the server restarted meanwhile: state when it is asked`,
    measured: killed.status,
    equals: "open",
  };
  yield { what: "times it came back", measured: await client.ask("times"), equals: 1 };
  yield { what: "from waking to an answer", measured: killed.took, unit: "ms", atMost: 2_000, kind: "time" };
  await client.stop();
  await server.stop();
}
