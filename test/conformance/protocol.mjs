// The protocol suite: every case of protocol-cases.mjs against an echo server of ours, over raw sockets. `npm run conformance -- protocol` runs it on the
// built package and prints `protocol: passed/total`.
import { inflateRawSync } from "node:zlib";
import * as runtime from "@wsgen/runtime";
import { startEcho } from "../../tools/echo.mjs";
import { groups } from "./protocol-cases.mjs";
import { closing, open } from "./protocol-peer.mjs";

export { groups };

/** Cases at a time, and how long, in ms, one may take. */
const WORKERS = 8;
const PATIENCE = 8000;

/** Runs all cases. `failures`: "group: case: what was wrong". */
export async function run() {
  const servers = { production: await startEcho(runtime), conformance: await startEcho(runtime, { profile: "conformance" }) };
  const queue = Object.entries(groups).flatMap(([group, cases]) => cases.map((one) => ({ group, ...one })));
  const total = queue.length;
  const failures = [];
  const work = async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const problem = await judge(one, servers[one.profile ?? "production"].port).catch((error) => error.message);
      if (problem !== "") failures.push(`${one.group}: ${one.name}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  await Promise.all(Object.values(servers).map((server) => server.close()));
  return { passed: total - failures.length, total, failures };
}

/** Gives what is wrong, "" when nothing is. */
async function judge({ bytes, pieces, data, pongs, code, lenient = false, offer, agreed = false }, port) {
  const seen = { data: [], pongs: [], close: undefined, wrong: "" };
  let parts = [];
  let wake = () => {};
  let over = false;
  const onFrame = ({ fin, rsv, opcode, payload, masked }) => {
    if (seen.close !== undefined) seen.wrong ||= "a frame behind the close frame";
    if (masked) seen.wrong ||= "a masked frame";
    if (rsv !== 0 && !(agreed && rsv === 4 && (opcode === 1 || opcode === 2))) seen.wrong ||= `reserved bits ${rsv}`;
    if (opcode === 8) seen.close = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
    else if (opcode === 10) seen.pongs.push(payload);
    else if (opcode <= 2) {
      parts.push({ opcode, rsv, payload });
      if (fin) {
        seen.data.push(whole(parts));
        parts = [];
      }
    }
    wake();
  };
  const onEnd = () => {
    over = true;
    wake();
  };
  const { socket, extensions } = await open({ port, offer, onFrame, onEnd });
  const deadline = Date.now() + PATIENCE;
  const until = async (condition) => {
    while (!condition() && !over && Date.now() < deadline) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now());
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  try {
    if (agreed !== extensions.startsWith("permessage-deflate")) return `agreed on ${JSON.stringify(extensions)}`;
    await write(socket, bytes(), pieces);
    if (code === undefined) {
      await until(() => seen.data.length >= data.length && seen.pongs.length >= pongs.length);
      if (!over) socket.write(closing(1000));
    }
    await until(() => seen.close !== undefined);
    if (seen.close !== (code ?? 1000)) return `closed with ${seen.close ?? "nothing"} instead of ${code ?? 1000}`;
    if (code !== undefined && !lenient) socket.write(closing(1000)); // Twice changes nothing.
    await until(() => over);
    if (!over) return "TCP stays open";
    if (seen.wrong !== "") return seen.wrong;
    const messages = compare(seen.data, data, lenient);
    if (messages !== "") return `messages: ${messages}`;
    const answers = compare(
      seen.pongs.map((payload) => [10, payload]),
      pongs.map((payload) => [10, payload]),
      lenient,
    );
    return answers === "" ? "" : `pongs: ${answers}`;
  } finally {
    socket.destroy();
  }
}

async function write(socket, bytes, pieces) {
  if (pieces === undefined) {
    socket.write(bytes);
    return;
  }
  for (let at = 0; at < bytes.length; at += pieces) {
    socket.write(bytes.subarray(at, at + pieces));
    await new Promise(setImmediate); // So that they really leave apart.
  }
}

function whole(parts) {
  const payload = Buffer.concat(parts.map((part) => part.payload));
  const [{ opcode, rsv }] = parts;
  return [opcode, rsv === 0 ? payload : inflateRawSync(Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]), { finishFlush: 2 })];
}

/** `lenient`: the connection had to be closed, so the last of them need not have come. */
function compare(seen, expected, lenient) {
  if (seen.length > expected.length || (!lenient && seen.length < expected.length)) return `${seen.length} instead of ${expected.length}`;
  const wrong = seen.findIndex(([opcode, payload], i) => opcode !== expected[i][0] || !payload.equals(expected[i][1]));
  return wrong < 0 ? "" : `number ${wrong + 1} is not what was sent`;
}
