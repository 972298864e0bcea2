// R20: messages that are small on the wire and large when inflated.
import { deflateRawSync } from "node:zlib";
import { createRouter, serve } from "@wsgen/runtime";
import { WebSocketServer } from "ws";
import { frame } from "../conformance/protocol-peer.mjs";
import { codeOf, openPeer } from "./peers.mjs";
import { startSubject } from "./process.mjs";

const MIB = 2 ** 20;
const headers = { "Sec-WebSocket-Extensions": "permessage-deflate" };
const RSV1 = 4;

export const subjects = {
  async wsgen({ inboundRate = false }) {
    const router = createRouter({ deflate: true, limits: { inboundRate, maxMessageSize: MIB } });
    let bytes = 0;
    router.ws("/", async (conn) => {
      for await (const { data } of conn.messages()) bytes += data.length;
    });
    const { port } = await serve(router, { host: "127.0.0.1" });
    return { port, answers: { bytes: () => bytes } };
  },
  async bare() {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true, maxPayload: MIB });
    let bytes = 0;
    server.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.on("message", (data) => {
        bytes += data.length;
      });
    });
    await new Promise((resolve) => server.once("listening", resolve));
    return { port: server.address().port, answers: { bytes: () => bytes } };
  },
};

export async function* measure() {
  const bomb = bombOf(256 * MIB);
  const over = await run("wsgen", {}, [bomb]);
  const bareOver = await run("bare", {}, [bomb]);
  const size = `256 MiB in ${Math.round(bomb.length / 1024)} KiB`;
  yield { what: `${size}: code`, measured: over.code, equals: 1009, bare: bareOver.code };
  yield { what: `${size}: closed after`, measured: over.closedAfter, unit: "ms", atMost: 50, bare: bareOver.closedAfter, kind: "time" };
  yield { what: `${size}: RSS grows by`, measured: over.growth, unit: "MB", atMost: 16, bare: bareOver.growth, kind: "memory" };

  const many = Array.from({ length: 500 }, () => bombOf(MIB));
  const budget = await run("wsgen", { inboundRate: { bytes: 8 * MIB } }, many);
  const free = await run("wsgen", {}, many);
  const bare = await run("bare", {}, many);
  const bombs = `500 of 1 MiB in ${many[0].length} B`;
  yield { what: `${bombs}, 8 MiB a second: code`, measured: budget.code, equals: 1008, bare: bare.code ?? "none" };
  yield {
    what: `${bombs}, 8 MiB a second: came to the handler`,
    measured: budget.bytes / MIB,
    unit: "MiB",
    atMost: 9,
    bare: bare.bytes / MIB,
  };
  yield {
    what: `${bombs}, 8 MiB a second: processor time`,
    measured: budget.cpu,
    unit: "ms",
    atMost: bare.cpu,
    bare: bare.cpu,
    kind: "time",
  };
  yield { what: `${bombs}, 8 MiB a second: event loop's delay, most`, measured: budget.lag, unit: "ms", bare: bare.lag, kind: "time" };
  yield { what: `${bombs}, no budget: came to the handler`, measured: free.bytes / MIB, unit: "MiB", equals: 500, bare: bare.bytes / MIB };
  yield { what: `${bombs}, no budget: processor time`, measured: free.cpu, unit: "ms", bare: bare.cpu, kind: "time" };
  yield { what: `${bombs}, no budget: event loop's delay, most`, measured: free.lag, unit: "ms", bare: bare.lag, kind: "time" };
}

/** A compressed binary frame of so many zeros (RFC 7692 section 7.2.1). */
function bombOf(size) {
  const deflated = deflateRawSync(Buffer.alloc(size), { finishFlush: 2 }); // Z_SYNC_FLUSH, whose last four bytes stay away.
  return frame(2, deflated.subarray(0, -4), { rsv: RSV1 });
}

/** Sends everything in one go; settles when the server has closed, or has read everything. */
async function run(name, options, bombs) {
  const subject = await startSubject(import.meta.url, name, options);
  let code;
  let closedAt;
  const onFrame = ({ opcode, payload }) => {
    if (opcode !== 8) return;
    code = codeOf(payload);
    closedAt = performance.now();
    peer.socket.destroy();
  };
  const peer = await openPeer({ port: subject.port, headers, onFrame });
  try {
    peer.socket.write(bombOf(1000)); // So that zlib is there.
    while ((await subject.ask("bytes")) < 1000);
    const { rss } = await subject.ask("memory");
    const before = await subject.ask("cpu");
    await subject.ask("watchLoop");
    const began = performance.now();
    peer.socket.write(Buffer.concat(bombs));
    const all = 1000 + bombs.length * MIB;
    for (let last = -1; code === undefined; ) {
      const bytes = await subject.ask("bytes");
      if (bytes >= all) break;
      if (bytes === last) await new Promise((resolve) => setTimeout(resolve, 2));
      last = bytes;
    }
    const cpu = (await subject.ask("cpu")) - before;
    const { max } = await subject.ask("loop");
    const peak = await subject.ask("peak");
    return {
      code,
      closedAfter: closedAt - began,
      growth: Math.max(0, peak - rss) / MIB,
      bytes: (await subject.ask("bytes")) - 1000,
      cpu,
      lag: max,
    };
  } finally {
    peer.socket.destroy();
    await subject.stop();
  }
}
