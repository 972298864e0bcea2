// Rooms of one endpoint: who is in which, and how to reach all of them with one frame.
import type { Manner, Sent } from "../connection/connection.ts";
import type { CallsOf } from "./calls.ts";
import { createPresences, type Presence, type PresenceOptions } from "./presence.ts";

/** Whoever a message is for; `name` is the message's, unless it answers something. */
export interface Addressee {
  push(message: Buffer | string, name: string | undefined): Sent;
}

/** Everyone a room's message is for; `key` is its name, unless it answers something. */
export interface Audience {
  publish(frame: Buffer, name: string, key: string | undefined): undefined;
}

/** Who can be in a room: a connection. */
export interface Member {
  readonly id: string;
  /** Queues a message. See `ConnectionCore.push`. */
  push(message: Buffer | string, key: string | undefined, manner?: Manner): Sent;
}

/** Somebody to send to, and how. */
export interface Sending<Send> {
  /** One method for every message the server sends. Each checks its payload and throws ContractError when the contract does not allow it. */
  readonly send: Send;
  /** The same, but whoever has not taken yet what was sent before misses it: for what is worth nothing later. */
  readonly volatile: Sending<Send>;
  /**
   * The same, but while a message waits for somebody slow, a newer one of the same name and `key` replaces it, so that the last value always
   * arrives. Default: the name alone. A message that answers a request is never replaced.
   */
  conflate(key?: string): Sending<Send>;
}

/** Everyone in a room. A message is checked and encoded once for all of them. */
export interface Recipients<Send> extends Sending<Send> {
  /**
   * Reaches whoever is in the room at the time of the call; who comes in while it lasts does not get it. All members get the messages of a
   * room in the same order. A member that does not keep up meets its `limits.overflow` (default: it is closed with 1013) and nobody waits
   * for it, so the result is always `undefined`.
   */
  readonly send: Send;
  readonly volatile: Recipients<Send>;
  conflate(key?: string): Recipients<Send>;
  /** The same without these connections. */
  except(...connections: readonly { readonly id: string }[]): Recipients<Send>;
  /** Those of them that are connected to this process, where an adapter joins several. */
  readonly local: Recipients<Send>;
}

/** A message on its way to a room. */
export interface RoomMessage {
  readonly frame: Buffer;
  /** In the contract. */
  readonly name: string;
  /** What it replaces where messages are conflated, if anything. */
  readonly key: string | undefined;
  readonly manner: Manner | undefined;
  /** Ids of connections that do not get it. */
  readonly except: ReadonlySet<string> | undefined;
}

/** How the rooms of one endpoint reach those of other processes. */
export interface Relay {
  /** Somebody is in the room now … */
  open(room: string): void;
  /** … and now nobody is. */
  close(room: string): void;
  publish(room: string, message: RoomMessage): void;
}

/** The rooms of one endpoint. A room exists while somebody is in it. */
export interface Rooms {
  /** `as` says who it is, see {@link Presence}. Joining again changes that alone. */
  join(room: string, member: Member, as?: string): void;
  leave(room: string, member: Member): void;
  to(room: string): Recipients<object>;
  presence(room: string, options?: PresenceOptions): Presence;
  /** The rooms that exist. */
  readonly size: number;
}

interface Room {
  readonly members: Set<Member>;
  /** Who they say they are, of those that say so. */
  readonly names: Map<Member, string>;
  /** The same as a list that never changes, made when something is sent: what happens meanwhile makes another. */
  list: readonly Member[] | undefined;
}

/**
 * Creates the rooms of one endpoint. `Send` makes the methods of `to(room).send`; `connect` is given what delivers the messages of other
 * processes.
 */
export function createRooms(Send: CallsOf<Audience>, connect?: (deliver: Deliver) => Relay): Rooms {
  const rooms = new Map<string, Room>();
  const presences = createPresences();
  const deliver = createDelivery((name) => {
    const room = rooms.get(name);
    if (room !== undefined) room.list ??= [...room.members];
    return room?.list;
  });
  const relay = connect?.(deliver);

  return {
    join(name, member, as) {
      let room = rooms.get(name);
      if (room === undefined) {
        room = { members: new Set(), names: new Map(), list: undefined };
        rooms.set(name, room);
        relay?.open(name);
      }
      if (!room.members.has(member)) room.list = undefined;
      room.members.add(member);
      const before = room.names.get(member);
      if (before === as) return;
      if (as === undefined) room.names.delete(member);
      else {
        room.names.set(member, as);
        presences.enter(name, as);
      }
      if (before !== undefined) presences.leave(name, before);
    },
    leave(name, member) {
      const room = rooms.get(name);
      if (room?.members.has(member) !== true) return;
      const as = room.names.get(member);
      room.members.delete(member);
      room.names.delete(member);
      room.list = undefined;
      if (room.members.size === 0) {
        rooms.delete(name);
        relay?.close(name);
      }
      if (as !== undefined) presences.leave(name, as);
    },
    to(name) {
      const publish: Publish = (message, local) => {
        deliver(name, message, local ? undefined : relay);
      };
      return new RoomRecipients(Send, publish, everyone);
    },
    presence: (name, options) => presences.of(name, options),
    get size() {
      return rooms.size;
    },
  };
}

/** Hands a message to the members of a room of this process, and then to the relay that is to have it. */
export type Deliver = (room: string, message: RoomMessage, relay?: Pick<Relay, "publish">) => void;

/**
 * What is sent while another message is being handed out (a member that is closed may say so to a listener, which may send) follows when that
 * is done, for otherwise not all members would get the two in the same order, here or in other processes.
 */
function createDelivery(membersOf: (room: string) => readonly Member[] | undefined): Deliver {
  const queue: Delivery[] = [];
  let busy = false;
  return (room, message, relay) => {
    const delivery = { room, members: membersOf(room) ?? nobody, message, relay };
    if (busy) {
      queue.push(delivery);
      return;
    }
    busy = true;
    try {
      handOver(delivery);
      for (const next of queue) handOver(next);
    } finally {
      busy = false;
      queue.length = 0;
    }
  };
}

interface Delivery {
  readonly room: string;
  readonly members: readonly Member[];
  readonly message: RoomMessage;
  readonly relay: Pick<Relay, "publish"> | undefined;
}

const nobody: readonly Member[] = [];

function handOver({ room, members, message, relay }: Delivery): void {
  handOut(members, message);
  relay?.publish(room, message);
}

function handOut(members: readonly Member[], { frame, key, manner, except }: RoomMessage): void {
  for (const member of members) if (except === undefined || !except.has(member.id)) void member.push(frame, key, manner);
}

/** Which of a room's members get a message, and how. */
interface Terms {
  readonly except: ReadonlySet<string> | undefined;
  readonly local: boolean;
  readonly manner: Manner | undefined;
  /** Of conflation, beside the message's name. */
  readonly key: string | undefined;
}

const everyone: Terms = { except: undefined, local: false, manner: undefined, key: undefined };

type Publish = (message: RoomMessage, local: boolean) => void;

class RoomRecipients implements Recipients<object>, Audience {
  readonly #Send: CallsOf<Audience>;
  readonly #publish: Publish;
  readonly #terms: Terms;

  constructor(Send: CallsOf<Audience>, publish: Publish, terms: Terms) {
    this.#Send = Send;
    this.#publish = publish;
    this.#terms = terms;
  }

  get send(): object {
    return new this.#Send(this);
  }

  get volatile(): RoomRecipients {
    return this.#with({ manner: "volatile", key: undefined });
  }

  get local(): RoomRecipients {
    return this.#with({ local: true });
  }

  conflate(key?: string): RoomRecipients {
    return this.#with({ manner: "conflated", key });
  }

  except(...connections: readonly { readonly id: string }[]): RoomRecipients {
    return this.#with({ except: new Set([...(this.#terms.except ?? []), ...connections.map(({ id }) => id)]) });
  }

  publish(frame: Buffer, name: string, key: string | undefined): undefined {
    const { except, local, manner, key: own } = this.#terms;
    this.#publish({ frame, name, key: conflationKey(key, own), manner, except }, local);
  }

  #with(terms: Partial<Terms>): RoomRecipients {
    return new RoomRecipients(this.#Send, this.#publish, { ...this.#terms, ...terms });
  }
}

/** One member alone, with a manner of its own. */
export class OneRecipient implements Sending<object>, Addressee {
  readonly #Send: CallsOf<Addressee>;
  readonly #member: Member;
  readonly #manner: Manner;
  readonly #key: string | undefined;

  constructor(Send: CallsOf<Addressee>, member: Member, manner: Manner, key: string | undefined) {
    this.#Send = Send;
    this.#member = member;
    this.#manner = manner;
    this.#key = key;
  }

  get send(): object {
    return new this.#Send(this);
  }

  get volatile(): OneRecipient {
    return new OneRecipient(this.#Send, this.#member, "volatile", undefined);
  }

  conflate(key?: string): OneRecipient {
    return new OneRecipient(this.#Send, this.#member, "conflated", key);
  }

  push(message: Buffer | string, name: string | undefined): Sent {
    return this.#member.push(message, conflationKey(name, this.#key), this.#manner);
  }
}

/** Names hold no line breaks, as they are identifiers. */
function conflationKey(name: string | undefined, key: string | undefined): string | undefined {
  return name === undefined || key === undefined ? name : `${name}\n${key}`;
}
