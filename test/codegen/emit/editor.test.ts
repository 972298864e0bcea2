// What an editor shows of generated code: on hover, while typing, and on a mistake. The first line of an error has to say what is wrong.
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Project, ts } from "ts-morph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "./emitted.ts";

const root = new URL("../../..", import.meta.url).pathname;
const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

/** What every piece of code below may use. */
const prelude = `import { createRouter } from "@wsgen/runtime";
import { createAccountClient } from "../generated/account/client.js";
import { type AccountHandlers, registerAccount } from "../generated/account/server.js";
import { createChatClient, servers } from "../generated/chat/client.js";
import { registerChat, type RoomHandler } from "../generated/chat/server.js";

const chat = createChatClient(servers.local());
const room = await chat.room({ roomId: "a" }, { query: { username: "ada" } });
const router = createRouter();
const history: RoomHandler["messages"]["history"] = () => ({ posts: [] });
declare const accounts: AccountHandlers;
export { room, chat, router, history, accounts, createAccountClient, registerAccount, registerChat, servers };
`;

/** A file of the prelude and one piece of code, as a user of the generated code has it. */
function written(name: string, code: string): string {
  const path = join(folder, `${name}.ts`);
  writeFileSync(path, prelude + code);
  return path;
}

/** The language service that editors ask, of the TypeScript that the generator comes with. */
function editorOf(paths: readonly string[]): ts.LanguageService {
  const project = new Project({
    tsConfigFilePath: join(root, "test/tsconfig.json"),
    skipAddingFilesFromTsConfig: true,
    compilerOptions: lenient,
  });
  for (const path of paths) project.addSourceFileAtPath(path);
  return project.getLanguageService().compilerObject;
}

/** What is only shown is not used. */
const lenient = { noUnusedLocals: false, noUnusedParameters: false };

describe("an editor shows", () => {
  // Where a `|` stands the editor is asked.
  const hovers: readonly (readonly [code: string, type: string, prose?: string])[] = [
    ["room.|send", "(property) RoomClient.send: RoomSend"],
    [
      "room.send.|postMessage",
      '(method) RoomSend.postMessage(payload: Optional<PostMessage, "type">): Sent',
      "Say something to everyone in the room.",
    ],
    [
      "room.request.|history",
      '(method) RoomRequest.history(payload?: Optional<HistoryRequest, "type" | "requestId">, options?: RequestOptions): Promise<HistoryPage>',
      "Ask for what was said before.",
    ],
    [
      "chat.|room",
      "(method) ChatClient.room(params: RoomParameters, options: RoomOptions): Opening<RoomClient>",
      "One room. Whoever is connected to it hears what is said in it.",
    ],
    ["room.on.messagePosted((|payload) => payload)", "(parameter) payload: MessagePosted"],
    ["for await (const |message of room) message.name", "const message: RoomEvent"],
    ['for await (const message of room) if (message.name === "memberLeft") message.payload.|name', "(property) MemberLeft.name: string"],
    ["export const a: RoomHandler = { messages: { history, postMessage(|payload) {} } }", "(parameter) payload: PostMessage"],
    ["export const b: RoomHandler = { messages: { history, postMessage(_, |conn) {} } }", "(parameter) conn: RoomConnection<object>"],
    [
      "export const c: RoomHandler = { messages: { |history: () => ({ posts: [] }), postMessage() {} } }",
      '(property) RoomMessages<object>.history: (payload: HistoryRequest, conn: RoomConnection<object>) => Awaitable<Optional<HistoryPage, "type" | "requestId">>',
      "Ask for what was said before. Return the reply; its `requestId` is filled in.",
    ],
  ];
  const completions: readonly (readonly [code: string, names: string])[] = [
    ["room.|send", "close closed getSnapshot on protocol request send signal subscribe url"],
    ["room.on.|problem", "memberJoined memberLeft messagePosted problem"],
    ["room.on.messagePosted((payload) => payload.|post)", "post type"],
    ["room.request.history({ | })", "before limit requestId type"],
    ["registerChat(router, { room: { messages: { history, | } } })", "postMessage"],
  ];
  const files = [...hovers, ...completions].map(([code], index) => ({ code, at: code.indexOf("|"), name: `shown${index}` }));
  let editor: ts.LanguageService;
  const place = (code: string): [string, number] => {
    const file = files.find((one) => one.code === code);
    return [join(folder, `${file?.name}.ts`), prelude.length + (file?.at ?? 0)];
  };
  beforeAll(() => {
    editor = editorOf(files.map(({ name, code, at }) => written(name, code.slice(0, at) + code.slice(at + 1))));
  });

  it.each(hovers.map(([code, type, prose = ""]) => [code, type, prose] as const))(
    "on %s what it is, in the document's words",
    (code, type, prose) => {
      const info = editor.getQuickInfoAtPosition(...place(code));
      expect(ts.displayPartsToString(info?.displayParts)).toBe(type);
      expect(ts.displayPartsToString(info?.documentation)).toBe(prose);
    },
  );

  it.each(completions)("at %s what is there, and nothing else", (code, names) => {
    const found = editor.getCompletionsAtPosition(...place(code), {})?.entries.map(({ name }) => name);
    expect(found?.join(" ")).toBe(names);
  });
});

/** In which order compilers print constants depends on what they have seen before. */
const sorted = (text: string): string => text.replace(/"\w+"( \| "\w+")+/g, (union) => union.split(" | ").sort().join(" | "));

/** Mistakes, each with what TypeScript says, and what TypeScript 7 does where that is something else. */
const mistakes: readonly (readonly [what: string, code: string, says: string, bySeven?: string])[] = [
  [
    "a misspelt property",
    'room.send.postMessage({ txet: "" });',
    `Object literal may only specify known properties, and 'txet' does not exist in type 'Optional<PostMessage, "type">'.`,
  ],
  ["a wrong type", "room.send.postMessage({ text: 1 });", "Type 'number' is not assignable to type 'string'."],
  ["a wrong constant", 'room.send.postMessage({ type: "post", text: "" });', `Type '"post"' is not assignable to type '"postMessage"'.`],
  [
    "a misspelt message",
    'room.send.postMesage({ text: "" });',
    "Property 'postMesage' does not exist on type 'RoomSend'. Did you mean 'postMessage'?",
  ],
  ["a message of the other side", 'room.send.memberLeft({ name: "" });', "Property 'memberLeft' does not exist on type 'RoomSend'."],
  [
    "a missing path parameter",
    'chat.room({}, { query: { username: "" } });',
    "Argument of type '{}' is not assignable to parameter of type 'RoomParameters'.\n  Property 'roomId' is missing in type '{}' but required in type 'RoomParameters'.",
    "Property 'roomId' is missing in type '{}' but required in type 'RoomParameters'.",
  ],
  [
    "a missing query",
    'chat.room({ roomId: "" }, {});',
    "Argument of type '{}' is not assignable to parameter of type 'RoomOptions'.\n  Property 'query' is missing in type '{}' but required in type 'RoomOptions'.",
    "Property 'query' is missing in type '{}' but required in type 'RoomOptions'.",
  ],
  [
    "a misspelt option of a request",
    "room.request.history({}, { timout: 5 });",
    "Object literal may only specify known properties, but 'timout' does not exist in type 'RequestOptions'. Did you mean to write 'timeout'?",
  ],
  [
    "a property that a message does not have",
    "room.on.messagePosted(({ post }) => post.txt);",
    "Property 'txt' does not exist on type 'Post'. Did you mean 'text'?",
  ],
  [
    "a message that never arrives",
    'for await (const { name } of room) if (name === "postMessage") break;',
    `This comparison appears to be unintentional because the types '"memberJoined" | "messagePosted" | "memberLeft" | "problem"' and '"postMessage"' have no overlap.`,
  ],
  [
    "a missing handler",
    "registerChat(router, { room: { messages: { history } } });",
    "Property 'postMessage' is missing in type '{ history: (payload: HistoryRequest, conn: RoomConnection<object>) => Awaitable<Optional<HistoryPage, \"type\" | \"requestId\">>; }' but required in type 'RoomMessages<object>'.",
  ],
  [
    "a handler of no message",
    "registerChat(router, { room: { messages: { history, postMessage() {}, whisper() {} } } });",
    "Object literal may only specify known properties, and 'whisper' does not exist in type 'RoomMessages<object>'.",
  ],
  [
    "a misspelt endpoint",
    "registerChat(router, { rom: { messages: { history, postMessage() {} } } });",
    "Object literal may only specify known properties, but 'rom' does not exist in type 'ChatHandlers<object>'. Did you mean to write 'room'?",
  ],
  [
    "a reply that lacks something",
    "registerChat(router, { room: { messages: { postMessage() {}, history: () => ({ post: [] }) } } });",
    `Type '{ post: never[]; }' is not assignable to type 'Awaitable<Optional<HistoryPage, "type" | "requestId">>'.`,
  ],
  [
    "a reply that is none",
    "registerChat(router, { room: { messages: { postMessage() {}, history() {} } } });",
    `Type '() => void' is not assignable to type '(payload: HistoryRequest, conn: RoomConnection<object>) => Awaitable<Optional<HistoryPage, "type" | "requestId">>'.\n  Type 'void' is not assignable to type 'Awaitable<Optional<HistoryPage, "type" | "requestId">>'.`,
  ],
  [
    "a context that no middleware provides",
    "registerChat(router, { room: { messages: { history, postMessage(_, conn) { conn.context.user; } } } });",
    "Property 'user' does not exist on type 'object'.",
  ],
  [
    "no hook that judges credentials",
    "registerAccount(router, accounts, { authenticate: {} });",
    "Property 'token' is missing in type '{}' but required in type 'AccountAuthenticate<object, never>'.",
  ],
  [
    "credentials of another scheme",
    'createAccountClient("", { credentials: { tokn: "" } });',
    "Object literal may only specify known properties, but 'tokn' does not exist in type 'AccountCredentials'. Did you mean to write 'token'?",
  ],
];

describe("a mistake is said in the document's words", () => {
  const path = (index: number): string => join(folder, `mistake${index}.ts`);
  let editor: ts.LanguageService;
  beforeAll(() => {
    editor = editorOf(mistakes.map(([, code], index) => written(`mistake${index}`, code)));
  });

  it.each(mistakes.map(([what, , says], index) => [what, says, path(index)] as const))("%s", (_what, says, file) => {
    const errors = editor.getSemanticDiagnostics(file).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
    expect(errors.map(sorted)).toEqual([sorted(says)]);
  });

  it("by TypeScript 7 alike, which leaves out what the next line says better", async () => {
    const settings = {
      extends: "../test/tsconfig.json",
      compilerOptions: lenient,
      files: mistakes.map((_, index) => path(index)),
      include: [],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
    const compiler = join(root, "node_modules/.bin/tsc");
    const { stdout } = await promisify(execFile)(compiler, ["-p", folder, "--pretty", "false"], { cwd: folder }).catch(
      (error: { readonly stdout: string }) => error,
    );
    const errors = stdout.trimEnd().split(/\n(?=\S)/);
    const said = mistakes.map((_, index) =>
      errors.filter((error) => error.startsWith(`mistake${index}.ts(`)).map((error) => sorted(error.replace(/^.*?: error TS\d+: /, ""))),
    );
    expect(said).toEqual(mistakes.map(([, , says, bySeven]) => [sorted(bySeven ?? says)]));
  });
});
