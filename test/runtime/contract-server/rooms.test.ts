import { describe, expect, it } from "vitest";
import { prepareCalls } from "../../../runtime/src/contract/calls.ts";
import { type Audience, createRooms, type Member } from "../../../runtime/src/contract/rooms.ts";

interface Say {
  say(text: string): void;
}

const Send = prepareCalls<Audience, (text: string) => unknown>(
  ["say"],
  () => (audience) => (text) => audience.publish(Buffer.from(text), "say", "say"),
);

/** A member that keeps what it gets, and may do something at that moment. */
function member(id: string, react?: (text: string) => void): Member & { readonly frames: (Buffer | string)[]; readonly texts: string[] } {
  const frames: (Buffer | string)[] = [];
  return {
    id,
    frames,
    get texts() {
      return frames.map(String);
    },
    push(frame) {
      frames.push(frame);
      react?.(String(frame));
      return undefined;
    },
  };
}

function lobby(...members: Member[]) {
  const rooms = createRooms(Send);
  for (const each of members) rooms.join("lobby", each);
  return { rooms, say: (text: string) => (rooms.to("lobby").send as Say).say(text) };
}

describe("a room", () => {
  it("gives every member the very same frame, once", () => {
    const [ada, bob] = [member("ada"), member("bob")];
    const { rooms, say } = lobby(ada, bob);
    rooms.join("lobby", ada);
    say("one");
    expect([ada.frames.length, bob.frames.length]).toEqual([1, 1]);
    expect(ada.frames[0]).toBe(bob.frames[0]);
  });

  it("can be left and entered again", () => {
    const [ada, bob] = [member("ada"), member("bob")];
    const { rooms, say } = lobby(ada, bob);
    say("one");
    rooms.leave("lobby", bob);
    say("two");
    rooms.join("lobby", bob);
    say("three");
    expect([ada.texts, bob.texts]).toEqual([
      ["one", "two", "three"],
      ["one", "three"],
    ]);
  });

  it("reaches those who were in it when the message was sent, whoever comes and goes while it is handed out", () => {
    const newcomer = member("newcomer");
    const last = member("last");
    const { rooms, say } = lobby(
      member("first", () => {
        rooms.leave("lobby", last);
        rooms.join("lobby", newcomer);
      }),
      last,
    );
    say("one");
    expect([newcomer.texts, last.texts]).toEqual([[], ["one"]]);
    say("two");
    expect([newcomer.texts, last.texts]).toEqual([["two"], ["one"]]);
  });

  it("gives all members its messages in one order, also those that are sent while another is handed out", () => {
    const [ada, bob] = [member("ada"), member("bob")];
    const { say } = lobby(
      ada,
      member("echo", (text) => text.length < 4 && say(`${text}!`)),
      bob,
    );
    say("a");
    say("b");
    expect(ada.texts).toEqual(["a", "a!", "a!!", "a!!!", "b", "b!", "b!!", "b!!!"]);
    expect(bob.texts).toEqual(ada.texts);
  });

  it("leaves nothing behind when everybody has left", () => {
    const rooms = createRooms(Send);
    const members = Array.from({ length: 100 }, (_, i) => member(`m${i}`));
    for (const [i, each] of members.entries())
      for (let room = 0; room < 100; room++) rooms.join(`room ${(i * room) % 1000}`, each, `p${i}`);
    expect(rooms.size).toBeGreaterThan(500);
    for (const [i, each] of members.entries()) for (let room = 0; room < 100; room++) rooms.leave(`room ${(i * room) % 1000}`, each);
    expect(rooms.size).toBe(0);
    expect(rooms.presence("room 0").members.size).toBe(0);
  });
});

describe("the methods of send", () => {
  it("are those of the document and no others, whatever they are called, and work without their object", () => {
    const Calls = prepareCalls<string[], (text: string) => void>(
      ["toString", "constructor", "__proto__", "then"],
      (name) => (log) => (text) => {
        log.push(`${name} ${text}`);
      },
    );
    const log: string[] = [];
    const calls = new Calls(log) as Record<string, (text: string) => void>;
    for (const name of ["toString", "constructor", "__proto__", "then"]) {
      const call = calls[name];
      call?.("x");
    }
    expect(log).toEqual(["toString x", "constructor x", "__proto__ x", "then x"]);
    expect(calls["hasOwnProperty"]).toBeUndefined();
  });
});
