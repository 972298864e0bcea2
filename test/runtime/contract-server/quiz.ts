import type { Contract, ContractConnection, Guard, GuardError, RequestOptions, Sent } from "@wsgen/runtime/generated/server";

/** A guard as AJV would compile it: the first error only. */
function guard<T>(find: (value: Record<string, unknown>) => Partial<GuardError> | undefined): Guard<T> {
  const check: Guard<T> = (value): value is T => {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const error = isObject ? find(value as Record<string, unknown>) : { keyword: "type", message: "must be object" };
    check.errors = error === undefined ? null : [{ instancePath: "", schemaPath: "#", keyword: "type", params: {}, ...error }];
    return error === undefined;
  };
  return check;
}

/** Requires properties of these types, and allows no others but those marked optional. */
function shape<T>(properties: Readonly<Record<string, "string" | "number" | "integer" | "string?" | "strings?">>): Guard<T> {
  return guard((value) => {
    for (const [name, type] of Object.entries(properties)) {
      const found = value[name];
      if (found === undefined) {
        if (type.endsWith("?")) continue;
        return { keyword: "required", message: `must have required property '${name}'`, params: { missingProperty: name } };
      }
      const ok =
        type === "strings?"
          ? Array.isArray(found)
          : type === "integer"
            ? Number.isInteger(found)
            : typeof found === type.replace("?", "") && found !== "";
      if (!ok) return { instancePath: `/${name}`, message: `must be ${type}` };
    }
    const extra = Object.keys(value).find((name) => !(name in properties));
    return extra === undefined
      ? undefined
      : { keyword: "additionalProperties", message: "must NOT have additional properties", params: { additionalProperty: extra } };
  });
}

const sends = {
  asked: { format: "json", guard: shape({ type: "string", text: "string" }), constants: { type: "asked" } },
  page: { format: "json", guard: shape({ type: "string", id: "string", items: "strings?" }), constants: { type: "page" } },
  confirm: {
    format: "json",
    guard: shape({ type: "string", id: "string", text: "string" }),
    constants: { type: "confirm" },
    reply: { messages: ["confirmed"], request: ["id"], reply: ["id"], id: "string" },
  },
  problem: {
    format: "json",
    guard: shape({ type: "string", code: "string", detail: "string", id: "string?" }),
    constants: { type: "problem" },
  },
} as const;

/** One endpoint that can say what is wrong, and one that cannot. */
export const contract = {
  version: 1,
  generator: "0.1.0",
  title: "Quiz",
  endpoints: {
    quiz: {
      address: "/quiz/{quizId}",
      parameters: { guard: shape({ quizId: "integer" }), coerce: { quizId: "integer" } },
      query: { guard: shape({ username: "string", tag: "strings?" }), coerce: { tag: "strings" } },
      headers: { guard: guard(() => undefined), names: ["x-a"] },
      receives: {
        dispatch: {
          json: {
            path: ["type"],
            cases: [
              ["ask", "ask"],
              ["list", "list"],
              ["confirmed", "confirmed"],
            ],
          },
          binary: "blob",
        },
        messages: {
          ask: { format: "json", guard: shape({ type: "string", text: "string" }) },
          list: {
            format: "json",
            guard: shape({ type: "string", id: "string" }),
            reply: { messages: ["page"], request: ["id"], reply: ["id"], id: "string" },
          },
          confirmed: { format: "json", guard: shape({ type: "string", id: "string", yes: "string" }) },
          blob: { format: "binary" },
        },
      },
      sends,
      error: { message: "problem", code: ["code"], detail: ["detail"], correlation: ["id"] },
    },
    strict: {
      address: "/strict",
      receives: {
        dispatch: { json: { path: ["type"], cases: [["ask", "ask"]] } },
        messages: { ask: { format: "json", guard: shape({ type: "string", text: "string" }) } },
      },
      sends: { asked: sends.asked },
    },
  },
} as const satisfies Contract;

export interface QuizSend {
  asked(payload: { text: string }): Sent;
  problem(payload: { code: string; detail: string }): Sent;
}
export interface QuizConnection<Context = object> extends ContractConnection<QuizSend, Context> {
  readonly params: { readonly quizId: number };
  readonly query: { readonly username: string; readonly tag?: readonly string[] };
  readonly headers: Readonly<Record<string, string>>;
  readonly request: { confirm(payload: { text: string }, options?: RequestOptions): Promise<{ id: string; yes: string }> };
}
