import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MergedHandlers, mergeHandlers, printHandlers } from "../../../codegen/src/emit/handlers.ts";
import type { Endpoint } from "../../../codegen/src/model/model.ts";
import { chat, direction, endpoint, message, topic, topicMessage } from "./chat-model.ts";

const room = (...names: readonly string[]): Endpoint => endpoint("room", { clientToServer: direction(names.map((name) => message(name))) });
const merge = (text: string, endpoint: Endpoint): Promise<MergedHandlers> =>
  mergeHandlers({ path: "/project/handlers/room.ts", text }, endpoint);

describe("a new handler file", () => {
  it("has a method for every message, each saying that it is not implemented yet", () => {
    const [endpoint] = chat.endpoints;
    expect(endpoint && printHandlers(endpoint, "../generated/server.js")).toBe(`import type { RoomHandler } from "../generated/server.js";

/** One room. Whoever is connected to it hears what is said in it. */
export const room: RoomHandler = {
  messages: {
    /** Say something to everyone in the room. */
    postMessage(_payload, _conn) {
      throw new Error("room.postMessage is not implemented yet");
    },

    /** Ask for what was said before. */
    history(_payload, _conn) {
      throw new Error("room.history is not implemented yet");
    },
  },
};
`);
  });

  it("has nothing missing right after it was printed", async () => {
    const [endpoint] = chat.endpoints;
    if (endpoint === undefined) throw new Error("the chat has an endpoint");
    const text = printHandlers(endpoint, "../generated/server.js");
    expect(await merge(text, endpoint)).toEqual({ text, added: [], diagnostics: [] });
  });

  it("handles the connection itself where nothing arrives, and lets it stay", () => {
    expect(printHandlers(endpoint("feed"), "../generated/server.js")).toBe(`import type { FeedHandler } from "../generated/server.js";

export const feed: FeedHandler = {
  open(_conn) {
    // Not implemented yet: nothing is sent. Send what a client hears at once; for later, let it join a room.
  },
};
`);
  });
});

describe("a message that is new in the document", () => {
  it("gets its method behind the others, and every other byte stays", async () => {
    const before = `import type { RoomHandler } from "../generated/server.js";

const  odd   = 1 ;

export const room : RoomHandler<{ user: string }> = {
  messages: {
    postMessage ( {text}, conn ) { void [ text,conn, odd ] },   // mine
  }   ,
};   
`;
    const { text, added } = await merge(before, room("postMessage", "history"));
    expect(added).toEqual(["history"]);
    expect(text).toBe(
      before.replace(
        "// mine\n",
        `// mine

    history(_payload, _conn) {
      throw new Error("room.history is not implemented yet");
    },
`,
      ),
    );
  });

  it("is written as the file is: tabs, CRLF, single quotes, no semicolons, no empty lines, no comma behind the last", async () => {
    const before = [
      "import type { RoomHandler } from '../generated/server.js'",
      "",
      "export const room: RoomHandler = {",
      "\tmessages: {",
      "\t\ta() {},",
      "\t\tb: async () => {} // last",
      "\t}",
      "}",
      "",
    ].join("\r\n");
    const { text } = await merge(before, room("a", "b", "c", "d"));
    expect(text).toBe(
      before.replace(
        "{} // last",
        [
          "{}, // last",
          "\t\tc(_payload, _conn) {",
          "\t\t\tthrow new Error('room.c is not implemented yet')",
          "\t\t},",
          "\t\td(_payload, _conn) {",
          "\t\t\tthrow new Error('room.d is not implemented yet')",
          "\t\t}",
        ].join("\r\n"),
      ),
    );
  });

  it("opens an empty object, and one on a single line", async () => {
    const method = `a(_payload, _conn) {\n    throw new Error("room.a is not implemented yet");\n  },\n`;
    const opened = `export const room = {\n  messages: {\n    ${method.replaceAll("\n  ", "\n    ")}  },\n};\n`;
    expect((await merge("export const room = { messages: {} };\n", room("a"))).text).toBe(opened);
    expect((await merge("export const room = {\n  messages: {},\n};\n", room("a"))).text).toBe(opened);
    expect((await merge("export const room = {\n  messages: {\n  },\n};\n", room("a"))).text).toBe(opened);
  });

  it("gives members that stood on one line lines of their own", async () => {
    const { text } = await merge(
      "export const room: RoomHandler = { open() {}, messages: { alpha() {} /* mine */ } };\n",
      room("alpha", "beta"),
    );
    expect(text).toBe(`export const room: RoomHandler = {
  open() {},
  messages: {
    alpha() {}, /* mine */

    beta(_payload, _conn) {
      throw new Error("room.beta is not implemented yet");
    },
  },
};
`);
    const inside = "export const room: RoomHandler = {\n  messages: { alpha() {}, gamma() {} },\n};\n";
    expect((await merge(inside, room("alpha", "gamma", "beta"))).text).toBe(`export const room: RoomHandler = {
  messages: {
    alpha() {},
    gamma() {},
    beta(_payload, _conn) {
      throw new Error("room.beta is not implemented yet");
    },
  },
};
`);
  });

  it("gets `messages` where there were none", async () => {
    const before = "import type { RoomHandler } from './s.js';\nexport const room: RoomHandler = {\n  open() {},\n};\n";
    const { text } = await merge(before, room("a", "b"));
    expect(text).toBe(
      before.replace(
        "  open() {},\n",
        `  open() {},

  messages: {
    a(_payload, _conn) {
      throw new Error('room.a is not implemented yet');
    },

    b(_payload, _conn) {
      throw new Error('room.b is not implemented yet');
    },
  },
`,
      ),
    );
  });

  const places = {
    "a satisfies expression": "export const it = { messages: { old() {}, } } satisfies RoomHandler;",
    "a type imported under another name":
      'import type { RoomHandler as H } from "./s.js";\nexport const it: H = { messages: { old() {}, } };',
    "a function that makes it": "export function make(db: Db): RoomHandler { return { messages: { old() {}, } }; }",
    "an arrow function that makes it": "export const make = (db: Db): RoomHandler<C> => ({ messages: { old() {}, } });",
    "a promise of it": "export async function make(): Promise<Readonly<RoomHandler>> { return { messages: { old() {}, } }; }",
    "a class": "export class Room implements RoomHandler<C> { messages = { old() {}, }; }",
    "a class that the variable is made of": "class R { messages = { old() {}, }; }\nexport const room: RoomHandler = new R();",
    "a call that takes options first": 'export const room: RoomHandler = { messages: withLog({ level: 1, fresh: "no" }, { old() {}, }) };',
    "a call of a function of this file":
      "function make(db: Db) { const f = () => { return { old: 1 }; }; return { open: f, messages: { old() {}, } }; }\nexport const room: RoomHandler = make(db);",
    'messages of type RoomHandler["messages"]':
      'const messages: RoomHandler["messages"] = { old() {}, };\nexport const room: RoomHandler = { messages };',
    "messages in the scope where they are used":
      "const messages = { none() {} };\nexport function make(): RoomHandler { const messages = { old() {}, }; return { messages }; }",
    'a property written "messages"': 'export const room: RoomHandler = { "messages": { old() {}, } };',
    'a property written ["messages"]': 'export const room: RoomHandler = { ["messages"]: { old() {}, } };',
    "the variable named like the endpoint, whatever comes before it":
      "const other: RoomHandler = { messages: { old() {}, fresh() {} } };\nexport const room: RoomHandler = { messages: { old() {}, } };",
    "the whole handler, not a part of it":
      "const part: Partial<RoomHandler> = { open() {} };\nexport const room: RoomHandler = { ...part, messages: { old() {}, } };",
    "a call around it": "export const room: RoomHandler = Object.freeze({ messages: { old() {}, } });",
    "messages apart": "const messages: RoomMessages = { old() {}, };\nexport const room: RoomHandler = { messages };",
    "messages under another name": "const all = { old() {}, };\nexport const room: RoomHandler = { messages: all };",
    "quoted names": 'export const room: RoomHandler = { messages: { "old": () => {}, } };',
  };
  for (const [place, text] of Object.entries(places)) {
    it(`finds the handlers in ${place}`, async () => {
      const merged = await merge(text, room("old", "fresh"));
      expect(merged.added).toEqual(["fresh"]);
      expect(merged.diagnostics).toEqual([]);
      const method = 'fresh(_payload,_conn){thrownewError("room.freshisnotimplementedyet");},';
      const bare = (code: string): string => code.replace(/\s/g, "");
      expect(bare(merged.text)).toContain(`,${method}}`);
      // Besides, only line breaks and a comma behind the last member may be new.
      expect(bare(merged.text).replace(method, "").replaceAll(",}", "}")).toBe(bare(text).replaceAll(",}", "}"));
      expect((await merge(merged.text, room("old", "fresh"))).text).toBe(merged.text);
    });
  }

  it("is added to whatever layout, so that nothing is missing then and what was there is there still", async () => {
    const gap = fc.constantFrom("", " ", "\n", "\r\n\t", " // c\n", " /* c */ ", "\n\n  ");
    const member = fc.constantFrom("a() {}", "b: () => {}", "async c(x) { return x }", '"d": f', "e");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(gap, member, gap), { maxLength: 4 }), fc.boolean(), gap, async (members, comma, last) => {
        const inside =
          members.map(([before, member, after]) => before + member + after).join(",") + (comma && members.length > 0 ? "," : "");
        const before = `export const room: RoomHandler = {${last}messages: {${inside}${last}}${last}};\n`;
        const { text, added, diagnostics } = await merge(before, room("a", "b", "c", "d", "e", "fresh"));
        expect(diagnostics.filter(({ code }) => code !== "handlers-orphan")).toEqual([]);
        expect(added).toContain("fresh");
        expect(await merge(text, room("a", "b", "c", "d", "e", "fresh"))).toMatchObject({ text, added: [], diagnostics: [] });
        // What was there is there still, in its order: only insertions happened.
        let at = 0;
        for (const character of before.replace(/\s/g, "")) {
          at = text.indexOf(character, at) + 1;
          expect(at).toBeGreaterThan(0);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("what cannot be added", () => {
  it("is a warning at the file's first statement when no handlers are found", async () => {
    const text = "// a comment\nexport const other = 1;\n";
    const merged = await merge(text, room("a"));
    expect(merged.text).toBe(text);
    expect(merged.diagnostics).toMatchObject([
      { severity: "warning", code: "handlers-not-found", position: { file: "/project/handlers/room.ts", line: 2, column: 1 } },
    ]);
    expect(merged.diagnostics[0]?.fix).toContain("`a(payload, conn)`");
  });

  const unsure = {
    "options of a call": "export const room: RoomHandler = {\n  messages: build({ a: 1 }),\n};\n",
    "two objects of a call": "export const room: RoomHandler = {\n  messages: join({ a() {} }, { a() {} }),\n};\n",
    "messages that come in from elsewhere": "export const make = (messages: M): RoomHandler => ({\n  messages,\n});\n",
    "handlers in a record": "export const all: Record<string, RoomHandler> = {\n  room: { messages: { a() {} } },\n};\n",
    "a part of a handler": "export const part: Partial<RoomHandler> = {\n  open() {},\n};\n",
    "two handlers, neither named like the endpoint":
      "const one: RoomHandler = { messages: { a() {} } };\nconst two: RoomHandler = { messages: { a() {} } };\n",
  };
  for (const [what, text] of Object.entries(unsure)) {
    it(`is said, with the text to add, and nothing is touched: ${what}`, async () => {
      const merged = await merge(text, room("a", "beta"));
      expect(merged.text).toBe(text);
      expect(merged.added).toEqual([]);
      expect(merged.diagnostics).toMatchObject([
        { severity: "warning", code: "handlers-not-found", position: { file: "/project/handlers/room.ts" } },
      ]);
      expect(merged.diagnostics[0]?.fix).toContain("`beta(payload, conn)`");
    });
  }

  it("is no news where every method stands in the file", async () => {
    for (const text of [
      "class M { a() {} beta() {} }\nexport class Room extends Base implements RoomHandler { messages = wrap(new M()); }\n",
      "export const all: Record<string, RoomHandler> = { room: { messages: { a() {}, beta() {} } } };\n",
    ]) {
      expect(await merge(text, room("a", "beta"))).toEqual({ text, added: [], diagnostics: [] });
    }
  });

  it("is left to TypeScript where a function reads the messages itself", async () => {
    const text = `import type { RoomReader as Reader } from "../generated/server.js";

export async function room(conn: Reader<{ user: string }>): Promise<void> {
  for await (const { name } of conn.messages()) if (name === "leave") return;
}
`;
    expect(await merge(text, room("postMessage", "leave"))).toEqual({ text, added: [], diagnostics: [] });
  });

  it("is left to TypeScript when the handlers are put together with a spread", async () => {
    const text = "export const room: RoomHandler = { messages: { ...others } };\n";
    const merged = await merge(text, room("a"));
    expect(merged.text).toBe(text);
    expect(merged.diagnostics).toMatchObject([{ severity: "hint", code: "handlers-spread" }]);
  });

  it("is a warning at the mistake when the file does not parse", async () => {
    const text = "export const room = {\n  messages: { a( },\n};\n";
    const merged = await merge(text, room("a", "b"));
    expect(merged.text).toBe(text);
    expect(merged.diagnostics).toMatchObject([{ code: "handlers-syntax", position: { line: 2 } }]);
  });
});

describe("a method whose message is gone", () => {
  it("is a warning at its name", async () => {
    const text = "export const room: RoomHandler = {\n  messages: {\n    a() {},\n    async gone() {},\n  },\n};\n";
    const merged = await merge(text, room("a"));
    expect(merged.text).toBe(text);
    expect(merged.diagnostics).toEqual([
      {
        severity: "warning",
        code: "handlers-orphan",
        message: "`room.gone` handles a message that the document does not have any more.",
        fix: "Remove the method, or rename it if its message was renamed.",
        position: { file: "/project/handlers/room.ts", line: 4, column: 11, endLine: 4, endColumn: 15 },
      },
    ]);
  });
});

describe("the topics of a shared socket", () => {
  const market = (...names: readonly string[]): Endpoint =>
    endpoint("market", {
      topics: [topic("market", "ticker", { docs: { description: "Trades." } }), topic("market", "book"), topic("market", "clock")],
      clientToServer: direction(
        names.map((name) => {
          const [head = "", method] = name.split(".");
          return method === undefined ? message(head) : topicMessage(head, method);
        }),
      ),
    });
  const stub = (name: string, depth: number): string => {
    const method = name.split(".").at(-1);
    return [`${method}(_payload, _conn) {`, `  throw new Error("market.${name} is not implemented yet");`, "},"]
      .map((line) => " ".repeat(depth) + line)
      .join("\n");
  };

  it("have an object of methods each, beside the messages of the socket; those that only send have none", async () => {
    const text = printHandlers(market("ping", "ticker.subscribe", "ticker.stop", "book.subscribe"), "../generated/server.js");
    expect(text).toBe(`import type { MarketHandler } from "../generated/server.js";

export const market: MarketHandler = {
  messages: {
${stub("ping", 4)}
  },

  /** Trades. */
  ticker: {
${stub("ticker.subscribe", 4)}

${stub("ticker.stop", 4)}
  },

  book: {
${stub("book.subscribe", 4)}
  },
};
`);
    const again = await merge(text, market("ping", "ticker.subscribe", "ticker.stop", "book.subscribe"));
    expect(again).toEqual({ text, added: [], diagnostics: [] });
  });

  it("gain the methods they lack, and those that are new an object; every other byte stays", async () => {
    const before = `export const market: MarketHandler = {
  messages: { ping ( ) { } },   // mine
  ticker: {
    subscribe({pair}, conn) { conn.join(pair) } ,
  },
  close() {},
};
`;
    const { text, added, diagnostics } = await merge(before, market("ping", "ticker.subscribe", "ticker.stop", "book.subscribe"));
    expect(added).toEqual(["ticker.stop", "book.subscribe"]);
    expect(diagnostics).toEqual([]);
    expect(text).toBe(
      before
        .replace("conn.join(pair) } ,\n", `conn.join(pair) } ,\n\n${stub("ticker.stop", 4)}\n`)
        .replace("  close() {},\n", `  close() {},\n  book: {\n${stub("book.subscribe", 4)}\n  },\n`),
    );
  });

  it("are found in classes, by their own interfaces, and by the handler's type", async () => {
    for (const before of [
      "const ticker: MarketTickerMessages = {\n  subscribe() {},\n};\nexport const market: MarketHandler = { ticker, ...rest };\n",
      'const t: MarketHandler["ticker"] = {\n  subscribe() {},\n};\nexport const market: MarketHandler = make(t);\n',
      "export class Market implements MarketHandler {\n  ticker = {\n    subscribe() {},\n  };\n}\n",
    ]) {
      const { text, added } = await merge(before, market("ticker.subscribe", "ticker.stop"));
      expect(added, before).toEqual(["ticker.stop"]);
      expect(text.replace(/\s*stop\(_payload[\s\S]*?\n {2,4}\},/, ""), before).toBe(before);
    }
  });

  it("warn of methods whose message is gone, and once of a handler that cannot be followed", async () => {
    const gone = "export const market: MarketHandler = {\n  ticker: {\n    gone() {},\n    subscribe() {},\n  },\n};\n";
    expect((await merge(gone, market("ticker.subscribe"))).diagnostics).toMatchObject([
      { code: "handlers-orphan", message: expect.stringContaining("`market.ticker.gone`"), position: { line: 3 } },
    ]);
    const lost = "export const market = await makeMarket();\n";
    expect((await merge(lost, market("ping", "ticker.subscribe", "book.other"))).diagnostics).toHaveLength(1);
  });
});
