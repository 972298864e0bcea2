import { describe, expect, it } from "vitest";
import { prepareCalls } from "../../../runtime/src/contract/calls.ts";
import { createRooms, type Deliver, type Member } from "../../../runtime/src/contract/rooms.ts";

interface Say {
  say(text: string): void;
}

const Send = prepareCalls<Deliver, (text: string) => unknown>(["say"], () => (deliver) => (text) => deliver(Buffer.from(text), "say"));

function member(id: string): Member & { readonly frames: Buffer[] } {
  const frames: Buffer[] = [];
  return { id, frames, push: (frame) => void frames.push(frame) };
}

describe("rooms", () => {
  const [ada, bob] = [member("ada"), member("bob")];
  const rooms = createRooms(Send);
  const say = (text: string) => (rooms.to("lobby").send as Say).say(text);

  it("give every member the very same frame", () => {
    rooms.join("lobby", ada);
    rooms.join("lobby", ada);
    rooms.join("lobby", bob);
    say("one");
    expect(ada.frames).toHaveLength(1);
    expect(ada.frames[0]).toBe(bob.frames[0]);
  });

  it("forget a member that is gone, for good", () => {
    rooms.leaveAll(bob);
    rooms.join("lobby", bob);
    say("two");
    expect([ada.frames.length, bob.frames.length]).toEqual([2, 1]);
  });

  it("can be entered again by a member that left one", () => {
    rooms.leave("lobby", ada);
    say("three");
    rooms.join("lobby", ada);
    say("four");
    expect(ada.frames.map(String)).toEqual(["one", "two", "four"]);
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
