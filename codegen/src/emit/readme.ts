// README.md of a package: how to connect, and every method, message and error, in the document's own words. Prose of a document is Markdown
// already; names come from the model, so that nothing in a code span needs escaping.
import type { Delivery, Docs, Endpoint, HandshakePart, Model, SecurityScheme, Server, Topic } from "../model/model.ts";
import { sampleOf } from "../model/sample.ts";
import { DEFINITIONS } from "../model/schemas.ts";
import { apiNames } from "./api-names.ts";
import { codecsOf } from "./codecs.ts";
import { createGeneratedFile, type GeneratedFile } from "./file.ts";
import { clientErrors } from "./package.ts";
import { answerReceived, answerSent, directions, type Group, groupsOf, plainMessages, received, requests } from "./signatures.ts";

const join = "@wsgen/runtime/generated/client";

/** Prints the README of the package `name`. `extras` are its other entries, beside the package itself. */
export function emitReadme(model: Model, name: string, extras: { readonly schemas: boolean; readonly unchecked: boolean }): string {
  // For signatures and literals only: its text is never asked for.
  const file = createGeneratedFile("README.md", "");
  const { title, docs, servers, endpoints } = model;
  const asks = endpoints.some((endpoint) => requests(directions(endpoint, "client").sends.messages).length > 0);
  const errors = clientErrors.filter(([error]) => asks || !error.startsWith("Request"));
  const parts = [
    `# ${name}`,
    prose(docs) || `A client of ${inline(title)}.`,
    `A typed client of ${inline(title)}${model.version === undefined ? "" : ` (version ${inline(model.version)})`} for browsers, Node 20.19 and newer, Deno and Bun. What is sent and what arrives is checked against the document.`,
    fence("sh", `npm install ${name}`),
    "## Connect",
    ...endpoints.slice(0, 1).map((endpoint) => fence("ts", connecting(model, endpoint, name, file))),
    "The connection comes back by itself when it was lost; `connection.subscribe` and `connection.getSnapshot` tell of its state. `for await (const { name, payload } of connection)` reads everything that arrives. Properties with a constant value, and the ids that replies are matched by, are filled in.",
    ...ofCredentials(model),
    ...endpoints.flatMap((endpoint) => ofEndpoint(endpoint, file)),
    ...ofServers(servers, file),
    ...ofCloseCodes(model),
    "## Errors",
    table(
      ["error", "when"],
      errors.map(([error, when]) => [`\`${error}\``, when]),
    ),
    ...ofExtras(name, extras),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** An example that compiles, up to the values that only the user knows. */
function connecting(model: Model, endpoint: Endpoint, name: string, file: GeneratedFile): string {
  const { createClient, classify, codecs } = apiNames(model);
  const [server] = model.servers.filter(({ name }) => endpoint.servers.includes(name));
  const classifies = model.endpoints.some((one) => directions(one, "client").receives.choice?.by === "classify");
  const encodes = codecsOf(model).length > 0;
  const functions = [
    ...(classifies
      ? [{ name: "classify", type: classify, about: "Yours: it says which message it is where nothing in the message does." }]
      : []),
    ...(encodes ? [{ name: "codecs", type: codecs, about: "Yours: a library for each format, `{ encode(value), decode(bytes) }`." }] : []),
  ];
  const imported = [createClient, ...(server === undefined ? [] : ["servers"]), ...functions.map(({ type }) => `type ${type}`)];
  const given = [endpoint.query, endpoint.headers].map((part, index): readonly string[] =>
    part === undefined || part.optional ? [] : [`${["query", "headers"][index]}: ${sample(model, part, file)}`],
  );
  const options = given.flat().length === 0 ? [] : [`{ ${given.flat().join(", ")} }`];
  const args = [
    ...(endpoint.parameters === undefined || (endpoint.parameters.optional && options.length === 0)
      ? []
      : [sample(model, endpoint.parameters, file)]),
    ...options,
  ].join(", ");
  const address = server === undefined ? '"wss://example.com"' : `servers${member(server.name)}(${variables(server, file)})`;
  return [
    `import { ${imported.join(", ")} } from ${file.string(name)};`,
    "",
    ...functions.map(({ name, type, about }) => `declare const ${name}: ${type}; // ${about}`),
    `const client = ${createClient}(${[address, ...clientOptions(model, endpoint, functions)].join(", ")});`,
    `const connection = await client${member(endpoint.name)}(${args});`,
    ...endpoint.serverToClient.deliveries
      .filter(({ topic }) => topic === undefined)
      .slice(0, 1)
      .map(({ method }) => `connection.on${member(method)}((payload) => console.log(payload));`),
    "await connection.close();",
  ].join("\n");
}

/** The options without which nobody is let in: a function that the user has to write, and the first credentials that are enough. */
function clientOptions(
  { schemes }: Model,
  { security = [] }: Endpoint,
  functions: readonly { readonly name: string }[],
): readonly string[] {
  const [names = []] = security.some((list) => list.length === 0) ? [] : security;
  const asked = schemes.filter(({ name, contract }) => names.includes(name) && contract.carries !== "certificate");
  const credentials = asked.map(({ name, contract }) =>
    isIdentifier(name) ? `${name}: ${blank(contract.carries)}` : `${JSON.stringify(name)}: ${blank(contract.carries)}`,
  );
  const options = [
    ...functions.map(({ name }) => name),
    ...(credentials.length === 0 ? [] : [`credentials: { ${credentials.join(", ")} }`]),
  ];
  return options.length === 0 ? [] : [`{ ${options.join(", ")} }`];
}

const blank = (carries: SecurityScheme["contract"]["carries"]): string =>
  carries === "basic" ? '{ username: "…", password: "…" }' : '"…"';

/** What clients can show to be let in. */
function ofCredentials({ schemes, endpoints }: Model): readonly string[] {
  if (schemes.length === 0) return [];
  const given = schemes.filter(({ contract }) => contract.carries !== "certificate");
  const certificate = schemes.find(({ contract }) => contract.carries === "certificate");
  const headers = given.some(({ contract }) => contract.in === "header" || contract.in === "cookie");
  const several = endpoints.some(({ security = [] }) => security.length > 1);
  return [
    "## Credentials",
    given.length === 0
      ? ""
      : `\`credentials\` of the client hold what the server asks for${several ? "; the first list of them that it takes and that is there whole is shown" : ""}. A function is asked before every attempt to connect, also when the connection comes back: \`async () => await freshToken()\`.${headers ? " Browsers send no headers of a page's own: what travels in one is for Node." : ""}`,
    given.length === 0
      ? ""
      : table(
          ["", "travels in", ""],
          given.map((scheme) => [`\`credentials${member(scheme.name)}\``, scheme.place, line(scheme.docs, "")]),
        ),
    certificate === undefined
      ? ""
      : `A certificate belongs to the TLS connection: \`tls: { cert, key }\`, on Node; a browser takes the one its user chooses.${line(certificate.docs, "") && ` ${line(certificate.docs, "")}`}`,
  ];
}

/** What close codes of the application mean. */
function ofCloseCodes(model: Model): readonly string[] {
  const own = model.endpoints.filter(({ closeCodes }) => closeCodes.length > 0);
  if (model.closeCodes.length === 0 && own.length === 0) return [];
  const rows = (constant: string, codes: Model["closeCodes"]): (readonly string[])[] =>
    codes.map(({ name, code, docs }) => [`\`${constant}${member(name)}\``, String(code), line(docs, "")]);
  return [
    "## Close codes",
    "`(await connection.closed).meaning` says why a connection has ended for good: one of these names, or the standard's (`normal`, `goingAway`, `lost`, …).",
    table(
      ["", "code", ""],
      [...rows("closeCodes", model.closeCodes), ...own.flatMap((one) => rows(`${one.name}CloseCodes`, one.closeCodes))],
    ),
  ];
}

/** What must be given, with `…` where any text will do. */
function sample(model: Model, { type, defaults = {} }: HandshakePart, file: GeneratedFile): string {
  const schema = model.types.find(({ name }) => name === type)?.schema;
  const resolve = (id: string) => model.types.find(({ name }) => DEFINITIONS + name === id || name === id)?.schema;
  const value = schema === undefined ? undefined : sampleOf(schema, resolve, { optional: false, pick: 0 });
  if (typeof schema !== "object" || typeof value !== "object" || value === null || Array.isArray(value)) return "{}";
  const declared: unknown = schema["properties"];
  const isPlain = (key: string): boolean => {
    const property: unknown = typeof declared === "object" && declared !== null ? Reflect.get(declared, key) : undefined;
    if (typeof property !== "object" || property === null) return false;
    return Reflect.get(property, "type") === "string" && !("enum" in property || "const" in property);
  };
  const needed = Object.entries(value).filter(([key]) => !Object.hasOwn(defaults, key));
  return file.value(Object.fromEntries(needed.map(([key, one]) => [key, isPlain(key) ? "…" : one])));
}

const paramsOf = ({ type, optional }: Pick<HandshakePart, "type" | "optional">, last = true): string =>
  `params${optional && last ? "?" : ""}: ${type}`;

/** What stands for parameters that are left out. */
function ofDefaults({ defaults = {} }: Pick<HandshakePart, "defaults"> = {}): string {
  const each = Object.entries(defaults).map(([name, value]) => `${code(name)} is ${code(value)}`);
  return each.length === 0 ? "" : `Where nothing else is given, ${each.join(", ")}.`;
}

/** Some of the document's text as code: a backtick would end it. */
const code = (text: unknown): string => `\`${String(text).replaceAll("`", "")}\``;

function variables({ variables }: Server, file: GeneratedFile): string {
  const needed = variables.filter((variable) => variable.default === undefined);
  return needed.length === 0 ? "" : file.value(Object.fromEntries(needed.map(({ name, enum: values }) => [name, values?.[0] ?? "…"])));
}

function ofEndpoint(endpoint: Endpoint, file: GeneratedFile): readonly string[] {
  const { parameters, query, headers, subscription } = endpoint;
  const { socket, topics } = groupsOf(endpoint, "client");
  const options = [...(query ? [`query: ${query.type}`] : []), ...(headers ? [`headers: ${headers.type}`] : [])];
  const args = [
    ...(parameters ? [paramsOf(parameters, ![query, headers].some((part) => part?.optional === false))] : []),
    ...(options.length === 0 ? [] : [`{ ${options.join(", ")} }`]),
  ];
  return [
    `## \`client${member(endpoint.name)}(${args.join(", ")})\``,
    [`Connects to ${code(endpoint.address)}.`, ofDefaults(parameters)].filter((part) => part !== "").join(" "),
    prose(endpoint.docs),
    endpoint.protocols.length === 0
      ? ""
      : `Speaks ${endpoint.protocols.map((name) => `\`${name}\``).join(", ")}; \`connection.protocol\` says which was agreed on.`,
    ...(subscription === undefined
      ? []
      : ["`connection.subscription(…)` subscribes, and again after a reconnect; closing what it gives unsubscribes."]),
    ...ofGroup(socket, "connection", endpoint, file),
    ...topics.flatMap((group) => (group.topic === undefined ? [] : ofTopic(group, group.topic, endpoint, file))),
  ];
}

function ofTopic(group: Group, topic: Topic, endpoint: Endpoint, file: GeneratedFile): readonly string[] {
  const { name, docs, parameters, subscription } = topic;
  const { sends } = directions(endpoint, "client");
  const subscribe = subscription && sends.messages.find((message) => message.name === subscription.subscribe);
  const given = subscribe ? `payload: ${received(file, subscribe)}` : parameters === undefined ? "" : paramsOf(parameters);
  return [
    `### \`connection${member(name)}(${given})\``,
    prose(docs),
    subscription === undefined ? ofDefaults(parameters) : "",
    subscription === undefined ? "" : "Subscribes, and again after a reconnect; closing it unsubscribes.",
    ...ofGroup(group, /^[a-z]\w*$/i.test(name) ? name : "topic", endpoint, file),
  ];
}

/** Every method of one place, each with the document's word for it. */
function ofGroup({ sends, receives }: Group, at: string, endpoint: Endpoint, file: GeneratedFile): readonly string[] {
  const sides = directions(endpoint, "client");
  const rows: [string, string][] = [
    ...plainMessages(sends).map((message): [string, string] => [
      `${at}.send${member(message.method)}(payload: ${received(file, message)})`,
      line(message.docs, "Sends it."),
    ]),
    ...requests(sends.messages).map((message): [string, string] => [
      `${at}.request${member(message.method)}(payload: ${received(file, message)}, options?): Promise<${answerReceived(file, message.reply, sides.receives)}>`,
      line(message.docs, "Asks, and is settled by the reply."),
    ]),
    ...receives.deliveries.map((delivery: Delivery): [string, string] => [
      `${at}.on${member(delivery.method)}((payload: ${received(file, delivery)}) => …)`,
      line(delivery.docs, "Arrives."),
    ]),
    ...requests(receives.deliveries).map((delivery): [string, string] => [
      `${at}.answer${member(delivery.method)}((payload: ${received(file, delivery)}) => ${answerSent(file, join, delivery.reply, sides.sends)})`,
      line(delivery.docs, "Answers what the server asks."),
    ]),
  ];
  return rows.length === 0
    ? []
    : [
        table(
          ["method", ""],
          rows.map(([call, about]) => [`\`${call}\``, about]),
        ),
      ];
}

function ofServers(servers: readonly Server[], file: GeneratedFile): readonly string[] {
  if (servers.length === 0) return [];
  const rows = servers.map((server) => [
    `\`servers${member(server.name)}(${variables(server, file)})\``,
    `\`${server.url.replaceAll("`", "")}\``,
    line(server.docs, ""),
  ]);
  return ["## Servers", table(["", "address", ""], rows)];
}

function ofExtras(name: string, { schemas, unchecked }: { readonly schemas: boolean; readonly unchecked: boolean }): readonly string[] {
  const rows = [
    [`\`${name}\``, "the client, the types of its messages, the errors"],
    ...(unchecked ? [[`\`${name}/unchecked\``, "a client of the same types that checks nothing, and loads no validator"]] : []),
    ...(schemas ? [[`\`${name}/schemas\``, "the types as TypeBox values; `npm install typebox` beside it"]] : []),
  ];
  return rows.length === 1 ? [] : ["## Entries", table(["import", "holds"], rows)];
}

const isIdentifier = (name: string): boolean => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name);
const member = (name: string): string => (isIdentifier(name) ? `.${name}` : `[${JSON.stringify(name)}]`);

const fence = (language: string, code: string): string => `\`\`\`${language}\n${code}\n\`\`\``;

/** A bar in a cell is a bar, also in code. */
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");

/** Text of the document that is a paragraph of its own. Its headings go below ours. */
const prose = ({ title, summary, description }: Docs): string =>
  [...new Set([summary, description].flatMap((text) => (text?.trim() ? [text.trim()] : [])))]
    .concat(summary?.trim() || description?.trim() || !title?.trim() ? [] : [title.trim()])
    .map((text) => text.replace(/\r\n?/g, "\n").replace(/^(#{1,4}) /gm, "##$1 "))
    .join("\n\n");

/** The first paragraph, on one line. */
const line = ({ title, summary, description, deprecated }: Docs, otherwise: string): string => {
  const text = [summary, description, title].map((text) => inline(text?.trim().split(/\n\s*\n/)[0] ?? "")).find((text) => text !== "");
  return `${deprecated === true ? "Deprecated. " : ""}${text ?? otherwise}`;
};

const inline = (text: string): string => text.replace(/\s+/g, " ").trim();
