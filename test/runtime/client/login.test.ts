// A login by message: said first on every connection, and waited for. Plain `ws` plays the vendor, which refuses whoever is not logged in.
import { afterEach, describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import {
  type ClientConnection,
  type ClientOptions,
  type ClientTopic,
  type ConnectOptions,
  type Contract,
  constants,
  createClient,
  dispatch,
  guards,
  login,
  type Opening,
  type RequestOptions,
  requests,
  subscriptions,
} from "../../../runtime/src/client/node.ts";
import { startVendor, until } from "./vendor.ts";

type Json = Record<string, unknown>;
type Note = { readonly name: string; readonly payload: Json };
interface SocketClient extends ClientConnection<Note> {
  readonly request: Record<"auth" | "subscribe" | "trade", (payload: object, options?: RequestOptions) => Promise<Json>>;
  readonly send: { note(payload: object): void };
  readonly on: Record<"note" | "result", (listener: (payload: Json) => void) => () => void>;
  subscription(payload: object): Promise<ClientTopic<Note>>;
}

const json = { format: "json" } as const;
const reply = { messages: ["result"], request: ["id"], reply: ["id"], id: "integer" } as const;
const request = (method: string) => ({ ...json, constants: { method }, reply });
const contract = {
  version: 1,
  generator: "0",
  title: "Vendor",
  endpoints: {
    socket: {
      address: "/",
      receives: {
        dispatch: { json: { path: ["method"], cases: [["note", "note"]], absent: "result" } },
        messages: { note: json, result: json },
      },
      sends: {
        auth: request("auth"),
        trade: request("trade"),
        subscribe: request("subscribe"),
        note: { ...json, constants: { method: "note" } },
      },
      topics: {
        subscription: {
          subscription: {
            subscribe: "subscribe",
            unsubscribe: { at: ["method"], value: "unsubscribe" },
            refused: { at: ["error"] },
            key: [{ subscribe: ["channel"], messages: ["channel"] }],
          },
        },
      },
    },
  },
} as const satisfies Contract;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Answers a login after a while, and everything else by whether there was one. `heard`: what each of its sockets said. */
async function startDesk(onAuth = (say: (payload: object) => void, id: unknown, _peer: WebSocket): void => say({ id, result: "welcome" })) {
  const heard: string[][] = [];
  const { url, kill, stop } = await startVendor(({ socket: peer }) => {
    const mine: string[] = [];
    let known = false;
    heard.push(mine);
    const say = (payload: object) => peer.send(JSON.stringify(payload));
    peer.on("message", (data) => {
      const { id, method, channel } = JSON.parse(String(data)) as Json;
      mine.push(String(method));
      if (method === "auth") {
        setTimeout(() => {
          known = true;
          onAuth(say, id, peer);
        }, 30);
      } else if (id !== undefined) say(known ? { id, result: method } : { id, error: "who are you?" });
      if (method === "subscribe" && known) say({ method: "note", channel, socket: heard.length });
    });
  });
  closers.push(stop);
  return { heard, url, kill };
}

function open(url: string, options: ConnectOptions, more: ClientOptions = {}): Opening<SocketClient> {
  const opening = createClient<{ socket(options: ConnectOptions): Opening<SocketClient> }>(
    contract,
    url,
    { reconnect: { spread: 10 }, onError() {}, ...more },
    [guards, constants, dispatch, requests, subscriptions],
  ).socket(options);
  return opening;
}

const authenticate = login(async ({ request }: SocketClient) => void (await request.auth({ token: "t" })));

describe("a login", () => {
  it("is waited for on every connection, before anything is subscribed to again and before what was sent meanwhile", async () => {
    const { heard, url, kill } = await startDesk();
    const socket = await open(url, { login: authenticate });
    closers.push(() => socket.close());
    const topic = await socket.subscription({ channel: "orders" });
    const sockets: unknown[] = [];
    void (async () => {
      for await (const { payload } of topic) sockets.push(payload["socket"]);
    })();
    await until(() => sockets.length === 1);
    kill();
    await until(() => socket.getSnapshot().status === "reconnecting");
    socket.send.note({ text: "kept" });
    // Its id is that of the login's request: neither is taken for the other.
    const traded = socket.request.trade({});
    await until(() => heard[1]?.[0] === "auth");
    expect(socket.getSnapshot().status).toBe("reconnecting");
    socket.send.note({ text: "sent while the login is under way" });
    expect(await traded).toMatchObject({ result: "trade" });
    await until(() => sockets.length === 2);
    expect(sockets).toEqual([1, 2]);
    expect(heard).toEqual([
      ["auth", "subscribe"],
      ["auth", "subscribe", "note", "trade", "note"],
    ]);
  });

  it("keeps what comes meanwhile for the connection itself, but for the replies to its requests", async () => {
    const { url } = await startDesk((say, id) => {
      say({ method: "note", at: "before" });
      say({ id, result: "welcome" });
      say({ method: "note", at: "behind" });
    });
    const seen: unknown[] = [];
    const first = login(async ({ request, on }: SocketClient) => {
      on.note(({ at }) => void seen.push(at));
      seen.push((await request.auth({}))["result"]);
    });
    const socket = await open(url, { login: first });
    closers.push(() => socket.close());
    const notes: unknown[] = [];
    for await (const { payload } of socket) if (notes.push(payload["at"] ?? payload) === 2) break;
    expect(notes).toEqual(["before", "behind"]);
    expect(seen).toEqual(expect.arrayContaining(["before", "welcome"]));
  });

  it("that fails is a failed attempt: rejected where it is awaited, else tried again, or for good by its status", async () => {
    const { url, heard } = await startDesk();
    await expect(
      open(url, {
        login: login(async () => {
          throw new Error("no token");
        }),
      }),
    ).rejects.toThrow("no token");
    let times = 0;
    const { connection } = open(url, {
      login: login(async ({ request }: SocketClient) => {
        if (++times < 3) throw Object.assign(new Error("no token yet"), { status: 503 });
        await request.auth({});
        throw Object.assign(new Error("not you"), { status: 403 });
      }),
    });
    expect(await connection.closed).toMatchObject({ wasClean: false });
    expect(connection.getSnapshot()).toMatchObject({ status: "closed", error: { message: "not you" } });
    expect(heard.map((said) => said.join())).toEqual(["", "", "", "auth"]);
  });

  it("that the server answers by closing ends as the code says", async () => {
    const { url } = await startDesk((_say, _id, peer) => peer.close(1008, "bad key"));
    await expect(open(url, { login: authenticate })).rejects.toMatchObject({
      name: "ConnectionClosedError",
      closeCode: 1008,
      reason: "bad key",
    });
    const { connection } = open(url, { login: authenticate });
    expect(await connection.closed).toMatchObject({ code: 1008, reason: "bad key" });
    expect(connection.getSnapshot().status).toBe("closed");
  });

  it("ends with its connection, and the connection closes by itself afterwards", async () => {
    const { url } = await startDesk();
    let given: SocketClient | undefined;
    const socket = await open(url, {
      login: login(async (early: SocketClient) => {
        given = early;
        await early.request.auth({});
      }),
    });
    expect(given?.signal.aborted).toBe(true);
    expect(socket.getSnapshot().status).toBe("open");
    expect(await socket.request.trade({})).toMatchObject({ result: "trade" });
    expect(await socket.close(4000, "bye")).toEqual({ code: 4000, reason: "bye", wasClean: true });

    // Closed by its user while somebody logs in.
    let began = false;
    const { connection } = open(url, {
      login: login(() => {
        began = true;
        return new Promise(() => {});
      }),
    });
    await until(() => began);
    await connection.close();
    expect(connection.getSnapshot().status).toBe("closed");
  });
});
