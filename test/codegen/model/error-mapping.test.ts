import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../../../codegen/src/model/error-mapping.ts";
import { document3, endpointOf, modelled, tagged } from "./modelled.ts";

/** A document whose server sends `problem`, with that payload and mapping. */
const mapped = (payload: object, error: unknown, { client = false } = {}) =>
  modelled(
    document3({
      receives: { post: tagged("post"), ...(client && { problem: payload }) },
      sends: { posted: tagged("posted"), ...(!client && { problem: payload }) },
    }).replace('"problem": {', `"problem": { "x-wsgen": { "error": ${JSON.stringify(error)} },`),
  );

const problem = (properties: object, required: readonly string[] = []) => tagged("problem", properties, ["type", ...required]);

test("our error's parts go where the message's x-wsgen says", async () => {
  const { model } = await mapped(
    problem({ error: { type: "object", properties: { code: { type: "string" } } }, text: { type: "string" } }),
    { code: "/error/code", detail: "/text" },
  );
  expect(endpointOf(model!).error).toEqual({ message: "problem", code: ["error", "code"], detail: ["text"] });
});

test.each([
  ["a code that is one of few", problem({ code: { enum: ["invalid_message"] } }, ["code"]), "`unknown_message`"],
  [
    "a detail that must be short",
    problem({ code: { type: "string" }, detail: { type: "string", maxLength: 100 } }),
    "a detail of 200 characters",
  ],
  [
    "a property that nobody fills in",
    problem({ code: { type: "string" }, severity: { type: "integer" } }, ["severity"]),
    "must have required property 'severity'",
  ],
  [
    "an id that is required though there may be none",
    problem({ code: { type: "string" }, id: { type: "string" } }, ["id"]),
    "without the id of a request",
  ],
])("%s is an error that shows the payload", async (_name, payload, message) => {
  const { model, diagnostics } = await mapped(payload, { code: "/code", detail: "/detail", correlation: "/id" });
  expect(model).toBeUndefined();
  const [error] = diagnostics.filter(({ severity }) => severity === "error");
  expect(error).toMatchObject({ code: "error-message", message: expect.stringContaining(message), position: { line: expect.any(Number) } });
  expect(error?.message).toContain('"type":"problem"');
});

test("an enum that lacks codes is told all of them, and the payload shown is short", async () => {
  const { diagnostics } = await mapped(problem({ code: { enum: ["invalid_message"] }, detail: { type: "string" } }, ["code"]), {
    code: "/code",
    detail: "/detail",
  });
  const [error] = diagnostics.filter(({ severity }) => severity === "error");
  expect(error?.message).toContain("`unknown_message`, `invalid_json`, `unsupported_data` and `internal_error`");
  const long = await mapped(problem({ code: { type: "string" }, detail: { type: "string", maxLength: 100 } }), {
    code: "/code",
    detail: "/detail",
  });
  expect(long.diagnostics.map(({ message }) => message.length).every((length) => length < 260)).toBe(true);
});

test("a function makes what cannot be proven, and nothing is proven of it", async () => {
  const payload = problem({ code: { enum: ["mine"] }, severity: { type: "integer" } }, ["code", "severity"]);
  const { model } = await mapped(payload, { toError: true });
  expect(endpointOf(model!).error).toEqual({ message: "problem", toError: true });
  const refused = await mapped(payload, { code: "/code" });
  expect(refused.diagnostics.find(({ code }) => code === "error-message")?.fix).toContain("`error: { toError: true }`");
  const both = await mapped(payload, { toError: true, code: "/code" });
  expect(both.lines).toContainEqual(expect.stringContaining("error error-message"));
});

test("only the server's messages can carry our errors, and one for each endpoint", async () => {
  const client = await mapped(problem({}), { code: "/code" }, { client: true });
  expect(client.lines).toContainEqual(expect.stringMatching(/^error error-message .*only clients send it/));
  const wrong = await mapped(problem({}), { code: "code", detial: "/x" });
  expect(wrong.lines).toContainEqual(expect.stringContaining('`code` is "code", which is no JSON Pointer into the payload.'));
  expect(wrong.diagnostics).toContainEqual(expect.objectContaining({ code: "x-wsgen-key", fix: "Did you mean `detail`?" }));
});

test("the codes that are proven are the ones that the runtime sends", () => {
  // wsgen does not have the runtime installed, so it cannot import them.
  const source = ["complaint", "session"]
    .map((file) => readFileSync(new URL(`../../../runtime/src/contract/${file}.ts`, import.meta.url), "utf8"))
    .join("\n");
  const table = /const codes = \{([^}]*)\}/.exec(source)?.[1] ?? "";
  const sent = [...table.matchAll(/: "(\w+)"/g), ...source.matchAll(/#tell\("(\w+)"/g)].map(([, code]) => code);
  expect(new Set(sent)).toEqual(new Set(ERROR_CODES));
});

test("a part that leads to no property of the payload is an error at its pointer, with the one that was meant", async () => {
  const closed = { ...problem({ code: { type: "string" }, detail: { type: "string" } }), additionalProperties: false };
  const { model, diagnostics } = await mapped(closed, { code: "/kode", detail: "/detail" });
  expect(model).toBeUndefined();
  expect(diagnostics.filter(({ severity }) => severity === "error")).toMatchObject([
    { message: "The payload of `problem` has no `kode`, where `code` should go.", fix: "Did you mean `/code`?" },
  ]);
  const far = await mapped(closed, { code: "/code", detail: "/explanation/text" });
  expect(far.diagnostics.filter(({ severity }) => severity === "error")).toMatchObject([
    { message: "The payload of `problem` has no `explanation`, where `detail` should go.", fix: expect.stringContaining("declare") },
  ]);
  // Where the payload is open, what it does not mention may be added.
  expect((await mapped(problem({}), { code: "/code" })).model).toBeDefined();
});
