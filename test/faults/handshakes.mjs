// R16 and R25: the handshake corpus, whole and byte by byte, and pages of every origin.
import { createRouter, serve } from "@wsgen/runtime";
import { WebSocketServer } from "ws";
import { corpus, examine, start } from "../conformance/handshake.mjs";
import { upgradeRequest } from "./peers.mjs";
import { startSubject } from "./process.mjs";

const policies = {
  "same-origin": {},
  "a list": { origins: ["https://app.example.com", "https://xn--mnchen-3ya.example"] },
  any: { insecureAllowAnyOrigin: true },
};

export const subjects = {
  /** The server of the corpus, in one of the states that it has cases for. */
  corpus: ({ state }) => start(state),
  async origins({ policy }) {
    const router = createRouter(policies[policy]);
    router.ws("/ws", async (conn) => {
      for await (const message of conn.messages()) await conn.send(message);
    });
    return serve(router, { host: "127.0.0.1" });
  },
  async bare() {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    server.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    await new Promise((resolve) => server.once("listening", resolve));
    return { port: server.address().port };
  },
};

export async function* measure({ id }) {
  yield* id === "R16" ? measureCorpus() : measureOrigins();
}

async function* measureCorpus() {
  const ours = { total: 0, failures: [], alive: true };
  const theirs = { failures: [] };
  for (const [state, cases] of Object.entries(corpus)) {
    const subject = await startSubject(import.meta.url, "corpus", { state });
    const bare = await startSubject(import.meta.url, "bare");
    for (const bytewise of [false, true]) {
      ours.total += cases.length;
      ours.failures.push(...(await examine(subject.port, cases, bytewise)));
      theirs.failures.push(...(await examine(bare.port, cases, bytewise)));
    }
    ours.alive &&= await subject.ask("resources").then(
      () => true,
      () => false,
    );
    await subject.stop();
    await bare.stop();
  }
  const { total, failures, alive } = ours;
  const what = `answers of the corpus, of ${total}, whole and byte by byte`;
  yield { what, measured: total - failures.length, equals: total, bare: total - theirs.failures.length };
  if (failures.length > 0) yield { what: "not as the table says, the first", measured: failures[0] };
  yield { what: "alive", measured: alive, equals: true };
}

const HOST = "app.example.com";

/** Origin headers as sent to the host above (or the one given), and by policy whether they may come in. */
const origins = [
  { origin: undefined, same: true, list: true },
  { origin: "https://app.example.com", same: true, list: true },
  { origin: "http://app.example.com", same: true, list: false },
  { origin: "https://app.example.com:443", same: false, list: false }, // No browser writes the scheme's own port.
  { origin: "https://app.example.com:8443", same: false, list: false },
  { origin: "https://app.example.com:8443", host: "app.example.com:8443", same: true, list: false },
  { origin: "HTTPS://APP.EXAMPLE.COM", same: true, list: true },
  { origin: "https://App.Example.com", same: true, list: true },
  { origin: "null", same: false, list: false },
  { origin: "", same: false, list: false },
  { origin: " ", same: false, list: false },
  { origin: ["https://app.example.com", "https://app.example.com"], same: false, list: false },
  { origin: ["https://app.example.com", "https://evil.example"], same: false, list: false },
  { origin: "https://app.example.com, https://evil.example", same: false, list: false },
  { origin: "https://app.example.com https://evil.example", same: false, list: false },
  { origin: "https://evil-app.example.com", same: false, list: false },
  { origin: "https://app.example.com.evil.example", same: false, list: false },
  { origin: "https://app.example.comevil", same: false, list: false },
  { origin: "https://app.example.com.", same: false, list: false },
  { origin: "https://evil.example/app.example.com", same: false, list: false },
  { origin: "https://app.example.com/", same: false, list: false },
  { origin: "https://app.example.com/path", same: false, list: false },
  { origin: "https://app.example.com@evil.example", same: false, list: false },
  { origin: "https://evil.example#app.example.com", same: false, list: false },
  { origin: "https://evil.example\\.app.example.com", same: false, list: false },
  { origin: "//app.example.com", same: false, list: false },
  { origin: "app.example.com", same: false, list: false },
  { origin: "https://", same: false, list: false },
  { origin: "https://[", same: false, list: false },
  { origin: "https://[::1]", same: false, list: false },
  { origin: "https://%61pp.example.com", same: false, list: false },
  { origin: "javascript:alert(1)", same: false, list: false },
  { origin: "file://", same: false, list: false },
  { origin: "a".repeat(4000), same: false, list: false },
  { origin: "https://xn--mnchen-3ya.example", host: "xn--mnchen-3ya.example", same: true, list: true },
  { origin: "https://m\xfcnchen.example", host: "xn--mnchen-3ya.example", same: false, list: false },
  { origin: "https://xn--mnchen-3ya.example", same: false, list: true },
];

async function* measureOrigins() {
  const wrong = [];
  let total = 0;
  let alive = true;
  for (const policy of Object.keys(policies)) {
    const subject = await startSubject(import.meta.url, "origins", { policy });
    const failures = await examine(
      subject.port,
      origins.map((one) => caseOf(one, policy)),
      false,
    );
    wrong.push(...failures.map((failure) => `${policy}: ${failure}`));
    total += origins.length;
    alive &&= await subject.ask("resources").then(
      () => true,
      () => false,
    );
    await subject.stop();
  }
  const bare = await startSubject(import.meta.url, "bare");
  const accepted = await examine(
    bare.port,
    origins.map((one) => caseOf(one, "same-origin")),
    false,
  );
  await bare.stop();
  yield {
    what: `wrong decisions, of ${total} (${origins.length} origins, 3 policies)`,
    measured: wrong.length,
    equals: 0,
    bare: `${accepted.length} of ${origins.length}`,
  };
  if (wrong.length > 0) yield { what: "wrong, the first", measured: wrong[0] };
  yield { what: "alive", measured: alive, equals: true };
}

function caseOf({ origin, host = HOST, same, list }, policy) {
  const allowed = policy === "any" || (policy === "same-origin" ? same : list);
  return {
    name: JSON.stringify(origin ?? "no origin").slice(0, 60),
    bytes: upgradeRequest("/ws", { Host: host, ...(origin === undefined ? {} : { Origin: origin }) }),
    status: allowed ? 101 : 403,
    headers: {},
    behind: "",
  };
}
