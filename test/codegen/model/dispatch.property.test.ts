// Whatever the messages of a document look like, a valid one reaches its own handler or a union that has it, and no other. The judge is AJV.
import { Ajv, type ValidateFunction } from "ajv";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Direction, Model } from "../../../codegen/src/model/model.ts";
import type { Guard, MessageContract } from "../../../runtime/src/contract/contract.ts";
import { createDecoder } from "../../../runtime/src/contract/dispatch.ts";
import { endpointOf, modelOf } from "./modelled.ts";

/** A schema, and values that it accepts. */
interface Drawn {
  readonly schema: object | boolean;
  readonly values: fc.Arbitrary<unknown>;
}

const constants = fc.constantFrom<string | number | boolean | null>("a", "b", "c", "", "0", 0, 1, 2, true, false, null);
// A free value is never another message's constant: that it could be is what the summary marks as an assumption.
const freeText = fc.integer({ min: 0, max: 99 }).map((number) => `free ${number}`);
const freeNumber = fc.integer({ min: 1000, max: 1099 });

const fixed: fc.Arbitrary<Drawn> = fc.oneof(
  { weight: 4, arbitrary: constants.map((value) => ({ schema: { const: value }, values: fc.constant(value) })) },
  fc.uniqueArray(constants, { minLength: 1, maxLength: 3 }).map((list) => ({ schema: { enum: list }, values: fc.constantFrom(...list) })),
);
const free: fc.Arbitrary<Drawn> = fc.constantFrom<Drawn>(
  { schema: { type: "string" }, values: freeText },
  { schema: { type: "number" }, values: freeNumber },
  { schema: { type: ["string", "number"] }, values: fc.oneof(freeText, freeNumber) },
  { schema: { type: "array" }, values: fc.array(freeText, { maxLength: 2 }) },
);

const names = ["kind", "op", "inner", "data", "constructor"] as const;

function objectOf(members: Readonly<Record<string, { readonly drawn: Drawn; readonly required: boolean }>>, closed: boolean): Drawn {
  const entries = Object.entries(members);
  const required = entries.flatMap(([name, member]) => (member.required ? [name] : []));
  return {
    schema: {
      type: "object",
      ...(required.length > 0 && { required }),
      properties: Object.fromEntries(entries.map(([name, { drawn }]) => [name, drawn.schema])),
      ...(closed && { additionalProperties: false }),
    },
    values: fc
      .tuple(
        ...entries.map(([name, { drawn, required: needed }]) =>
          (needed ? drawn.values : fc.option(drawn.values, { nil: undefined })).map((value) => [name, value] as const),
        ),
      )
      .map((parts) => Object.fromEntries(parts.filter(([, value]) => value !== undefined))),
  };
}

const { payload } = fc.letrec<{ payload: Drawn; object: Drawn; tuple: Drawn; member: Drawn; union: Drawn }>((tie) => ({
  payload: fc.oneof({ weight: 6, arbitrary: tie("object") }, { weight: 2, arbitrary: tie("tuple") }, fixed, tie("union")),
  object: fc
    .tuple(
      fc.dictionary(fc.constantFrom(...names), fc.record({ drawn: tie("member") as fc.Arbitrary<Drawn>, required: fc.boolean() }), {
        maxKeys: 3,
      }),
      fc.boolean(),
    )
    .map(([members, closed]) => objectOf(members, closed)),
  tuple: fc.array(tie("member") as fc.Arbitrary<Drawn>, { minLength: 1, maxLength: 3 }).map((items) => ({
    schema: { type: "array", minItems: items.length, items: items.map(({ schema }) => schema) },
    values: fc.tuple(...items.map(({ values }) => values)),
  })),
  member: fc.oneof({ depthSize: "small", maxDepth: 2, withCrossShrink: true }, fixed, free, tie("object") as fc.Arbitrary<Drawn>),
  union: fc
    .array(tie("object") as fc.Arbitrary<Drawn>, { minLength: 2, maxLength: 3 })
    .map((all) => ({ schema: { anyOf: all.map(({ schema }) => schema) }, values: fc.oneof(...all.map(({ values }) => values)) })),
}));

/** One message: how it travels, its payload, and frames of it. */
interface Spoken {
  readonly contentType: string;
  readonly schema: object | boolean;
  readonly frames: fc.Arbitrary<{ readonly frame: string | Uint8Array; readonly value: unknown }>;
}
const spoken: fc.Arbitrary<Spoken> = fc.oneof(
  {
    weight: 8,
    arbitrary: payload.map(({ schema, values }) => ({
      contentType: "application/json",
      schema,
      frames: values.map((value) => ({ frame: JSON.stringify(value), value })),
    })),
  },
  fc
    .constantFrom("PING", "PONG", "a")
    .map((word) => ({ contentType: "text/plain", schema: { const: word }, frames: fc.constant({ frame: word, value: word }) })),
  fc.constant({ contentType: "text/plain", schema: { type: "string" }, frames: freeText.map((text) => ({ frame: text, value: text })) }),
  fc.constant({ contentType: "application/octet-stream", schema: {}, frames: fc.uint8Array().map((frame) => ({ frame, value: frame })) }),
);

function documentOf(messages: readonly Spoken[]): string {
  return JSON.stringify({
    asyncapi: "3.1.0",
    info: { title: "Drawn", version: "1.0.0" },
    servers: { s: { host: "a", protocol: "ws" } },
    channels: {
      c: {
        address: "/c",
        messages: Object.fromEntries(
          messages.map(({ contentType, schema }, index) => [`m${index}`, { payload: schema, "x-wsgen": { contentType } }]),
        ),
      },
    },
    operations: { receive: { action: "receive", channel: { $ref: "#/channels/c" } } },
    "x-wsgen": { perspective: "server" },
  });
}

/** AJV over the model's own types: constants that tell messages apart are required there. */
function judgeOf(model: Model): (type: string) => ValidateFunction {
  const ajv = new Ajv({ strict: false, allowUnionTypes: true, ownProperties: true });
  ajv.addSchema({ $id: "m", definitions: Object.fromEntries(model.types.map(({ name, schema }) => [name, schema])) });
  return (type) => ajv.getSchema(`m#/definitions/${type}`) as ValidateFunction;
}

function decoderOf({ tree, deliveries }: Direction, judge: (type: string) => ValidateFunction) {
  const messages = deliveries.map(({ name, type, format }): [string, MessageContract] => [
    name,
    { format, ...(format !== "binary" && { guard: judge(type) as unknown as Guard<unknown> }) },
  ]);
  return createDecoder({ dispatch: tree, messages: Object.fromEntries(messages) });
}

const RUNS = Number(process.env["WSGEN_RUNS"] ?? 20);

test("a valid message reaches its own handler or a union that has it, and no other", async () => {
  const reached = { own: 0, union: 0, incomplete: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(spoken, { minLength: 2, maxLength: 6 }).chain((messages) =>
        fc.record({
          messages: fc.constant(messages),
          frames: fc.tuple(...messages.map(({ frames }) => fc.array(frames, { minLength: 2, maxLength: 4 }))),
        }),
      ),
      async ({ messages, frames }) => {
        const model = await modelOf(documentOf(messages));
        const direction = endpointOf(model).clientToServer;
        const judge = judgeOf(model);
        const decoder = decoderOf(direction, judge);
        for (const [index, list] of frames.entries()) {
          const wireName = `m${index}`;
          // Equal definitions have equal names only when they are one.
          const message = direction.messages.find((one) => one.wireName === wireName);
          if (message === undefined) throw new Error(`${wireName} is lost`);
          for (const { frame, value } of list) {
            // What leaves out a constant that tells messages apart is no message any more.
            if (message.format !== "binary" && judge(message.type)(value) !== true) {
              reached.incomplete += 1;
              continue;
            }
            const decoded = decoder.decode(frame);
            const delivery = decoded.kind === "message" ? direction.deliveries.find(({ name }) => name === decoded.name) : undefined;
            expect(delivery?.messages, `${wireName} as ${JSON.stringify(frame)}: ${JSON.stringify(decoded)}`).toContain(message.name);
            if (delivery?.messages.length === 1) reached.own += 1;
            else reached.union += 1;
          }
        }
      },
    ),
    { numRuns: RUNS },
  );
  // A tree that told nothing apart would pass as well.
  expect(reached.own).toBeGreaterThan(reached.union);
});

test("what AJV refuses for every message reaches nobody", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(payload, { minLength: 2, maxLength: 5 }),
      fc.array(
        fc.oneof(
          payload.chain(({ values }) => values),
          fc.jsonValue(),
        ),
        { minLength: 3, maxLength: 6 },
      ),
      async (payloads, values) => {
        const messages = payloads.map(({ schema }) => ({
          contentType: "application/json",
          schema,
          frames: fc.constant({ frame: "", value: 0 }),
        }));
        const model = await modelOf(documentOf(messages));
        const direction = endpointOf(model).clientToServer;
        const judge = judgeOf(model);
        const decoder = decoderOf(direction, judge);
        const plain = new Ajv({ strict: false, allowUnionTypes: true, ownProperties: true });
        const accepts = payloads.map(({ schema }) => plain.compile(schema));
        for (const value of values) {
          if (accepts.some((validate) => validate(value))) continue;
          expect(decoder.decode(JSON.stringify(value)).kind).not.toBe("message");
        }
      },
    ),
    { numRuns: RUNS },
  );
});
