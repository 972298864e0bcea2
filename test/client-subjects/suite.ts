// What the generated client of the chat must do on every platform, against any server: no test framework, so that a browser, Node, Bun and Deno run
// the same file. The server does what it is told in the messages themselves (servers.ts).
import { type ConnectionClosedError, ContractError, type UpgradeRejectedError } from "@wsgen/runtime/generated/client";
import { createChatClient, type RoomClient } from "../../generated/chat/client.js";

export interface Outcome {
  readonly name: string;
  /** What went wrong; absent when it passed. */
  readonly problem?: string;
}

interface Place {
  readonly url: string;
  /** Whether the platform shows the HTTP answer of a refused handshake. */
  readonly showsStatus: boolean;
}

type Test = (place: Place) => Promise<void>;

/** Quick, so that the tests are. */
const reconnect = { spread: 50 } as const;

const enter = ({ url }: Place, room: string, username = "Ada"): Promise<RoomClient> =>
  createChatClient(url, { reconnect }).room({ roomId: room }, { query: { username } });

/** The next message of a kind. */
const next = (room: RoomClient): Promise<string> =>
  new Promise((resolve) => {
    const stop = room.on.messagePosted(({ post }) => {
      stop();
      resolve(post.text);
    });
  });

const reconnected = (room: RoomClient, times = 1): Promise<void> =>
  new Promise((resolve) => {
    let seen = 0;
    const stop = room.subscribe((state) => {
      if (state.status !== "open" || state.reconnected === undefined) return;
      equal(state.reconnected.continuity, "unknown");
      seen += 1;
      if (seen < times) return;
      stop();
      resolve();
    });
  });

const tests: { readonly [name: string]: Test } = {
  async "sends, and hears what comes back in a loop that can be left"(place) {
    const room = await enter(place, "loop");
    await room.send.postMessage({ text: "one" });
    await room.send.postMessage({ text: "two" });
    const heard: string[] = [];
    for await (const { name, payload } of room) {
      if (name === "messagePosted") heard.push(payload.post.text);
      if (heard.length === 2) break;
    }
    equal(heard.join(), "one,two");
    equal(room.getSnapshot().status, "open");
    await room.close();
    equal((await room.closed).code, 1000);
  },

  async "keeps the order of a thousand messages"(place) {
    const room = await enter(place, "order");
    const heard: number[] = [];
    const all = new Promise<void>((resolve) => {
      room.on.messagePosted(({ post }) => {
        heard.push(Number.parseInt(post.text, 10));
        if (heard.length === 1_000) resolve();
      });
    });
    for (let number = 0; number < 1_000; number += 1) await room.send.postMessage({ text: `${number} ${"x".repeat(100)}` });
    await all;
    equal(heard.join(), Array.from({ length: 1_000 }, (_, number) => number).join());
    await room.close();
  },

  async "asks many things at once, each settled by its own reply"(place) {
    const room = await enter(place, "ask");
    const pages = await Promise.all([1, 2, 3, 4].map((limit) => room.request.history({ limit })));
    equal(pages.map(({ posts }) => posts.length).join(), "1,2,3,4");
    await room.close();
  },

  async "gives up a request after its timeout, and when its signal says so"(place) {
    const room = await enter(place, "silence");
    equal(await nameOf(room.request.history({ before: "silence" }, { timeout: 50 })), "RequestTimeoutError");
    const abort = new AbortController();
    const asked = nameOf(room.request.history({ before: "silence" }, { signal: abort.signal }));
    abort.abort();
    equal(await asked, "AbortError");
    await room.close();
  },

  async "refuses to send what the document does not allow, and says where it is wrong"(place) {
    const room = await enter(place, "guard");
    try {
      room.send.postMessage({ text: "" });
      throw new Error("It was sent.");
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      equal(`${error.messageName} ${error.path} ${error.direction}`, "postMessage /text outbound");
    }
    equal(await nameOf(createChatClient(place.url).room({ roomId: "guard" }, { query: { username: "" } })), "ContractError");
    await room.close();
  },

  async "is refused with the status where the platform shows it"(place) {
    const refused = enter(place, "closed").catch((error: UpgradeRejectedError) => error);
    const error = (await refused) as UpgradeRejectedError;
    equal(error.name, "UpgradeRejectedError");
    equal(error.status, place.showsStatus ? 403 : undefined);
  },

  async "comes back when the connection is lost: requests reject, what is sent meanwhile arrives"(place) {
    const room = await enter(place, "lost");
    const back = reconnected(room);
    const lost = await room.request.history({ before: "drop" }).catch((error: ConnectionClosedError) => error);
    equal((lost as ConnectionClosedError).name, "ConnectionClosedError");
    equal((lost as ConnectionClosedError).closeCode, 1006);
    const answer = next(room);
    room.send.postMessage({ text: "sent while away" });
    const page = room.request.history({ limit: 2 });
    await back;
    equal(await answer, "sent while away");
    equal((await page).posts.length, 2);
    await room.close();
  },

  async "comes back after a restart of the server, again and again"(place) {
    const room = await enter(place, "restart");
    for (const time of [1, 2, 3]) {
      const back = reconnected(room);
      await room.send.postMessage({ text: "restart" });
      await back;
      const answer = next(room);
      await room.send.postMessage({ text: `after ${time}` });
      equal(await answer, `after ${time}`);
    }
    await room.close();
  },

  async "asks for credentials anew before each attempt"(place) {
    let asked = 0;
    const client = createChatClient(place.url, { reconnect });
    const room = await client.room({ roomId: "token" }, { query: async () => ({ username: `token ${++asked}` }) });
    const names: string[] = [];
    room.on.memberJoined(({ name }) => void names.push(name));
    const back = reconnected(room);
    await room.send.postMessage({ text: "restart" });
    await back;
    await room.request.history({ limit: 1 });
    equal(asked, 2);
    equal(names.at(-1), "token 2");
    await room.close();
  },

  async "is over for good when the server says so: loops, requests and sends end with that"(place) {
    const room = await enter(place, "over");
    const waiting = nameOf(room.request.history({ before: "close 4000" }));
    const loop = async (): Promise<void> => {
      for await (const { name } of room) equal(name, "memberJoined");
    };
    equal(await nameOf(loop()), "ConnectionClosedError");
    const { code, reason } = await room.closed;
    equal(`${code} ${reason}`, "4000 as asked");
    equal(await waiting, "ConnectionClosedError");
    equal(room.getSnapshot().status, "closed");
    const late = await nameOf(Promise.resolve().then(() => room.send.postMessage({ text: "too late" })));
    equal(late, "ConnectionClosedError");
  },

  async "can be closed while it is away, and while it connects"(place) {
    const room = await enter(place, "leaving");
    const away = new Promise<void>((resolve) => room.subscribe(({ status }) => status !== "open" && resolve()));
    await room.send.postMessage({ text: "restart" });
    await away;
    await room.close();
    equal(room.getSnapshot().status, "closed");
    const abort = new AbortController();
    const opening = createChatClient(place.url).room({ roomId: "slow" }, { query: { username: "Ada" }, signal: abort.signal });
    abort.abort();
    equal(await nameOf(opening), "AbortError");
  },

  async "is there at once for a page that shows its state"(place) {
    const room = createChatClient(place.url, { reconnect }).room({ roomId: "page" }, { query: { username: "Ada" } }).connection;
    const states: string[] = [room.getSnapshot().status];
    room.subscribe(({ status }) => void states.push(status));
    const answer = next(room);
    room.send.postMessage({ text: "kept" });
    equal(await answer, "kept");
    await room.close();
    equal([...new Set(states)].join(), "connecting,open,closing,closed".replace(states.includes("closing") ? "" : "closing,", ""));
  },
};

/** What only a server that does not keep to the document can do. */
const strangers: { readonly [name: string]: Test } = {
  async "drops what the document does not allow, says so, and goes on"(place) {
    const invalid: string[] = [];
    const client = createChatClient(place.url, {
      reconnect,
      onInvalid: ({ messageName, path }) => void invalid.push(`${messageName} ${path}`),
    });
    const room = await client.room({ roomId: "stranger" }, { query: { username: "Ada" } });
    const answer = next(room);
    for (const nonsense of ['{"type":"messagePosted","post":{}}', '{"type":"unheard-of"}', "not JSON", "null"]) {
      room.send.postMessage({ text: `say ${nonsense}` });
    }
    room.send.postMessage({ text: "still here" });
    equal(await answer, "still here");
    equal(invalid.length, 4);
    equal(String(invalid[0]?.startsWith("messagePosted /post")), "true");
    await room.close();
  },
};

/** Runs everything, one after the other. */
export async function run(place: Place, stranger: boolean): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [name, test] of Object.entries({ ...tests, ...(stranger ? strangers : {}) })) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("It took longer than 10 s.")), 10_000);
    });
    const outcome = await Promise.race([test(place), late]).then(
      (): Outcome => ({ name }),
      (error: unknown): Outcome => ({ name, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
    clearTimeout(timer);
    outcomes.push(outcome);
  }
  return outcomes;
}

async function nameOf(settled: Promise<unknown>): Promise<string> {
  return settled.then(
    () => "nothing was thrown",
    (error: Error) => error.name,
  );
}

function equal(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${String(actual)}, not ${String(expected)}`);
}
