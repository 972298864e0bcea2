import { setMaxListeners } from "node:events";
import { describe, expect, it } from "vitest";
import type { EndpointContract } from "../../../runtime/src/contract/contract.ts";
import { createDecoder, inboundError } from "../../../runtime/src/contract/dispatch.ts";
import { createEncoders } from "../../../runtime/src/contract/encode.ts";
import { correlationOf, encodeReply, prepareRequests } from "../../../runtime/src/contract/requests.ts";
import { ConnectionClosedError, ContractError, RequestFailedError, RequestTimeoutError, WsgenError } from "../../../runtime/src/errors.ts";
import { tagged } from "./guards.ts";

const string = { type: "string" };
const reply = { messages: ["page"], request: ["requestId"], reply: ["requestId"], id: "string" } as const;
const endpoint: EndpointContract = {
  address: "/",
  receives: {
    dispatch: {
      json: {
        path: ["type"],
        cases: [
          ["problem", "problem"],
          ["event", "event"],
        ],
      },
    },
    messages: {
      problem: { format: "json", guard: tagged("problem", { code: string, requestId: string }, ["requestId"]) },
      event: { format: "json", guard: tagged("event", { requestId: string }) },
      page: { format: "json", guard: tagged("page", { requestId: string, items: { type: "array" } }) },
      sum: { format: "json", guard: tagged("sum", { meta: { type: "object" }, value: { type: "number" } }) },
    },
  },
  sends: {
    history: {
      format: "json",
      guard: tagged("history", { requestId: string, before: string }, ["before"]),
      constants: { type: "history" },
      reply,
    },
    add: {
      format: "json",
      guard: tagged("add", { id: { type: "integer" } }),
      constants: { type: "add" },
      reply: { messages: ["sum"], request: ["id"], reply: ["meta", "id"], id: "integer" },
    },
    whoami: {
      format: "json",
      constants: { type: "whoami" },
      reply: { messages: ["page"], request: ["id"], reply: ["requestId"], id: "uuid" },
    },
  },
  error: { message: "problem", code: ["code"], correlation: ["requestId"] },
};

function table() {
  const requests = prepareRequests(endpoint, createEncoders(endpoint.sends), createDecoder(endpoint.receives))();
  const sent: string[] = [];
  const ask = (name: string, payload?: unknown, options?: { timeout?: number; signal?: AbortSignal }) =>
    requests.send(name, payload, options, (data) => void sent.push(String(data)));
  return { requests, sent, ask };
}
const page = (requestId: string) => ({ type: "page", requestId, items: [] });

describe("requests", () => {
  it("make up an id of the kind the contract wants and settle with the reply that carries it", async () => {
    const { requests, sent, ask } = table();
    const first = ask("history");
    const second = ask("add");
    const third = ask("whoami");
    expect(sent.slice(0, 2)).toEqual(['{"type":"history","requestId":"1"}', '{"type":"add","id":2}']);
    const { id } = JSON.parse(sent[2] ?? "") as { id: string };
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(requests.waiting).toBe(3);

    const sum = { type: "sum", meta: { id: 2 }, value: 4 };
    expect([requests.settle(page(id)), requests.settle(sum), requests.settle(page("1"))]).toEqual([true, true, true]);
    expect(await Promise.all([first, second, third])).toEqual([page("1"), sum, page(id)]);
    expect(requests.size).toBe(0);
  });

  it("keep an id that the caller gives, and refuse one that is in use", async () => {
    const { requests, sent, ask } = table();
    const given = ask("history", { requestId: "mine" });
    expect(sent).toEqual(['{"type":"history","requestId":"mine"}']);
    await expect(ask("history", { requestId: "mine" })).rejects.toThrow(WsgenError);
    expect(sent).toHaveLength(1);
    requests.settle(page("mine"));
    await given;
  });

  it("compare ids with their type", () => {
    const { requests, ask } = table();
    void ask("add").catch(() => {});
    expect(requests.settle({ type: "sum", meta: { id: "1" }, value: 1 })).toBe(false);
  });

  it("look for their id where their own reply has it", async () => {
    const { requests, ask } = table();
    const request = ask("history");
    const error = new ContractError("", { messageName: undefined, direction: "inbound", path: "" });
    expect(requests.refuse({ meta: { id: "1" } }, error)).toBe(false);
    requests.settle(page("1"));
    await request;
  });

  it("leave alone what carries their id and is not their reply", async () => {
    const { requests, ask } = table();
    const request = ask("history");
    expect(requests.settle({ type: "event", requestId: "1" })).toBe(false);
    expect(requests.settle({ type: "page", requestId: "1" })).toBe(false);
    requests.settle(page("1"));
    await expect(request).resolves.toEqual(page("1"));
  });

  it("reject with what is wrong when their reply is invalid", async () => {
    const { requests, ask } = table();
    const request = ask("history");
    const payload = { type: "page", requestId: "1" };
    const problem = createDecoder(endpoint.receives).decode(JSON.stringify(payload));
    if (problem.kind === "message") throw new Error("not a problem");
    expect(requests.refuse(payload, inboundError(problem))).toBe(true);
    await expect(request).rejects.toThrow(ContractError);
    expect(requests.refuse(payload, inboundError(problem))).toBe(false);
  });

  it("reject with the contract's error message when it carries their id", async () => {
    const { requests, ask } = table();
    const request = ask("history");
    const problem = { type: "problem", code: "no", requestId: "1" };
    expect(requests.settle({ type: "problem", code: "no" })).toBe(false);
    expect(requests.settle(problem)).toBe(true);
    await expect(request).rejects.toMatchObject({ name: "RequestFailedError", messageName: "problem", payload: problem });
    await expect(request).rejects.toBeInstanceOf(RequestFailedError);
  });

  it("time out, and swallow the reply that comes late", async () => {
    const { requests, ask } = table();
    await expect(ask("history", {}, { timeout: 5 })).rejects.toThrow(new RequestTimeoutError("history", 5));
    expect([requests.waiting, requests.size]).toEqual([0, 1]);
    expect(requests.settle(page("1"))).toBe(true);
    expect([requests.settle(page("1")), requests.size]).toEqual([false, 0]);
  });

  it("remember no more than 1,000 that were given up", async () => {
    const { requests, ask } = table();
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const all = Array.from({ length: 1_010 }, () => ask("history", {}, { signal: stop.signal, timeout: 0 }));
    await Promise.resolve();
    stop.abort();
    expect((await Promise.allSettled(all)).every(({ status }) => status === "rejected")).toBe(true);
    expect([requests.waiting, requests.size]).toEqual([0, 1_000]);
  });

  it("give up with the signal's reason, before or after they are sent", async () => {
    const { sent, ask } = table();
    const reason = new Error("changed my mind");
    await expect(ask("history", {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(sent).toEqual([]);
    const stop = new AbortController();
    const request = ask("history", {}, { signal: stop.signal });
    stop.abort(reason);
    await expect(request).rejects.toBe(reason);
  });

  it("all reject when the connection closes, and those that come after it", async () => {
    const { requests, ask } = table();
    const open = Array.from({ length: 5 }, () => ask("history"));
    const error = new ConnectionClosedError(1006, "");
    requests.close(error);
    for (const request of [...open, ask("history")]) await expect(request).rejects.toBe(error);
    expect(requests.waiting).toBe(0);
  });

  it("reject with what the contract does not allow, and with what the write throws, and are forgotten", async () => {
    const { requests, sent, ask } = table();
    await expect(ask("history", { before: 1 })).rejects.toThrow(ContractError);
    await expect(ask("event")).rejects.toThrow('"event" is no request of the contract.');
    await expect(
      requests.send("history", {}, {}, () => {
        throw new Error("full");
      }),
    ).rejects.toThrow("full");
    expect([sent, requests.size]).toEqual([[], 0]);
  });
});

describe("answering", () => {
  const encoders = createEncoders({
    page: { format: "json", guard: tagged("page", { requestId: string, items: { type: "array" } }), constants: { type: "page" } },
    none: { format: "json", guard: tagged("none", { requestId: string, why: string }), constants: { type: "none" } },
  });

  it("copies the request's id into the reply", () => {
    expect(correlationOf(reply, { requestId: "7" })).toEqual({ path: ["requestId"], id: "7" });
    expect(correlationOf(reply, {})).toBeUndefined();
    expect(encodeReply(reply, encoders, { requestId: "7" }, { items: [] })).toBe('{"type":"page","items":[],"requestId":"7"}');
  });

  it("finds the kind of reply that an answer is by its guard, and fills in no constant that could make it another", () => {
    const either = { ...reply, messages: ["page", "none"] };
    expect(encodeReply(either, encoders, { requestId: "7" }, { type: "none", why: "empty" })).toBe(
      '{"type":"none","why":"empty","requestId":"7"}',
    );
    expect(() => encodeReply(either, encoders, { requestId: "7" }, { why: "empty" })).toThrow('"page" was not sent');
    expect(() => encodeReply(either, encoders, { requestId: "7" }, { items: [] })).toThrow('"page" was not sent');
  });
});
