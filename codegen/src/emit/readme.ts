// README.md of a package: how to connect, and every method, message and error, in the document's own words. Prose of a document is Markdown
// already; names come from the model, so that nothing in a code span needs escaping.
import { isIdentifier } from "../letters.ts";
import type { Delivery, Docs, Endpoint, HandshakePart, Message, Model, SecurityScheme, Server, Topic } from "../model/model.ts";
import { sampleOf } from "../model/sample.ts";
import { isObject, property } from "../model/tree.ts";
import { apiNames, joins } from "./api-names.ts";
import { codecsOf } from "./codecs.ts";
import { createGeneratedFile, type GeneratedFile } from "./file.ts";
import { clientErrors } from "./package.ts";
import {
  answerReceived,
  answerSent,
  correlationProperty,
  directions,
  type Group,
  groupsOf,
  payloadParameter,
  plainMessages,
  received,
  requests,
} from "./signatures.ts";

const join = joins.client;

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
    "The connection comes back by itself when it was lost; `connection.subscribe` and `connection.getSnapshot` tell of its state. `for await (const { name, payload } of connection)` reads everything that arrives. Properties with a constant value, and the ids that replies are matched by, are filled in: of an `Optional<Message, …>` those that are named may be left out.",
    ...ofCredentials(model),
    ...endpoints.flatMap((endpoint) => ofEndpoint(endpoint, { model, file })),
    ...ofServers(servers),
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
    ...talking(model, endpoint, file),
  ].join("\n");
}

/** What an example does with its connection: it asks something, if it can, and reads what arrives. */
function talking(model: Model, endpoint: Endpoint, file: GeneratedFile): readonly string[] {
  const { socket, topics } = groupsOf(endpoint, "client");
  const [asked] = requests(socket.sends.messages).flatMap((message) => {
    const given = argument(model, message, correlationProperty(model, message, message.reply.request), file);
    return given === undefined ? [] : [`console.log(await connection.request${member(message.method)}(${given}));`];
  });
  const loop = (from: string): string => `for await (const { name, payload } of ${from}) console.log(name, payload);`;
  // What belongs to topics comes when one of them is open.
  const [opened] = topics.flatMap(({ topic, receives }) => {
    if (topic === undefined || receives.deliveries.length === 0) return [];
    const subscribe = endpoint.clientToServer.messages.find(({ name }) => name === topic.subscription?.subscribe);
    const { parameters } = topic;
    const of = parameters === undefined || parameters.optional ? "" : sample(model, parameters, file);
    const given =
      subscribe === undefined
        ? of
        : argument(model, subscribe, correlationProperty(model, subscribe, subscribe.reply?.request ?? []), file);
    return given === undefined ? [] : [`const topic = await connection${member(topic.name)}(${given});`, loop("topic")].join("\n");
  });
  const heard = opened ?? (endpoint.serverToClient.deliveries.length === 0 ? "await connection.close();" : loop("connection"));
  return [...(asked === undefined ? [] : [asked]), heard];
}

/** A payload to call a method with, nothing where it may be left out; `undefined` where none can be made up. */
function argument(model: Model, message: Message, filled: readonly string[], file: GeneratedFile): string | undefined {
  if (payloadParameter(file, join, model, message, filled).startsWith("payload?")) return "";
  const names = message.reply?.given === true ? [] : filled;
  const given = Object.fromEntries([...Object.keys(message.constants), ...names].map((name) => [name, true]));
  const text = sample(model, { type: message.type, defaults: given }, file);
  return text === "{}" || message.format !== "json" ? undefined : text;
}

/** The options without which nobody is let in: a function that the user has to write, and the first credentials that are enough. */
function clientOptions(
  { schemes }: Model,
  { security = [] }: Endpoint,
  functions: readonly { readonly name: string }[],
): readonly string[] {
  const [names = []] = security.some((list) => list.length === 0) ? [] : security;
  const asked = schemes.filter(({ name, contract }) => names.includes(name) && contract.carries !== "certificate");
  const credentials = asked.map(({ name, contract }) => `${propertyName(name)}: ${blank(contract.carries)}`);
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
          ["credential", "travels in", "about"],
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
      ["name", "code", "meaning"],
      [...rows("closeCodes", model.closeCodes), ...own.flatMap((one) => rows(`${one.name}CloseCodes`, one.closeCodes))],
    ),
  ];
}

/** What must be given, with `…` where any text will do. */
function sample(model: Model, { type, defaults = {} }: Pick<HandshakePart, "type" | "defaults">, file: GeneratedFile): string {
  const schema = model.types.find(({ name }) => name === type)?.schema;
  const resolve = (named: string) => model.types.find(({ name }) => name === named)?.schema;
  const value = schema === undefined ? undefined : sampleOf(schema, resolve, { optional: false, pick: 0 });
  if (!isObject(schema) || !isObject(value)) return "{}";
  const isPlain = (key: string): boolean => {
    const declared = property(schema["properties"], key);
    return isObject(declared) && declared["type"] === "string" && !("enum" in declared || "const" in declared);
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

interface Context {
  readonly model: Model;
  readonly file: GeneratedFile;
}

function ofEndpoint(endpoint: Endpoint, context: Context): readonly string[] {
  const { parameters, query, headers, subscription } = endpoint;
  const { socket, topics } = groupsOf(endpoint, "client");
  const options = [...(query ? [`query: ${query.type}`] : []), ...(headers ? [`headers: ${headers.type}`] : [])];
  const args = [
    ...(parameters ? [paramsOf(parameters, ![query, headers].some((part) => part?.optional === false))] : []),
    ...(options.length === 0 ? [] : [`{ ${options.join(", ")} }`]),
  ];
  return [
    `## \`client${member(endpoint.name)}(${args.join(", ")})\``,
    [`Connects to ${code(endpoint.address)}.`, ofDefaults({ defaults: { ...parameters?.defaults, ...query?.defaults } })]
      .filter((part) => part !== "")
      .join(" "),
    prose(endpoint.docs),
    endpoint.protocols.length === 0
      ? ""
      : `Speaks ${endpoint.protocols.map((name) => `\`${name}\``).join(", ")}; \`connection.protocol\` says which was agreed on.`,
    ...(subscription === undefined
      ? []
      : ["`connection.subscription(…)` subscribes, and again after a reconnect; closing what it gives unsubscribes."]),
    ...ofGroup(socket, "connection", endpoint, context),
    ...topics.flatMap((group) => (group.topic === undefined ? [] : ofTopic(group, group.topic, endpoint, context))),
  ];
}

function ofTopic(group: Group, topic: Topic, endpoint: Endpoint, context: Context): readonly string[] {
  const { name, docs, parameters, subscription } = topic;
  const { sends } = directions(endpoint, "client");
  const subscribe = subscription && sends.messages.find((message) => message.name === subscription.subscribe);
  const given = subscribe ? payloadOf(subscribe, context) : parameters === undefined ? "" : paramsOf(parameters);
  return [
    `### \`connection${member(name)}(${given})\``,
    prose(docs),
    subscription === undefined ? ofDefaults(parameters) : "",
    subscription === undefined ? "" : "Subscribes, and again after a reconnect; closing it unsubscribes.",
    ...ofGroup(group, /^[a-z]\w*$/i.test(name) ? name : "topic", endpoint, context),
  ];
}

/** What a method that sends is given, as its declaration has it. */
const payloadOf = (message: Message, { model, file }: Context): string =>
  payloadParameter(file, join, model, message, correlationProperty(model, message, message.reply?.request ?? []));

/** Every method of one place, each with the document's word for it. */
function ofGroup({ sends, receives }: Group, at: string, endpoint: Endpoint, context: Context): readonly string[] {
  const { model, file } = context;
  const sides = directions(endpoint, "client");
  const about = ({ docs, type }: Message | Delivery): string =>
    line(docs, line(model.types.find(({ name }) => name === type)?.docs ?? {}, ""));
  const rows: [string, string][] = [
    ...plainMessages(sends).map((message): [string, string] => [
      `${at}.send${member(message.method)}(${payloadOf(message, context)})`,
      about(message),
    ]),
    ...requests(sends.messages).map((message): [string, string] => [
      `${at}.request${member(message.method)}(${payloadOf(message, context)}, options?): Promise<${answerReceived(file, message.reply, sides.receives)}>`,
      about(message),
    ]),
    ...receives.deliveries.map((delivery: Delivery): [string, string] => [
      `${at}.on${member(delivery.method)}((payload: ${received(file, delivery)}) => …)`,
      about(delivery),
    ]),
    ...requests(receives.deliveries).map((delivery): [string, string] => [
      `${at}.answer${member(delivery.method)}((payload: ${received(file, delivery)}) => ${answerSent(file, join, model, delivery.reply, sides.sends)})`,
      line(delivery.docs, "Answers what the server asks."),
    ]),
  ];
  return rows.length === 0
    ? []
    : [
        table(
          ["method", "about"],
          rows.map(([call, about]) => [`\`${call}\``, about]),
        ),
      ];
}

/** The variables of an address by name: `{ region, port? }`. */
const variablesOf = ({ variables }: Server): string =>
  variables.length === 0
    ? ""
    : `{ ${variables.map((one) => `${propertyName(one.name)}${one.default === undefined ? "" : "?"}`).join(", ")} }`;

const defaultsOf = ({ variables }: Server): Pick<HandshakePart, "defaults"> => ({
  defaults: Object.fromEntries(variables.flatMap(({ name, default: value }) => (value === undefined ? [] : [[name, value]]))),
});

function ofServers(servers: readonly Server[]): readonly string[] {
  if (servers.length === 0) return [];
  const rows = servers.map((server) => [
    `\`servers${member(server.name)}(${variablesOf(server)})\``,
    code(server.url),
    sentences(line(server.docs, ""), ofDefaults(defaultsOf(server))),
  ]);
  return ["## Servers", table(["server", "address", "about"], rows)];
}

function ofExtras(name: string, { schemas, unchecked }: { readonly schemas: boolean; readonly unchecked: boolean }): readonly string[] {
  const rows = [
    [`\`${name}\``, "the client, the types of its messages, the errors"],
    ...(unchecked ? [[`\`${name}/unchecked\``, "a client of the same types that checks nothing, and loads no validator"]] : []),
    ...(schemas ? [[`\`${name}/schemas\``, "the types as TypeBox values; `npm install typebox` beside it"]] : []),
  ];
  return rows.length === 1 ? [] : ["## Entries", table(["import", "holds"], rows)];
}

const propertyName = (name: string): string => (isIdentifier(name) ? name : JSON.stringify(name));
const member = (name: string): string => (isIdentifier(name) ? `.${name}` : `[${JSON.stringify(name)}]`);

const fence = (language: string, code: string): string => `\`\`\`${language}\n${code}\n\`\`\``;

/** A bar in a cell is a bar, also in code. A column in which nothing stands is left out. */
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const kept = (cells: readonly string[]): readonly string[] => cells.filter((_, column) => rows.some((row) => row[column] !== ""));
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${kept(cells.map((cell) => cell.replaceAll("|", "\\|"))).join(" | ")} |`)
    .join("\n");
};

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

/** Two texts behind each other, the first ended where its author did not. */
const sentences = (first: string, second: string): string =>
  first === "" || second === "" ? first + second : `${first}${/[.!?:]$/.test(first) ? "" : "."} ${second}`;

const inline = (text: string): string => text.replace(/\s+/g, " ").trim();
