// What is to be reached: ratios in one run, server CPU against a peer's in the same round, unless `value` names an absolute figure.
// Changed by decision only (docs/decisions.md).

/** @type {readonly { scenario: string, subject: string, peer?: string, ratio?: number, value?: number }[]} */
export const targets = [
  { scenario: "client size", subject: "wsgen (core)", value: 4096 },
  { scenario: "echo 154 B, 1 in flight", subject: "wsgen", peer: "ws-json", ratio: 0.85 },
  { scenario: "echo 154 B, 16 in flight", subject: "wsgen", peer: "ws-json", ratio: 0.27 },
  { scenario: "echo 2.7 kB text, 1 in flight", subject: "wsgen", peer: "ws-json", ratio: 0.7 },
  { scenario: "echo 2.7 kB text, 16 in flight", subject: "wsgen", peer: "ws-json", ratio: 0.35 },
  { scenario: "echo 154 B, 1 in flight", subject: "wsgen", peer: "uws-ajv", ratio: 1.25 },
  { scenario: "echo 154 B, 16 in flight", subject: "wsgen", peer: "uws-ajv", ratio: 0.8 },
  { scenario: "echo 154 B, 1 in flight", subject: "wsgen", peer: "socket.io", ratio: 0.6 },
  { scenario: "echo 154 B, 16 in flight", subject: "wsgen", peer: "socket.io", ratio: 0.25 },
  { scenario: "echo 154 B, 1 in flight", subject: "wsgen", peer: "trpc", ratio: 0.22 },
  { scenario: "echo 154 B, 16 in flight", subject: "wsgen", peer: "trpc", ratio: 0.1 },
  { scenario: "echo 154 B, 1 in flight", subject: "wsgen", peer: "orpc", ratio: 0.2 },
  { scenario: "echo 154 B, 16 in flight", subject: "wsgen", peer: "orpc", ratio: 0.07 },
  { scenario: "async handler, 1 in flight", subject: "wsgen-async", peer: "wsgen", ratio: 1.2 },
  { scenario: "async handler, 16 in flight", subject: "wsgen-async", peer: "wsgen", ratio: 1.2 },
  { scenario: "broadcast 154 B, 1 per turn", subject: "wsgen", peer: "ws-json", ratio: 0.65 },
  { scenario: "broadcast 154 B, 1 per turn", subject: "wsgen", peer: "uws-ajv", ratio: 1.2 },
  { scenario: "broadcast 2.7 kB, 1 per turn", subject: "wsgen", peer: "ws-json", ratio: 0.35 },
  { scenario: "broadcast 154 B, 10 per turn", subject: "wsgen", peer: "ws-json", ratio: 0.1 },
  { scenario: "broadcast 154 B, 10 per turn", subject: "wsgen", peer: "uws-ajv", ratio: 1.25 },
  { scenario: "broadcast 2.7 kB, 10 per turn", subject: "wsgen", peer: "ws-json", ratio: 0.06 },
  { scenario: "broadcast 154 B, 1 per turn, deflated", subject: "wsgen", peer: "ws-json", ratio: 0.12 },
  { scenario: "broadcast 2.7 kB, 1 per turn, deflated", subject: "wsgen", peer: "ws-json", ratio: 0.06 },
  { scenario: "broadcast 154 B, 10 per turn, deflated", subject: "wsgen", peer: "ws-json", ratio: 0.012 },
  { scenario: "broadcast 2.7 kB, 10 per turn, deflated", subject: "wsgen", peer: "ws-json", ratio: 0.01 },
  { scenario: "room of 50 who all talk", subject: "wsgen", peer: "ws-json", ratio: 0.08 },
  { scenario: "room of 50 who all talk", subject: "wsgen", peer: "uws-ajv", ratio: 0.6 },
  { scenario: "connect and close", subject: "wsgen", peer: "ws-json", ratio: 1.15 },
  { scenario: "client, receiving 154 B", subject: "client", peer: "JSON.parse", ratio: 1.8 },
  { scenario: "client, receiving 2.7 kB book", subject: "client", peer: "JSON.parse", ratio: 1.25 },
  { scenario: "growth: messages in the contract", subject: "wsgen-500-1", peer: "wsgen-1-1", ratio: 1.05 },
  { scenario: "growth: messages in the contract", subject: "wsgen-500-500", peer: "ws-json-500-500", ratio: 0.5 },
  { scenario: "idle connection, RSS", subject: "wsgen", peer: "ws", ratio: 0.9 },
  { scenario: "idle connection, JS heap", subject: "wsgen", value: 2 }, // KB
  { scenario: "another connection's pong beside an endless loop of sends", subject: "wsgen", value: 10 }, // ms
];

/** The target of a comparison, if it has one. */
export function targetOf(scenario, subject, peer) {
  return targets.find((target) => target.scenario === scenario && target.subject === subject && target.peer === peer);
}
