// What the server asks and the client answers, beyond one socket: an answer belongs to the socket that asked.
import { afterEach, describe, expect, it } from "vitest";
import {
  answers,
  type ClientConnection,
  type ClientOptions,
  constants,
  createClient,
  dispatch,
  topics,
} from "../../../runtime/src/client/node.ts";
import type { Contract, ReplyContract } from "../../../runtime/src/contract/contract.ts";
import { type Peer, startVendor, until, type Vendor } from "./vendor.ts";

interface Question {
  readonly id?: number;
  readonly what: string;
}
interface Desk extends ClientConnection<{ readonly name: string; readonly payload: Question }> {
  readonly answer: { confirm(answerer: (payload: Question) => unknown): () => void };
}

const byId: ReplyContract = { messages: ["confirmed"], request: ["id"], reply: ["id"], id: "integer" };
const byOrder: ReplyContract = { messages: ["confirmed"], request: [], reply: [], id: "order" };
const contractOf = (reply: ReplyContract) =>
  ({
    version: 1,
    generator: "0.0.0",
    title: "Desk",
    endpoints: {
      desk: {
        address: "/desk",
        receives: {
          dispatch: { json: { path: ["type"], cases: [["confirm", "confirm"]], other: "news" } },
          messages: { confirm: { format: "json", reply }, news: { format: "json" } },
        },
        sends: { confirmed: { format: "json", constants: { type: "confirmed" } } },
      },
    },
  }) satisfies Contract;

let vendor: Vendor;
afterEach(() => vendor.stop());

async function desk(reply: ReplyContract, options: ClientOptions = {}) {
  vendor = await startVendor();
  const client = createClient<{ desk(): Promise<Desk> }>(contractOf(reply), vendor.url, { reconnect: { spread: 5 }, ...options }, [
    constants,
    dispatch,
    answers,
  ]);
  const connection = await client.desk();
  return { connection, peer: await vendor.peer() };
}
const ask = (peer: Peer, id: number, what: string) => peer.socket.send(JSON.stringify({ type: "confirm", id, what }));
const answersOf = ({ said }: Peer) => said.map((text) => JSON.parse(String(text)) as { id?: number; of: string });
const tick = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([
  ["their id", byId],
  ["their order", byOrder],
])("answers that are known by %s", (_how, reply) => {
  it("never go to another socket than the one that asked", async () => {
    const { connection, peer } = await desk(reply);
    const asked: string[] = [];
    const answered = new Map<string, (value: unknown) => void>();
    connection.answer.confirm(({ what }) => {
      asked.push(what);
      return new Promise((resolve) => answered.set(what, () => resolve({ of: what })));
    });
    ask(peer, 1, "tea");
    await until(() => asked.length === 1);
    peer.socket.terminate();
    const next = await vendor.peer();
    ask(next, 1, "car");
    await until(() => asked.includes("car"));
    answered.get("tea")?.(undefined);
    await tick();
    answered.get("car")?.(undefined);
    await until(() => next.said.length > 0);
    expect(answersOf(next).map(({ of }) => of)).toEqual(["car"]);
    expect(peer.said).toEqual([]);
    await connection.close();
  });

  it("are not given to what was asked before the connection was lost and nobody had answered; whoever reads may still read it", async () => {
    const { connection, peer } = await desk(reply);
    ask(peer, 1, "tea");
    await tick();
    peer.socket.terminate();
    const next = await vendor.peer();
    ask(next, 1, "car");
    await tick();
    const asked: string[] = [];
    connection.answer.confirm(({ what }) => {
      asked.push(what);
      return { of: what };
    });
    await until(() => next.said.length > 0);
    await tick();
    expect(asked).toEqual(["car"]);
    expect(answersOf(next).map(({ of }) => of)).toEqual(["car"]);
    for await (const { payload } of connection) {
      expect(payload.what).toBe("tea");
      break;
    }
    await connection.close();
  });
});

it("answers what was asked before there was an answerer where topics have it: once, and not what a lost connection asked", async () => {
  vendor = await startVendor();
  const { receives, sends } = contractOf(byId).endpoints.desk;
  const message = { format: "json", reply: { ...byId, messages: ["desk.confirmed"] } } as const;
  const contract = {
    ...contractOf(byId),
    endpoints: {
      socket: {
        address: "/desk",
        receives: { dispatch: { json: "desk.confirm" }, messages: { "desk.confirm": message, ...receives.messages } },
        sends: { "desk.confirmed": sends.confirmed },
        topics: { desk: {} },
      },
    },
  } satisfies Contract;
  type Topic = AsyncIterable<{ readonly name: string; readonly payload: Question }> & Pick<Desk, "answer">;
  type Socket = ClientConnection<unknown> & { desk(): Promise<Topic> };
  const socket = await createClient<{ socket(): Promise<Socket> }>(contract, vendor.url, { reconnect: { spread: 5 } }, [
    constants,
    dispatch,
    answers,
    topics,
  ]).socket();
  const lost = await vendor.peer();
  ask(lost, 1, "before any topic, on a lost connection");
  await tick();
  const [one, two] = [await socket.desk(), await socket.desk()];
  ask(lost, 2, "on a lost connection");
  await tick();
  lost.socket.terminate();
  const peer = await vendor.peer();
  ask(peer, 3, "in time");
  await tick();
  one.answer.confirm(({ what }) => ({ of: what }));
  await until(() => peer.said.length > 0);
  ask(peer, 4, "later");
  await until(() => peer.said.length > 1);
  await tick();
  expect(answersOf(peer).map(({ id, of }) => [id, of])).toEqual([
    [3, "in time"],
    [4, "later"],
  ]);
  expect(lost.said).toEqual([]);
  const read: string[] = [];
  for await (const { name, payload } of two) {
    read.push(`${name} ${payload.id}`);
    break;
  }
  expect(read).toEqual(["confirm 2"]);
  await socket.close();
});

it("leaves a new connection alone where the answerer of a lost one fails, though replies are known by their order", async () => {
  const told: unknown[] = [];
  const { connection, peer } = await desk(byOrder, { onError: (error) => told.push(error) });
  let fail: (error: Error) => void = () => {};
  connection.answer.confirm(
    () =>
      new Promise((_, reject) => {
        fail = reject;
      }),
  );
  ask(peer, 1, "tea");
  await tick();
  peer.socket.terminate();
  await vendor.peer();
  await until(() => connection.getSnapshot().status === "open");
  fail(new Error("too late"));
  await until(() => told.length === 1);
  await tick();
  expect(connection.getSnapshot().status).toBe("open");
  await connection.close();
});
