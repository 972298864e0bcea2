// Rooms of one endpoint: who is in which, and how to reach all of them with one frame.
import type { Sent } from "../connection/connection.ts";
import type { CallsOf } from "./calls.ts";

/** Who can be in a room. */
export interface Member {
  readonly id: string;
  /** Queues one encoded frame; `key` says what it may replace where messages are conflated. */
  push(frame: Buffer, key: string): Sent;
}

/** Everyone a message goes to. */
export interface Recipients<Send> {
  /**
   * One method for every message the server sends. The payload is checked and encoded once, and ContractError is thrown when the contract does not
   * allow it. Members that do not keep up are closed with 1013; nobody waits for them, so the result is always `undefined`.
   */
  readonly send: Send;
  /** The same without these connections. */
  except(...connections: readonly { readonly id: string }[]): Recipients<Send>;
}

/** The way a message takes to whoever it is meant for: its name and its frame. */
export type Deliver = (frame: Buffer, name: string) => Sent;

/** The rooms of one endpoint. A room exists while somebody is in it. */
export interface Rooms {
  join(room: string, member: Member): void;
  leave(room: string, member: Member): void;
  /** Takes a member that is gone out of all its rooms; it cannot come back. */
  leaveAll(member: Member): void;
  to(room: string): Recipients<object>;
}

/** Creates the rooms of one endpoint. `Send` makes the methods of `to(room).send`. */
export function createRooms(Send: CallsOf<Deliver>): Rooms {
  const membersOf = new Map<string, Set<Member>>();
  const roomsOf = new Map<Member, Set<string>>();
  const gone = new WeakSet<Member>();

  const leave = (room: string, member: Member): void => {
    const members = membersOf.get(room);
    members?.delete(member);
    if (members?.size === 0) membersOf.delete(room);
    const rooms = roomsOf.get(member);
    rooms?.delete(room);
    if (rooms?.size === 0) roomsOf.delete(member);
  };

  const recipients = (room: string, excepted: ReadonlySet<string>): Recipients<object> => ({
    send: new Send((frame, name) => {
      for (const member of membersOf.get(room) ?? []) if (!excepted.has(member.id)) void member.push(frame, name);
      return undefined;
    }),
    except: (...connections) => recipients(room, new Set([...excepted, ...connections.map(({ id }) => id)])),
  });

  return {
    join(room, member) {
      if (gone.has(member)) return; // A handler that was still at work when its client left.
      addTo(membersOf, room, member);
      addTo(roomsOf, member, room);
    },
    leave,
    leaveAll(member) {
      gone.add(member);
      for (const room of roomsOf.get(member) ?? []) leave(room, member);
    },
    to: (room) => recipients(room, nobody),
  };
}

const nobody: ReadonlySet<string> = new Set();

function addTo<Key, Value>(sets: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}
