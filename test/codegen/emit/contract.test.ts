import { describe, expect, it } from "vitest";
import { emitClientContract, emitServerContract } from "../../../codegen/src/emit/contract.ts";
import { createGeneratedFile, type Emitter } from "../../../codegen/src/emit/file.ts";
import type { Model, Reply } from "../../../codegen/src/model/model.ts";
import { version } from "../../../codegen/src/version.ts";
import { direction, endpoint, message, model } from "./chat-model.ts";

const emit = (emitter: Emitter, model: Model): string => {
  const file = createGeneratedFile("contract.ts", "");
  emitter(model, file);
  return file.toString();
};

const reply: Reply = { messages: ["pong"], request: ["id"], reply: ["id"], id: "string" };
const rpc = model("Rpc", [
  endpoint("rpc", {
    query: { type: "RpcQuery", optional: true, coerce: { limit: "integer" } },
    clientToServer: direction([message("ping", { reply }), message("audio", { format: "binary", constants: {} })], {
      tree: { binary: "audio", json: "ping" },
    }),
    serverToClient: direction([message("pong", { replyOnly: true })]),
  }),
]);

describe("contract.server.ts", () => {
  it("receives what clients send, with guards for all but bytes", () => {
    expect(emit(emitServerContract, rpc)).toBe(`import type { Contract } from "@wsgen/runtime/generated/server";
import { isPing, isPong, isRpcQuery } from "./validators.js";

/** What the runtime needs to know of specs/rpc.yaml, for a server. */
export const contract = {
  version: 1,
  generator: "${version}",
  title: "Rpc",
  endpoints: {
    rpc: {
      address: "/rpc",
      query: { guard: isRpcQuery, coerce: { limit: "integer" } },
      receives: {
        dispatch: { binary: "audio", json: "ping" },
        messages: {
          ping: {
            format: "json",
            guard: isPing,
            reply: { messages: ["pong"], request: ["id"], reply: ["id"], id: "string" },
          },
          audio: { format: "binary" },
        },
      },
      sends: { pong: { format: "json", guard: isPong, constants: { type: "pong" } } },
    },
  },
} as const satisfies Contract;
`);
  });
});

describe("contract.client.ts", () => {
  it("mirrors it, and knows replies that are in no tree", () => {
    const text = emit(emitClientContract, rpc);
    expect(text).toContain('import type { Contract } from "@wsgen/runtime/generated/client";');
    expect(text).toContain('receives: { dispatch: {}, messages: { pong: { format: "json", guard: isPong } } },');
    expect(text).toContain('audio: { format: "binary" },');
  });

  it("knows a reply that is told apart only in a union", () => {
    const union = {
      name: "aOrPong",
      method: "aOrPong",
      docs: {},
      type: "AOrPong",
      format: "json",
      messages: ["a", "pong"],
      pointer: "#",
    } as const;
    const text = emit(
      emitClientContract,
      model("U", [
        endpoint("u", {
          clientToServer: direction([message("ping", { reply })]),
          serverToClient: direction([message("a"), message("pong")], { deliveries: [union] }),
        }),
      ]),
    );
    expect(text).toContain('aOrPong: { format: "json", guard: isAOrPong }, pong: { format: "json", guard: isPong } }');
  });
});
