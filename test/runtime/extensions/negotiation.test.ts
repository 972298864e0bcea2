import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRouter, type DeflateOptions, defineExtension, type Extension } from "../../../runtime/src/index.ts";
import {
  agreeOnExtensions,
  chooseExtensions,
  type ExtensionOptions,
  parseExtensionOffers,
} from "../../../runtime/src/upgrade/extensions.ts";
import { type RunningServer, serve } from "../../../runtime/src/upgrade/server.ts";
import { handshakeText, knock } from "../upgrade/raw-client.ts";

/** What the 101 would say. */
function answerTo(offers: string, options: ExtensionOptions): string {
  const parsed = parseExtensionOffers(offers);
  if (parsed === undefined) throw new Error(`malformed: ${offers}`);
  return agreeOnExtensions(chooseExtensions(options), {}, parsed, false).header;
}

const alone = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
const taking = { serverNoContextTakeover: false, clientNoContextTakeover: false };

describe("offers of permessage-deflate", () => {
  test.each<[what: string, offer: string, deflate: ExtensionOptions["deflate"], answer: string]>([
    ["without parameters, under the defaults", "permessage-deflate", true, alone],
    ["without parameters, context takeover allowed", "permessage-deflate", taking, "permessage-deflate"],
    ["when it is off", "permessage-deflate", false, ""],
    ["when nothing was said of it", "permessage-deflate", undefined, ""],
    ["like Chrome's", "permessage-deflate; client_max_window_bits", taking, "permessage-deflate"],
    [
      "like Chrome's, client window limited",
      "permessage-deflate; client_max_window_bits",
      { ...taking, clientMaxWindowBits: 10 },
      "permessage-deflate; client_max_window_bits=10",
    ],
    ["that cannot be told of the client window, which is limited", "permessage-deflate", { ...taking, clientMaxWindowBits: 10 }, ""],
    [
      "with a smaller client window than ours",
      "permessage-deflate; client_max_window_bits=9",
      { ...taking, clientMaxWindowBits: 10 },
      "permessage-deflate; client_max_window_bits=9",
    ],
    [
      "with a larger client window than ours",
      "permessage-deflate; client_max_window_bits=12",
      { ...taking, clientMaxWindowBits: 10 },
      "permessage-deflate; client_max_window_bits=10",
    ],
    [
      "with a server window smaller than ours",
      "permessage-deflate; server_max_window_bits=8",
      { ...taking, serverMaxWindowBits: 10 },
      "permessage-deflate; server_max_window_bits=8",
    ],
    [
      "with a server window larger than ours",
      "permessage-deflate; server_max_window_bits=15",
      { ...taking, serverMaxWindowBits: 10 },
      "permessage-deflate; server_max_window_bits=10",
    ],
    [
      "with the largest server window, which is repeated",
      "permessage-deflate; server_max_window_bits=15",
      taking,
      "permessage-deflate; server_max_window_bits=15",
    ],
    [
      "without a server window, ours limited",
      "permessage-deflate",
      { ...taking, serverMaxWindowBits: 9 },
      "permessage-deflate; server_max_window_bits=9",
    ],
    [
      "that ask the server not to take over",
      "permessage-deflate; server_no_context_takeover",
      taking,
      "permessage-deflate; server_no_context_takeover",
    ],
    [
      "that promise not to take over",
      "permessage-deflate; client_no_context_takeover",
      taking,
      "permessage-deflate; client_no_context_takeover",
    ],
    ["with a quoted value", 'permessage-deflate; server_max_window_bits="12"', taking, "permessage-deflate; server_max_window_bits=12"],
    ["with an unknown parameter", "permessage-deflate; colour=red", taking, ""],
    ["with a parameter from Object.prototype", "permessage-deflate; __proto__=1", taking, ""],
    [
      "several, of which the first cannot be accepted",
      "permessage-deflate; colour=red, permessage-deflate; client_max_window_bits=11, permessage-deflate",
      taking,
      "permessage-deflate; client_max_window_bits=11",
    ],
    [
      "several, of which the first falls back to the last",
      "permessage-deflate, permessage-deflate; client_max_window_bits",
      { ...taking, clientMaxWindowBits: 9 },
      "permessage-deflate; client_max_window_bits=9",
    ],
    ["beside an extension nobody knows", "x-webkit-deflate-frame, permessage-deflate", taking, "permessage-deflate"],
    ["of something else alone", "x-webkit-deflate-frame", taking, ""],
    ["in other spaces", "  permessage-deflate ;client_max_window_bits  =  10\t", taking, "permessage-deflate; client_max_window_bits=10"],
  ])("%s", (_what, offer, deflate, answer) => {
    expect(answerTo(offer, deflate === undefined ? {} : { deflate })).toBe(answer);
  });

  test.each([
    "",
    ",",
    "permessage-deflate,",
    "permessage-deflate;",
    "permessage deflate",
    "permessage-deflate; =",
    "permessage-deflate; a=",
    'permessage-deflate; a="b c"',
    'permessage-deflate; a="b',
    "permessage-deflate; server_no_context_takeover=true",
    "permessage-deflate; client_no_context_takeover=1",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=08",
    "permessage-deflate; client_max_window_bits=",
    "permessage-deflate; client_max_window_bits=10; client_max_window_bits=10",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
  ])("that are malformed are refused: %s", (offer) => {
    expect(parseExtensionOffers(offer)).toBeUndefined();
  });

  test.each<[deflate: DeflateOptions, message: RegExp]>([
    [{ serverMaxWindowBits: 7 }, /serverMaxWindowBits is 7; it must be a whole number, from 8 to 15/],
    [{ clientMaxWindowBits: 16 }, /clientMaxWindowBits is 16/],
    [{ level: 10 }, /level is 10; .* from 0 to 9/],
    [{ memLevel: 0 }, /memLevel is 0; .* from 1 to 9/],
    [{ minSize: -1 }, /minSize is -1; .* 0 or more/],
    [{ minSize: 1.5 }, /minSize is 1.5/],
  ])("options that cannot work are refused: %j", (deflate, message) => {
    expect(() => createRouter({ deflate })).toThrow(message);
  });
});

const plain = { encode: ({ data }: { data: Uint8Array }) => ({ data, rsv: 0 }), decode: ({ data }: { data: Uint8Array }) => data };
const named = (name: string, more: Partial<Extension> = {}): Extension => defineExtension({ name, accept: () => plain, ...more });

describe("extensions of one's own", () => {
  test("are negotiated by name, each with its first acceptable offer, and answered in the order of the options", () => {
    const fussy = named("x-fussy", { accept: ({ key }) => (key === "7" ? { ...plain, parameters: { key: 7, yes: true } } : undefined) });
    const extensions = [named("x-a"), fussy];
    expect(answerTo("x-fussy, x-fussy; key=6, x-fussy; key=7, x-a", { extensions })).toBe("x-a, x-fussy; key=7; yes");
    expect(answerTo("x-b", { extensions })).toBe("");
    expect(answerTo("x-a, permessage-deflate", { extensions, deflate: taking })).toBe("permessage-deflate, x-a");
  });

  test("share no reserved bit: the second is left out", () => {
    const extensions = [named("x-a", { rsv: 2 }), named("x-b", { rsv: 3 }), named("x-c", { rsv: 1 }), named("x-d", { rsv: 4 })];
    expect(answerTo("x-c, x-b, x-a, x-d", { extensions })).toBe("x-a, x-c, x-d");
    expect(answerTo("x-a, x-d, permessage-deflate", { extensions, deflate: taking })).toBe("permessage-deflate, x-a");
    expect(answerTo("x-b", { extensions })).toBe("x-b");
  });

  test("that can never work are refused when they are given", () => {
    expect(() => defineExtension({ name: "x a", accept: () => plain })).toThrow(/"x a" is no token/);
    expect(() => named("x-a", { rsv: 8 })).toThrow(/rsv of "x-a" must be a sum of 4/);
    expect(() => createRouter({ extensions: [named("x-a"), named("x-a")] })).toThrow(/two named "x-a"/);
    expect(() => createRouter({ deflate: true, extensions: [named("x-a", { rsv: 4, negotiated: false })] })).toThrow(
      /"permessage-deflate" and "x-a" want the same reserved bit/,
    );
    expect(() => createRouter().ws("/", { handler: async () => {}, extensions: [named("x-a"), named("x-a")] })).toThrow(/two named/);
  });
});

describe("the handshake", () => {
  let server: RunningServer;
  const errors: unknown[] = [];
  beforeAll(async () => {
    const router = createRouter({ deflate: taking, extensions: [named("x-router")], onError: (error) => void errors.push(error) });
    const handler = (): Promise<void> => new Promise(() => {});
    router.ws("/router", handler);
    router.ws("/off", { handler, deflate: false });
    router.ws("/own", { handler, deflate: true, extensions: [named("x-route"), named("x-silent", { negotiated: false })] });
    const parameters = { a: "b\r\nSet-Cookie: c" };
    router.ws("/throws", { handler, extensions: [named("x-throws", { accept: () => ({ ...plain, parameters }) })] });
    server = await serve(router, { host: "127.0.0.1", signals: [], drain: { timeout: 50 } });
  });
  afterAll(() => server.close());

  const offer = (path: string, header: string | readonly string[] | undefined): ReturnType<typeof knock> =>
    knock(server.port, handshakeText(path, { "Sec-WebSocket-Extensions": header }));

  test.each<[path: string, header: string | readonly string[] | undefined, answer: string | null]>([
    ["/router", undefined, null],
    ["/router", "x-route", null],
    ["/router", "x-router, permessage-deflate", "permessage-deflate, x-router"],
    ["/router", ["x-router", "permessage-deflate; client_max_window_bits"], "permessage-deflate, x-router"],
    ["/off", "x-router, permessage-deflate", "x-router"],
    ["/own", "x-router, x-route, permessage-deflate, x-silent", `${alone}, x-route`],
  ])("on %s with %j says %j", async (path, header, answer) => {
    const { status, headers } = await offer(path, header);
    expect(status).toBe(101);
    expect(headers.get("sec-websocket-extensions")).toBe(answer);
  });

  test("with a malformed offer is refused with 400, whatever is on", async () => {
    for (const path of ["/router", "/off"]) expect((await offer(path, "permessage-deflate; server_max_window_bits=99")).status).toBe(400);
  });

  test("in which an extension throws is a 500, and nothing of it reaches the client", async () => {
    const answer = await offer("/throws", "x-throws");
    expect(answer.status).toBe(500);
    expect(answer.headers.has("set-cookie")).toBe(false);
    expect(String(errors[0])).toContain('The parameter "a" of the extension "x-throws" is no token');
  });
});
