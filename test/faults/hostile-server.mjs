// R29: the client against a server that means ill: frames without end, nonsense, violations of the contract, and connections that never last.
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { createClient, guards } from "@wsgen/runtime/client";
import { WebSocketServer } from "ws";
import { startSubject } from "./process.mjs";

const isTick = (value) => {
  isTick.errors = [{ instancePath: "/price", keyword: "type", message: "must be number", params: {} }];
  return typeof value?.price === "number";
};
const feed = (address) => ({
  address,
  receives: { dispatch: { json: "tick" }, messages: { tick: { format: "json", guard: isTick } } },
  sends: {},
});
const contract = {
  version: 1,
  generator: "",
  title: "Hostile",
  endpoints: Object.fromEntries(
    ["frame", "fragments", "nonsense", "violations", "goodbye", "loop"].map((name) => [name, feed(`/${name}`)]),
  ),
};

/** A frame's header that promises 1 GiB. */
const HUGE = Buffer.from([0x81, 127, 0, 0, 0, 0, 0x40, 0, 0, 0]);
const CHUNK = Buffer.alloc(64 * 1024, 0x20);
/** The second and all further fragments of a message that never ends, 64 KiB each. */
const FRAGMENT = Buffer.concat([Buffer.from([0x00, 127, 0, 0, 0, 0, 0, 1, 0, 0]), CHUNK]);
const FIRST = Buffer.concat([Buffer.from([0x01, 127, 0, 0, 0, 0, 0, 1, 0, 0]), CHUNK]);

export const subjects = {
  async hostile() {
    const counts = {};
    const sockets = new WebSocketServer({ noServer: true });
    const flood = (socket, data) => {
      while (!socket.destroyed && socket.write(data));
      if (!socket.destroyed) socket.once("drain", () => flood(socket, data));
    };
    const ways = {
      frame: (_, socket) => {
        socket.write(HUGE);
        flood(socket, CHUNK);
      },
      fragments: (_, socket) => {
        socket.write(FIRST);
        flood(socket, FRAGMENT);
      },
      nonsense: (ws) => {
        for (let index = 0; index < 20_000; index++) ws.send("{nonsense");
        ws.send('{"price":1}');
      },
      violations: (ws) => {
        for (let index = 0; index < 20_000; index++) ws.send('{"price":"high"}');
        ws.send('{"price":1}');
      },
      goodbye: (ws) => ws.close(4999, "never again"),
      loop: (_, socket) => socket.destroy(),
    };
    const http = createServer().on("upgrade", (request, socket, head) => {
      socket.on("error", () => {});
      const way = request.url.slice(1);
      counts[way] = (counts[way] ?? 0) + 1;
      sockets.handleUpgrade(request, socket, head, (ws) => {
        ws.on("error", () => {});
        ways[way](ws, socket);
      });
    });
    await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
    return { port: http.address().port, answers: { counts: () => counts } };
  },
};

export async function* measure({ seconds = 5 } = {}) {
  const subject = await startSubject(import.meta.url, "hostile");
  const invalid = {};
  const connect = (way, spread = 200) =>
    createClient(
      contract,
      `ws://127.0.0.1:${subject.port}`,
      {
        reconnect: { spread },
        onInvalid: (error) => {
          invalid[way] = (invalid[way] ?? 0) + (error.code === "WSGEN_CONTRACT" ? 1 : Number.NaN);
        },
      },
      [guards],
    )[way]().connection;

  for (const way of ["frame", "fragments"]) {
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let most = 0;
    const connection = connect(way, 1_000);
    for (let tick = 0; tick < seconds * 20; tick++) {
      await pause(50);
      most = Math.max(most, process.memoryUsage().rss - before);
    }
    const { status, error } = connection.getSnapshot();
    yield { what: `${way} without end: memory`, measured: most / 1024 ** 2, unit: "MiB", atMost: 200, kind: "memory" };
    yield {
      what: `${way} without end: typed error, or none while it is open`,
      measured: status === "open" || /^WSGEN_/.test(error?.code),
      equals: true,
    };
    await Promise.race([connection.close(), pause(100)]);
  }
  for (const way of ["nonsense", "violations"]) {
    const connection = connect(way);
    const { value } = await connection[Symbol.asyncIterator]().next();
    yield { what: `${way}: reported as ContractError, of 20000`, measured: invalid[way], equals: 20_000 };
    yield { what: `${way}: the valid message behind them arrives`, measured: value.payload.price, equals: 1 };
    await connection.close();
  }
  const goodbye = connect("goodbye");
  const { code } = await goodbye.closed;
  yield { what: "close code that closes for good", measured: code, equals: 4999 };
  const loop = connect("loop");
  await pause(seconds * 1_000);
  const { loop: attempts, goodbye: visits } = await subject.ask("counts");
  yield { what: "visits after 4999", measured: visits, equals: 1 };
  // 200 ms doubled each time: the sixth attempt is over 6 s away on average.
  yield { what: `attempts in ${seconds} s where no connection lasts`, measured: attempts, atMost: 12 };
  await loop.close();
  await subject.stop();
}
