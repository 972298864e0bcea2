import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createPresences, type Presence, type PresenceChange } from "../../../runtime/src/contract/presence.ts";
import { serveQuiz, until } from "./quiz-rooms.ts";

/** Keeps every change until the loop over it ends. */
function record(presence: Presence): { readonly changes: PresenceChange[]; readonly ended: Promise<void> } {
  const changes: PresenceChange[] = [];
  const ended = (async () => {
    for await (const change of presence) changes.push(change);
  })();
  return { changes, ended };
}

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("presence, %s,", (_where, tcp) => {
  test("counts two tabs of Alice as one who joins and, when both are closed, one who leaves", async () => {
    const { quiz, join } = await serveQuiz(tcp);
    const leaving = new AbortController();
    const presence = quiz.presence("a", { signal: leaving.signal });
    const { changes, ended } = record(presence);
    const tabs = [await join((conn) => conn.join("a", { as: "alice" })), await join((conn) => conn.join("a", { as: "alice" }))];
    await join((conn) => conn.join("a"));
    await join((conn) => conn.join("b", { as: "eve" }));
    expect([...presence.members]).toEqual([["alice", 2]]);
    await tabs[0]?.leave();
    expect([...presence.members]).toEqual([["alice", 1]]);
    await tabs[1]?.leave();
    expect(presence.members.size).toBe(0);
    await until(() => changes.length === 2, "Alice has come and gone");
    leaving.abort();
    await ended;
    expect(changes).toEqual([
      { joins: ["alice"], leaves: [] },
      { joins: [], leaves: ["alice"] },
    ]);
  });

  test("tells a handler who is there, and that somebody was the last", async () => {
    const { quiz, join } = await serveQuiz(tcp);
    const ada = await join((conn) => conn.join("a", { as: "ada" }));
    const seen: string[] = [];
    await join((conn) => {
      seen.push(...conn.presence("a").members.keys());
      conn.join("a", { as: "bob" });
    });
    await ada.leave();
    expect(seen).toEqual(["ada"]);
    expect([...quiz.presence("a").members.keys()]).toEqual(["bob"]);
  });
});

describe("the changes of a room", () => {
  test("begin with who is there", async () => {
    const presences = createPresences();
    presences.enter("a", "ada");
    presences.enter("a", "bob");
    const changes = presences.of("a")[Symbol.asyncIterator]();
    expect(await changes.next()).toEqual({ done: false, value: { joins: ["ada", "bob"], leaves: [] } });
  });

  test("of one turn come together, and who came and went meanwhile is in none", async () => {
    const presences = createPresences();
    const { changes } = record(presences.of("a"));
    for (let i = 0; i < 3; i++) presences.enter("a", `p${i}`);
    presences.enter("a", "reload");
    presences.leave("a", "reload");
    await pause(5);
    presences.leave("a", "p1");
    presences.enter("a", "p1");
    presences.leave("a", "p2");
    presences.enter("a", "p3");
    await pause(5);
    expect(changes).toEqual([
      { joins: ["p0", "p1", "p2"], leaves: [] },
      { joins: ["p3"], leaves: ["p2"] },
    ]);
  });

  test("do not pile up for a reader that is slow", async () => {
    const presences = createPresences();
    const changes = presences.of("a")[Symbol.asyncIterator]();
    for (let i = 0; i < 10_000; i++) {
      presences.enter("a", `p${i % 10}`);
      if (i % 3 > 0) presences.leave("a", `p${i % 10}`);
    }
    const { value } = await changes.next();
    expect(new Set(value?.joins)).toEqual(new Set(presences.of("a").members.keys()));
    expect(value?.leaves).toEqual([]);
  });

  test("end with the loop, and with the signal, whoever waits for them", async () => {
    const presences = createPresences();
    const done = { done: true, value: undefined };
    const left = presences.of("a")[Symbol.asyncIterator]();
    const waiting = left.next();
    expect(await left.return?.()).toEqual(done);
    expect(await waiting).toEqual(done);
    expect(await left.next()).toEqual(done);
    presences.enter("a", "ada");
    expect(await left.next()).toEqual(done);
    const controller = new AbortController();
    const aborted = presences.of("empty", { signal: controller.signal })[Symbol.asyncIterator]();
    const waitingToo = aborted.next();
    controller.abort();
    expect(await waitingToo).toEqual(done);
    expect(await presences.of("a", { signal: controller.signal })[Symbol.asyncIterator]().next()).toEqual(done);
  });
});
