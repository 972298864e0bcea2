import { afterEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { WebSocket } from "ws";
import * as standard from "../../../runtime/src/client/index.ts";
import * as node from "../../../runtime/src/client/node.ts";
import {
  type ClientOptions,
  ConnectionClosedError,
  ContractError,
  InboundOverflowError,
  OutboundOverflowError,
  RequestFailedError,
  RequestTimeoutError,
  UpgradeRejectedError,
  WsgenError,
} from "../../../runtime/src/client/node.ts";
import { contract, type Peer, type RoomEvent, startVendor, until, type Vendor, type VendorClient } from "./vendor.ts";

const features = [node.guards, node.constants, node.handshake, node.dispatch, node.formats, node.requests, node.answers];
let vendor: Vendor;
afterEach(() => vendor.stop());

const subjects = [
  [
    "on Node, ws loaded when it is needed",
    (options?: ClientOptions) => node.createClient<VendorClient>(contract, vendor.url, { reconnect: false, ...options }, features),
  ],
  [
    "on a standard WebSocket, injected",
    (options?: ClientOptions) =>
      standard.createClient<VendorClient>(contract, vendor.url, { WebSocket, reconnect: false, ...options }, features),
  ],
] as const;

for (const [name, create] of subjects) {
  describe(name, () => {
    async function room(options?: ClientOptions, greet?: (peer: Peer) => void) {
      vendor = await startVendor(greet);
      const client = await create(options).room({ room: "lobby" }, { query: { name: "Ada" } });
      return { client, peer: await vendor.peer() };
    }
    const say = (peer: Peer, payload: object) => peer.socket.send(JSON.stringify(payload));

    describe("connecting", () => {
      it("writes parameters and query into the address, encoded", async () => {
        vendor = await startVendor();
        const client = await create().room(
          { room: "a/b ?#é" },
          { query: { name: "A&B", limit: 3, tags: ["x", "y"] }, protocols: ["v1", "v2"] },
        );
        const peer = await vendor.peer();
        expect(peer.url).toBe("/rooms/a%2Fb%20%3F%23%C3%A9?name=A%26B&limit=3&tags=x&tags=y");
        expect(client.url).toBe(vendor.url + peer.url);
        expect(client.protocol).toBe("v2");
        await client.close();
      });

      it("refuses parameters and query that the contract does not allow, before it connects", async () => {
        vendor = await startVendor();
        const refused = await create()
          .room({ room: "much too long a name" })
          .catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(ContractError);
        expect(refused).toMatchObject({ path: "/room", direction: "outbound", messageName: undefined });
        expect(String(refused)).toContain("Not connected to /rooms/{room}: path parameters: /room must NOT have more than 10 characters.");
        await expect(create().room({ room: "a" }, { query: { limit: "many" as never } })).rejects.toThrow("/limit must be integer");
        for (const name of ["", ".", "..", "\ud800"]) await expect(create().room({ room: name })).rejects.toThrow(ContractError);
      });

      it("rejects with the reason of a signal that aborts while it waits", async () => {
        vendor = await startVendor();
        const reason = new Error("changed my mind");
        await expect(create().room({ room: "a" }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
        const stop = new AbortController();
        const attempt = create().room({ room: "slow" }, { signal: stop.signal });
        setTimeout(() => stop.abort(reason), 30);
        await expect(attempt).rejects.toBe(reason);
      });

      it("rejects when nobody listens, without the query in the message", async () => {
        vendor = await startVendor();
        const client = create();
        await vendor.stop();
        const refused = await client.room({ room: "a" }, { query: { name: "secret" } }).catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(UpgradeRejectedError);
        expect(String(refused)).toMatch(/\/rooms\/a did not accept the WebSocket handshake: .*ECONNREFUSED/);
        expect(String(refused)).not.toContain("secret");
        vendor = await startVendor();
      });

      it("takes options first where the path has no parameters", async () => {
        vendor = await startVendor(({ socket }) => socket.send("hello"));
        const feed = await create().feed({ protocols: "p" });
        expect(feed.protocol).toBe("p");
        for await (const event of feed) {
          expect(event).toEqual({ name: "line", payload: "hello" });
          break;
        }
        await feed.close();
      });
    });

    describe("sending", () => {
      it("fills in constants, and sends bytes as they are", async () => {
        const { client, peer } = await room();
        expect(client.send.post({ text: "hi" })).toBeUndefined();
        client.send.audio(new Uint8Array([1, 2, 3]));
        await until(() => peer.said.length === 2);
        expect(peer.said).toEqual(['{"type":"post","text":"hi"}', new Uint8Array([1, 2, 3])]);
      });

      it("throws what the contract does not allow, and sends nothing", async () => {
        const { client, peer } = await room();
        expect(() => client.send.post({ text: "" })).toThrow(ContractError);
        client.send.post({ text: "after" });
        await until(() => peer.said.length > 0);
        expect(peer.said).toEqual(['{"type":"post","text":"after"}']);
      });

      it("holds an awaiting sender back while 1 MiB waits, and loses nothing", async () => {
        const { client, peer } = await room();
        const text = "x".repeat(300_000);
        let most = 0;
        let waited = 0;
        for (let count = 0; count < 30; count++) {
          const sent = client.send.post({ text });
          if (sent !== undefined) waited++;
          await sent;
          most = Math.max(most, count);
        }
        await until(() => peer.said.length === 30);
        expect(waited).toBeGreaterThan(0);
      });

      it("rejects, and needs no one to look, once the connection is closed", async () => {
        const { client } = await room();
        await client.close();
        client.send.post({ text: "unseen" });
        await expect(client.send.post({ text: "late" })).rejects.toThrow(ConnectionClosedError);
      });
    });

    describe("requests", () => {
      it("settle with their reply, in any order, and the reply is no event", async () => {
        const { client, peer } = await room();
        const asked = [client.request.history({}), client.request.history({ before: "9" })];
        await until(() => peer.said.length === 2);
        const ids = peer.said.map((text) => (JSON.parse(String(text)) as { requestId: string }).requestId);
        for (const requestId of ids.toReversed()) say(peer, { type: "page", requestId, items: [requestId] });
        expect((await Promise.all(asked)).map(({ items }) => items)).toEqual(ids.map((id) => [id]));
        say(peer, { type: "post", text: "next" });
        for await (const { name } of client) {
          expect(name).toBe("post");
          break;
        }
      });

      it("reject with the contract's error message, after their time, and when the connection closes", async () => {
        const { client, peer } = await room();
        const failing = client.request.history({});
        await until(() => peer.said.length === 1);
        say(peer, { type: "problem", code: "no", requestId: "1" });
        await expect(failing).rejects.toThrow(RequestFailedError);
        await expect(client.request.history({}, { timeout: 10 })).rejects.toThrow(RequestTimeoutError);

        const open = [1, 2, 3, 4, 5].map(() => client.request.history({}));
        peer.socket.close(4001, "enough");
        for (const request of open)
          await expect(request).rejects.toMatchObject({ name: "ConnectionClosedError", closeCode: 4001, reason: "enough" });
      });

      it("reject at once when they cannot be sent: the connection is closed, or too much waits for it", async () => {
        const { client, peer } = await room({ reconnect: { spread: 60_000 } });
        peer.socket.terminate();
        await until(() => client.getSnapshot().status === "reconnecting");
        client.send.post({ text: "x".repeat(1024 * 1024) });
        await expect(client.request.history({}, { timeout: 0 })).rejects.toThrow(OutboundOverflowError);
        await client.close();
        await expect(client.request.history({}, { timeout: 0 })).rejects.toThrow(ConnectionClosedError);
      });

      it("swallow a reply that comes late", async () => {
        const invalid: ContractError[] = [];
        const { client, peer } = await room({ onInvalid: (error) => void invalid.push(error) });
        await expect(client.request.history({}, { timeout: 10 })).rejects.toThrow(RequestTimeoutError);
        say(peer, { type: "page", requestId: "1", items: [] });
        say(peer, { type: "post", text: "next" });
        for await (const { name } of client) {
          expect(name).toBe("post");
          break;
        }
        expect(invalid).toEqual([]);
      });

      it("reject when their reply is invalid", async () => {
        const { client, peer } = await room();
        const request = client.request.history({});
        await until(() => peer.said.length === 1);
        say(peer, { type: "page", requestId: "1", items: "none" });
        await expect(request).rejects.toThrow(ContractError);
      });
    });

    describe("answering the server's requests", () => {
      it("sends what the answerer returns with the request's id", async () => {
        const { client, peer } = await room();
        client.answer.confirm(async ({ id }) => ({ ok: id > 1 }));
        say(peer, { type: "confirm", id: 1 });
        say(peer, { type: "confirm", id: 2 });
        await until(() => peer.said.length === 2);
        expect(peer.said).toEqual(['{"type":"confirmation","ok":false,"id":1}', '{"type":"confirmation","ok":true,"id":2}']);
      });

      it("tells onError of what an answerer throws and of an answer that is not allowed, and stays open", async () => {
        const told: unknown[] = [];
        const { client, peer } = await room({ onError: (error) => told.push(error) });
        const refusal = new Error("not now");
        const stop = client.answer.confirm(() => {
          throw refusal;
        });
        say(peer, { type: "confirm", id: 1 });
        await until(() => told.length === 1);
        stop();
        client.answer.confirm(() => ({ ok: "maybe" as never }));
        say(peer, { type: "confirm", id: 2 });
        await until(() => told.length === 2);
        expect(told).toEqual([refusal, expect.any(ContractError) as unknown]);
        client.send.post({ text: "still here" });
        await client.close();
      });

      it("answers requests that came before there was an answerer, and gives them to nobody else", async () => {
        const { client, peer } = await room(undefined, (peer) => {
          say(peer, { type: "confirm", id: 7 });
          say(peer, { type: "post", text: "hi" });
        });
        await new Promise((resolve) => setTimeout(resolve, 20));
        const stop = client.answer.confirm(() => ({ ok: true }));
        expect(() => client.answer.confirm(() => ({ ok: false }))).toThrow("has an answerer already");
        await until(() => peer.said.length === 1);
        for await (const { name } of client) {
          expect(name).toBe("post");
          break;
        }
        stop();
        say(peer, { type: "confirm", id: 8 });
        for await (const { name } of client) {
          expect(name).toBe("confirm");
          break;
        }
      });
    });

    describe("reading", () => {
      it("gives what came before the first reader, in order, then what comes, and ends in peace", async () => {
        const { client, peer } = await room(undefined, (peer) => {
          for (const text of ["1", "2", "3"]) say(peer, { type: "post", text });
        });
        await new Promise((resolve) => setTimeout(resolve, 20));
        const texts: string[] = [];
        for await (const event of client) {
          expectTypeOf(event).toEqualTypeOf<RoomEvent>();
          if (event.name !== "post") continue;
          texts.push(event.payload.text);
          if (texts.length === 3) {
            say(peer, { type: "post", text: "4" });
            peer.socket.close(1000);
          }
        }
        expect(texts).toEqual(["1", "2", "3", "4"]);
        expect(await client.closed).toEqual({ code: 1000, reason: "", wasClean: true });
      });

      it("throws when the connection is lost and is not to come back", async () => {
        const { client, peer } = await room();
        const read = (async () => {
          for await (const _ of client);
        })();
        peer.socket.terminate();
        await expect(read).rejects.toMatchObject({ name: "ConnectionClosedError", closeCode: 1006 });
        expect(await client.closed).toMatchObject({ code: 1006, wasClean: false });
      });

      it("goes on where a reader left off, and lets one read at a time", async () => {
        const { client } = await room(undefined, (peer) => {
          for (const text of ["1", "2"]) say(peer, { type: "post", text });
        });
        const texts: unknown[] = [];
        for (let count = 0; count < 2; count++) {
          for await (const { payload } of client) {
            expect(() => client[Symbol.asyncIterator]()).toThrow(WsgenError);
            texts.push(payload);
            break;
          }
        }
        expect(texts).toEqual([
          { type: "post", text: "1" },
          { type: "post", text: "2" },
        ]);
      });

      it("gives bytes as Uint8Array", async () => {
        const { client } = await room(undefined, ({ socket }) => socket.send(Buffer.from([5, 6])));
        for await (const { payload } of client) {
          expect(payload).toEqual(new Uint8Array([5, 6]));
          break;
        }
      });

      it("tells a reader that came too late, and goes on from there", async () => {
        const { client, peer } = await room(undefined, (peer) => {
          for (let count = 0; count < 1_500; count++) say(peer, { type: "post", text: String(count) });
        });
        // A reply comes behind everything that was sent before it, and is read at once.
        const asked = client.request.history({});
        await until(() => peer.said.length === 1);
        say(peer, { type: "page", requestId: "1", items: [] });
        await asked;
        await new Promise((resolve) => setTimeout(resolve, 20));
        await expect(client[Symbol.asyncIterator]().next()).rejects.toThrow(InboundOverflowError);
        say(peer, { type: "post", text: "fresh" });
        for await (const { payload } of client) {
          expect(payload).toEqual({ type: "post", text: "fresh" });
          break;
        }
      });

      it("keeps up with bursts larger than the buffer when the reader does", async () => {
        const { client, peer } = await room();
        let count = 0;
        const read = (async () => {
          for await (const _ of client) if (++count === 5_000) break;
        })();
        const text = JSON.stringify({ type: "post", text: "" });
        for (let sent = 0; sent < 5_000; sent++) peer.socket.send(text);
        await read;
        expect(count).toBe(5_000);
      });
    });

    describe("listening", () => {
      it("gives each listener its messages, those that waited first, until it stops", async () => {
        const { client, peer } = await room(undefined, (peer) => {
          say(peer, { type: "post", text: "early" });
          say(peer, { type: "problem", code: "x" });
        });
        await new Promise((resolve) => setTimeout(resolve, 20));
        const heard: string[] = [];
        const stop = client.on.post(({ text }) => void heard.push(text));
        client.on.problem(({ code }) => void heard.push(code));
        await until(() => heard.length === 2);
        say(peer, { type: "post", text: "late" });
        await until(() => heard.length === 3);
        stop();
        say(peer, { type: "post", text: "unheard" });
        say(peer, { type: "problem", code: "y" });
        await until(() => heard.length === 4);
        expect(heard).toEqual(["early", "x", "late", "y"]);
      });

      it("keeps nothing for a reader that comes later", async () => {
        const { client, peer } = await room();
        const heard: string[] = [];
        client.on.post(({ text }) => void heard.push(text));
        say(peer, { type: "post", text: "heard" });
        await until(() => heard.length === 1);
        const reader = client[Symbol.asyncIterator]();
        say(peer, { type: "post", text: "read" });
        expect(await reader.next()).toEqual({ done: false, value: { name: "post", payload: { type: "post", text: "read" } } });
        expect(heard).toEqual(["heard", "read"]);
      });

      it("gives a reader that attaches in the same turn everything as well", async () => {
        const { client } = await room(undefined, (peer) => say(peer, { type: "post", text: "early" }));
        await new Promise((resolve) => setTimeout(resolve, 20));
        const heard: string[] = [];
        client.on.post(({ text }) => void heard.push(text));
        for await (const { name } of client) {
          expect([name, heard]).toEqual(["post", ["early"]]);
          break;
        }
      });
    });

    describe("what the contract does not allow", () => {
      it("is dropped and reported, and the reader goes on", async () => {
        const invalid: ContractError[] = [];
        const { client } = await room({ onInvalid: (error) => void invalid.push(error) }, (peer) => {
          peer.socket.send("not json");
          say(peer, { type: "post" });
          say(peer, { type: "unheard of" });
          say(peer, { type: "post", text: "good" });
        });
        for await (const { payload } of client) {
          expect(payload).toEqual({ type: "post", text: "good" });
          break;
        }
        expect(invalid.map(({ messageName, path, direction }) => [messageName, path, direction])).toEqual([
          [undefined, "", "inbound"],
          ["post", "", "inbound"],
          [undefined, "/type", "inbound"],
        ]);
      });

      it("is warned of once per message name", async () => {
        const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
        const { client } = await room(undefined, (peer) => {
          for (const text of [1, 2, 3]) say(peer, { type: "post", text });
          say(peer, { type: "post", text: "good" });
        });
        for await (const _ of client) break;
        expect(warn.mock.calls.map(([text]) => String(text))).toEqual([
          expect.stringContaining('wsgen: "post" was received and is invalid'),
        ]);
        warn.mockRestore();
      });
    });

    describe("closing", () => {
      it("sends code and reason, settles `closed`, aborts `signal`, and ends the reader", async () => {
        const { client, peer } = await room();
        const told = new Promise((resolve) => peer.socket.once("close", (code, reason) => resolve([code, reason.toString()])));
        const read = (async () => {
          for await (const _ of client);
        })();
        const { signal } = client;
        expect(await client.close(4000, "bye")).toEqual({ code: 4000, reason: "bye", wasClean: true });
        expect(await told).toEqual([4000, "bye"]);
        await read;
        expect(signal.aborted && client.signal.aborted).toBe(true);
        expect(signal.reason).toMatchObject({ closeCode: 4000 });
        await client.close();
      });

      it("refuses codes that the standard refuses, and reasons that are too long", async () => {
        const { client } = await room();
        for (const code of [999, 5000, Number.NaN]) expect(() => client.close(code)).toThrow();
        expect(() => client.close(1000, "é".repeat(62))).toThrow();
        expect(client.getSnapshot().status).toBe("open");
      });

      it("is what leaving an `await using` block does", async () => {
        const { client } = await room();
        await client[Symbol.asyncDispose]();
        expect(await client.closed).toMatchObject({ code: 1000 });
      });
    });

    it("sends headers of the client and of the connection", async () => {
      vendor = await startVendor();
      await create({ headers: { authorization: "Bearer x", "x-a": "1" } }).room({ room: "a" }, { headers: { "x-a": 2 } });
      expect((await vendor.peer()).headers).toMatchObject({ authorization: "Bearer x", "x-a": "2" });
    });
  });
}

describe("what only Node can tell", () => {
  it("gives status and body of a refused handshake", async () => {
    vendor = await startVendor();
    const refused = await node
      .createClient<VendorClient>(contract, vendor.url, {}, features)
      .room({ room: "closed" })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: "UpgradeRejectedError", status: 403, body: "Members only" });
    expect(String(refused)).toContain("/rooms/closed did not accept the WebSocket handshake: 403 Members only");
  });
});

describe("where a refusal is only half told", () => {
  /** The WebSocket of Node 22 (undici 6): a refused handshake is an "error" without the "close" that the standard wants behind it. */
  class Reticent extends WebSocket {
    override emit(event: string | symbol, ...rest: unknown[]): boolean {
      return event === "close" && this.protocol === "" ? false : super.emit(event, ...rest);
    }
  }

  it("rejects all the same", async () => {
    vendor = await startVendor();
    const client = standard.createClient<VendorClient>(contract, vendor.url, { WebSocket: Reticent }, features);
    await expect(client.room({ room: "closed" })).rejects.toThrow(UpgradeRejectedError);
  });
});

describe("an address that is none", () => {
  it.each(["localhost:3000", "nonsense", "ftp://localhost"])("%s is refused with what one looks like", async (address) => {
    const client = standard.createClient<VendorClient>(contract, address, { WebSocket });
    await expect(client.room({ room: "a" })).rejects.toMatchObject({
      code: "WSGEN_USAGE",
      message: expect.stringContaining("ws://") as string,
    });
  });
});

describe("what does not belong together", () => {
  it("is refused: a contract of another version, and headers on a platform that cannot send them", async () => {
    vendor = await startVendor();
    expect(() => node.createClient({ ...contract, version: 2 }, vendor.url)).toThrow("run `wsgen generate`");
    const had = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
    Object.defineProperty(globalThis, "WebSocket", { value: WebSocket, configurable: true });
    const client = standard.createClient<VendorClient>(contract, vendor.url, { headers: { a: "b" } });
    await expect(client.room({ room: "a" })).rejects.toThrow("takes no headers");
    if (had === undefined) Reflect.deleteProperty(globalThis, "WebSocket");
    else Object.defineProperty(globalThis, "WebSocket", had);
  });
});

describe("serverUrl", () => {
  it("fills in variables and their defaults, and names the one that is missing", async () => {
    vendor = await startVendor();
    const local = node.serverUrl<{ port?: string }>("ws://localhost:{port}", { port: "3000" });
    expect([local(), local({ port: "81" })]).toEqual(["ws://localhost:3000", "ws://localhost:81"]);
    expect(local({ port: undefined } as never)).toBe("ws://localhost:3000");
    const region = node.serverUrl<{ region: "eu" | "us" }>("wss://{region}.example");
    expect(region({ region: "eu" })).toBe("wss://eu.example");
    expect(() => region({} as never)).toThrow('needs a value for "region"');
    // @ts-expect-error a variable without a default must be given
    expect(() => region()).toThrow();
    expect(node.serverUrl("ws://h")()).toBe("ws://h");
  });
});

describe("a client whose guards were forgotten", () => {
  it("refuses what they would have judged, instead of letting it pass", async () => {
    vendor = await startVendor();
    const room = await node
      .createClient<VendorClient>(contract, vendor.url, { reconnect: false }, features.slice(1))
      .room({ room: "a" })
      .catch((error: unknown) => error);
    expect(String(room)).toContain("needs `guards`");
  });
});

describe("a client's credentials", () => {
  it("are those that were given, and nothing that every object has under the scheme's name", async () => {
    vendor = await startVendor();
    const feed = { ...contract.endpoints.feed, security: [["constructor"]] };
    const own = { ...contract, schemes: { constructor: { carries: "key", in: "query", name: "key" } }, endpoints: { feed } } as const;
    for (const credentials of [undefined, {}, { constructor: "secret" }]) {
      const client = node.createClient<VendorClient>(own, vendor.url, node.credentials(own, { reconnect: false, credentials }), features);
      await using _feed = await client.feed();
      expect((await vendor.peer()).url).toBe(credentials && Object.hasOwn(credentials, "constructor") ? "/feed?key=secret" : "/feed");
    }
  });
});
