// The checklist of what the runtime must be able to do (../shared/reference/websocket-behaviour.md §5), and what proves each row. A test in
// this folder whose title begins with `row 7:` proves row 7, over TCP and in memory; what is proved elsewhere, or beside that, is named here.

export interface Row {
  readonly row: number;
  /** What it asks for, in short. */
  readonly what: string;
  /** Tests outside this folder: path below test/ and title. */
  readonly tests?: readonly (readonly [file: string, title: string])[];
  /** Why no test of this folder proves it on both carriers. */
  readonly elsewhere?: string;
  /** Where we do something else than the row's words, and why. */
  readonly differs?: string;
}

export const rows: readonly Row[] = [
  { row: 1, what: "a decision on the upgrade, sync or async" },
  { row: 2, what: "headers on the 101" },
  { row: 3, what: "a refusal is an HTTP response" },
  { row: 4, what: "404 for a path without a route" },
  {
    row: 5,
    what: "the handshake table",
    tests: [
      ["runtime/upgrade/server.test.ts", "answers plain HTTP with 426 on a WebSocket route and 404 elsewhere"],
      ["conformance/handshake.test.ts", "answers every request of the handshake corpus as docs/wire.md says, whole and byte by byte"],
    ],
  },
  {
    row: 6,
    what: "HTTP and WebSockets on one port, on a server of ours or the user's",
    tests: [
      ["runtime/upgrade/server.test.ts", "can be the user's own, which attach() neither starts nor stops"],
      ["runtime/adapters/frameworks.test.ts", "answers its routes, and leaves plain HTTP on the same port to the framework"],
    ],
  },
  {
    row: 7,
    what: "parameters, wildcards, groups",
    tests: [["runtime/upgrade/server.test.ts", "know what middleware adds and which parameters a path has"]],
  },
  { row: 8, what: "middleware around the upgrade" },
  { row: 9, what: "context from middleware to handler" },
  { row: 10, what: "the request in the handler" },
  {
    row: 11,
    what: "an upgrade inside an HTTP handler",
    tests: [["runtime/adapters/frameworks.test.ts", "lets an ordinary HTTP handler upgrade, or answer as it does anyone"]],
  },
  { row: 12, what: "query and headers checked at the upgrade" },
  { row: 13, what: "subprotocols" },
  {
    row: 14,
    what: "origins",
    tests: [["runtime/upgrade/handshake.test.ts", "lets exactly the pages named connect, and the log of a 403 says what to write"]],
  },
  {
    row: 15,
    what: "a client that resets, a decision that takes too long",
    differs: "503 and not 408: the server is slow, not the client.",
  },
  { row: 16, what: "bytes right behind the handshake" },
  { row: 17, what: "limits on connections: total, per address, per route" },
  {
    row: 18,
    what: "TLS",
    tests: [["runtime/upgrade/server.test.ts", "speaks TLS through an https.Server"]],
    elsewhere: "TLS is a matter of real sockets.",
  },
  {
    row: 20,
    what: "proxies",
    tests: [["runtime/upgrade/limits.test.ts", "is needed for X-Forwarded-Host to be the host whose pages may connect"]],
  },
  { row: 21, what: "the handler's life is the connection's" },
  { row: 22, what: "messages as an iterator, in order, one reader", differs: "Another reader may follow once a loop was left." },
  { row: 23, what: "message size, before buffering" },
  { row: 24, what: "frames before FIN" },
  {
    row: 25,
    what: "one inbound message as a stream",
    tests: [["runtime/connection/streaming.test.ts", "takes an upload far over the route's limit through bounded memory"]],
    differs: "What was sent and not yet read is bounded, and not the process's memory, which belongs to the test's client as well.",
  },
  { row: 26, what: "frame size" },
  {
    row: 27,
    what: "exact back pressure to TCP",
    tests: [
      ["runtime/connection/connection.test.ts", "stops reading TCP when nobody takes the messages, and loses none of them"],
      ["runtime/connection/connection.test.ts", "shows a waiting sink one message and reads sixteen ahead, not one more"],
    ],
  },
  {
    row: 28,
    what: "liveness while a handler is slow",
    tests: [["runtime/connection/limits.test.ts", "closes 1013 when what the peer sent waits too long, and not before"]],
  },
  { row: 29, what: "text and binary" },
  {
    row: 30,
    what: "UTF-8",
    tests: [
      [
        "runtime/connection/streaming.test.ts",
        "checks text as it comes: a character may be cut, an impossible byte closes 1007 before the message has ended",
      ],
    ],
  },
  { row: 31, what: "number of fragments" },
  { row: 32, what: "protocol errors" },
  {
    row: 33,
    what: "payloads checked by the contract",
    tests: [["runtime/contract-server/register.test.ts", "closes with 1008 after twenty invalid messages in ten seconds"]],
  },
  {
    row: 34,
    what: "filters of messages, in and out",
    tests: [
      ["runtime/contract-server/filters.test.ts", "stops the eleventh message, and lets those of others through"],
      ["runtime/contract-server/filters.test.ts", "takes a field out of everything that is sent: to one, to a room, as a reply"],
    ],
    elsewhere: "Its own suite runs on both carriers.",
    differs: "Two functions of a contract, `receive` and `send`; the loop of a hand-written route is its own filter.",
  },
  { row: 35, what: "handlers of one connection at a time" },
  {
    row: 36,
    what: "an awaited send is back pressure",
    differs: "It waits for room, not for each flush (DESIGN §4); `conn.flushed()` waits for the kernel.",
  },
  {
    row: 37,
    what: "policies for slow consumers",
    tests: [["runtime/connection/overflow.test.ts", "loses nothing when the sender waits"]],
    differs: "No `trySend()`: `send` gives `undefined` below the mark and a promise above it, which says as much. Blocking is awaiting it.",
  },
  {
    row: 38,
    what: "a streamed outbound message",
    differs: "No `send(ReadableStream)`: a stream is piped to `new WritableStream(conn.message(…))`.",
  },
  { row: 39, what: "fragments of a size" },
  { row: 40, what: "ping with round-trip time" },
  {
    row: 46,
    what: "request and reply",
    tests: [["runtime/client/client.test.ts", "settle with their reply, in any order, and the reply is no event"]],
  },
  { row: 47, what: "requests from server to client" },
  { row: 49, what: "requests settle when the connection closes" },
  {
    row: 50,
    what: "heartbeat",
    tests: [["runtime/connection/heartbeat.test.ts", "takes any byte for life, even of half a frame"]],
    differs:
      "Any byte is a sign of life, a pong with other data as well: who sends is not dead, and RFC 6455 §5.5.3 allows unsolicited pongs as heartbeats.",
  },
  {
    row: 51,
    what: "pongs, and floods of pings",
    tests: [
      ["runtime/connection/writer.test.ts", "is answered the latest of its pings when it reads again, and fills no memory with the others"],
    ],
    differs:
      "A flood is no reason to end: a peer that reads is answered, one that does not gets the latest pong alone. `inboundRate` counts pings.",
  },
  { row: 52, what: "idle timeout and lifetime" },
  { row: 53, what: "close with code and reason" },
  { row: 54, what: "the outcome of a connection" },
  { row: 55, what: "the peer's close is echoed" },
  { row: 56, what: "close timeout" },
  { row: 57, what: "cancellation by conn.signal" },
  {
    row: 58,
    what: "draining",
    tests: [
      ["runtime/upgrade/server.test.ts", "drains on SIGTERM, leaves the process to whoever else listens, and takes its listeners back"],
    ],
    differs: "1012, as DESIGN §6 has it, and not 1001.",
  },
  { row: 59, what: "errors do not leak" },
  {
    row: 60,
    what: "nothing is left behind",
    tests: [
      [
        "runtime/connection/connection.test.ts",
        "leaves nothing behind: no listeners but the one for late errors, and nothing that keeps the connection in memory",
      ],
      ["runtime/extensions/deflate.test.ts", "leaves nothing behind after 1,000 connections"],
    ],
  },
  {
    row: 61,
    what: "permessage-deflate with all options",
    tests: [["runtime/extensions/deflate.test.ts", "stays within the windows agreed on"]],
  },
  { row: 62, what: "decompression bombs" },
  {
    row: 63,
    what: "extensions of one's own",
    tests: [["runtime/extensions/stack.test.ts", "change what is sent in their order, and what is received in reverse"]],
  },
  { row: 64, what: "a client with a scope" },
  {
    row: 65,
    what: "one client for browsers and Node",
    tests: [
      ["runtime/client/client.test.ts", "sends code and reason, settles `closed`, aborts `signal`, and ends the reader"],
      ["page.slow.ts", "lets two tabs talk to each other, and shows the contract at work"],
    ],
    elsewhere: "The client's own suite runs on a standard WebSocket and on `ws`, both over TCP.",
  },
  {
    row: 66,
    what: "headers, SNI and TLS options of the client",
    tests: [
      ["runtime/connect/connect.test.ts", "sends headers and subprotocols, and shows those of the answer"],
      ["runtime/connect/connect.test.ts", "speaks TLS with a certificate authority and a server name of the caller's"],
    ],
    elsewhere: "TLS is a matter of real sockets.",
  },
  { row: 75, what: "a server without a port, for tests" },
  {
    row: 76,
    what: "raw frames for tests",
    tests: [["runtime/connection/wire.test.ts", "is told so from the header alone, before the bytes are buffered"]],
    elsewhere:
      "test/runtime/raw-client.ts is how the tests of row 32 speak. It is not published: whoever tests handlers has no use for frames that are wrong.",
  },
  {
    row: 77,
    what: "conformance",
    tests: [["conformance/protocol.test.ts", "answers every case of the protocol suite as RFC 6455 and RFC 7692 want it"]],
    elsewhere: "It is about bytes on TCP.",
  },
  {
    row: 78,
    what: "logs, events, counters",
    tests: [["runtime/observe/events.test.ts", "hear the same events of a scripted session, each with its connection's id"]],
  },
  { row: 79, what: "limits that change while a connection is open" },
];
