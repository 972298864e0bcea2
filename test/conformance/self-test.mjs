// The self-test of a generated document: its generated server and client talk to each other over real sockets, and to peers that know nothing of wsgen.
// Every message of both directions is sent and must reach its own handler, no other, and unchanged; then frames that the document's own schemas refuse
// (judge.mjs) are sent past the generated senders, and must reach nobody and be answered as docs/wire.md says.
import { isDeepStrictEqual } from "node:util";
import WebSocket, { WebSocketServer } from "ws";
import { createJudge, payloadOf } from "./judge.mjs";
import { mutants, sample } from "./sample.mjs";

/** So many invalid frames are tried for a message, and so many connections are open for them at a time. */
const attacks = { perMessage: 30, atOnce: 16 };
/** How long something may take that is on its way, in ms. */
const patience = 5_000;

/**
 * Runs a document. `server` and `client` are the generated modules, `runtime` has `createRouter` and `serve`. `redefined`: options say that other constants
 * are sent than the document lists, so that what it refuses may be right.
 * What it gives back are counts and, for each that should be 0, lines for people.
 */
export async function selfTest({ model, document, server, client, runtime, redefined = false }) {
  const found = { delivered: 0, misdelivered: [], attempts: 0, leaked: [], unanswered: [], unsampled: [] };
  const samples = createSamples(model, document, redefined);
  for (const endpoint of model.endpoints) {
    const context = { model, endpoint, samples, found, server, client, runtime };
    await talk(context);
    await knockAtServer(context);
    await speakToClient(context);
  }
  return found;
}

// ---- The generated pair ---------------------------------------------------------------------------------------------

/** Every message, from the generated sender to the generated receiver. */
async function talk(context) {
  const { endpoint, samples, found } = context;
  const { clientToServer, serverToClient } = endpoint;
  const replies = new Map();
  const hosted = await host(context, replies);
  let pair = await meet(context, hosted);
  /** One message one way; after a failure the next one gets a connection of its own. */
  const exchange = async (kind, payload, ear, isOwner, run) => {
    ear.clear();
    const problem = await run().then(
      () => undefined,
      (error) => `${error}`,
    );
    const heard = problem === undefined ? await ear.next() : ear.heard;
    const [first] = heard;
    if (problem === undefined && heard.length === 1 && isOwner(first.name) && isDeepStrictEqual(first.payload, payload)) {
      found.delivered += 1;
      return;
    }
    const what = problem ?? (heard.length === 0 ? "nobody heard it" : `heard ${shown(heard)}`);
    found.misdelivered.push(`${kind} ${shown(payload)}: ${what}`);
    await pair.close();
    pair = await meet(context, hosted);
  };
  const answered = (kind, got, wanted, path) => {
    if (isDeepStrictEqual(without(got, path), without(wanted, path))) found.delivered += 1;
    else found.misdelivered.push(`${kind}: the reply ${shown(wanted)} came as ${shown(got)}`);
  };
  /** A request and each reply that it may have. */
  const ask = async (kind, message, payload, ear, { receives, sends, call, side }) => {
    const { reply } = message;
    const isOwner = isOwn(receives, message);
    for (const replyName of reply.messages) {
      const answer = sends.messages.find((other) => other.name === replyName);
      const drawn = answer && samples.of(answer)[0];
      if (drawn === undefined) {
        found.unsampled.push(`${kind}: a reply ${replyName}`);
        continue;
      }
      for (const { name } of receives.deliveries) if (isOwner(name)) replies.set(`${side} ${name}`, drawn.value);
      let got;
      const asked = reply.given || reply.id === "order" ? payload : without(payload, reply.request);
      await exchange(kind, asked, unnumbered(ear, reply.given ? [] : reply.request), isOwner, async () => {
        got = await within(call()(asked));
      });
      if (got !== undefined) answered(`${kind} ← ${replyName}`, got, drawn.value, reply.reply);
    }
  };

  for (const message of clientToServer.messages.filter(({ replyOnly }) => !replyOnly)) {
    const kind = `${endpoint.name} → ${message.name}`;
    const isOwner = isOwn(clientToServer, message);
    const place = () => pair.topics.get(message.topic ?? "");
    for (const { value } of drawn(samples, message, kind, found)) {
      if (message.reply === undefined)
        await exchange(kind, value, hosted.ear, isOwner, async () => void (await place().send[message.method](value)));
      else
        await ask(kind, message, value, hosted.ear, {
          receives: clientToServer,
          sends: serverToClient,
          call: () => place().request[message.method],
          side: "server",
        });
    }
  }
  for (const message of serverToClient.messages.filter(({ replyOnly }) => !replyOnly)) {
    const kind = `${endpoint.name} ← ${message.name}`;
    const isOwner = isOwn(serverToClient, message);
    for (const { value } of drawn(samples, message, kind, found)) {
      if (message.reply === undefined)
        await exchange(kind, value, pair.ear, isOwner, async () => void (await callOf(pair.conn.send, message.name)(value)));
      else
        await ask(kind, message, value, pair.ear, {
          receives: serverToClient,
          sends: clientToServer,
          call: () => callOf(pair.conn.request, message.name),
          side: "client",
        });
    }
  }
  await pair.close();
  await hosted.server.close();
}

/** The generated server, with handlers that remember what they were given and return what the test wants returned. */
async function host({ model, endpoint, server, runtime }, replies = new Map()) {
  const ear = createEar();
  const connections = [];
  let awaited;
  const heardBy = (topic) =>
    Object.fromEntries(
      endpoint.clientToServer.deliveries
        .filter((delivery) => delivery.topic === topic)
        .map(({ name, method, reply }) => [
          method,
          (payload) => {
            ear.hear(name, payload);
            return reply && replies.get(`server ${name}`);
          },
        ]),
    );
  const handlers = {
    open(conn) {
      connections.push(conn);
      awaited?.();
    },
    messages: heardBy(undefined),
    ...Object.fromEntries(endpoint.topics.map(({ name }) => [name, heardBy(name)])),
  };
  const router = runtime.createRouter();
  const idle = Object.fromEntries(model.endpoints.map(({ name }) => [name, async () => {}]));
  const authenticate = Object.fromEntries(model.schemes.map(({ name }) => [name, () => ({})]));
  const options = { onInvalid: (error) => ear.refuse(error), onError: (error) => ear.refuse(error), authenticate };
  server[`register${model.name}`](router, { ...idle, [endpoint.name]: handlers }, options);
  const running = await runtime.serve(router, { host: "127.0.0.1", signals: [] });
  const next = async () => {
    if (connections.length === 0) await within(new Promise((resolve) => (awaited = resolve)));
    return connections.shift();
  };
  return { server: running, ear, next, replies };
}

/** A connection of the generated client, with a listener or an answerer for everything, on every topic. */
async function listenAt({ model, endpoint, samples, client }, url, replies = new Map()) {
  const ear = createEar();
  const hearing = { onInvalid: (error) => ear.refuse(error), onError: (error) => ear.refuse(error) };
  const options = { WebSocket, reconnect: false, credentials: credentialsOf(model), ...hearing };
  const api = client[`create${model.name}Client`](url, options);
  const connection = await within(api[endpoint.name](...handshake(endpoint, samples)));
  const topics = new Map([["", connection]]);
  for (const { name, parameters } of endpoint.topics)
    topics.set(name, await connection[name](parameters && samples.parameters(parameters)));
  const listening = new Set();
  for (const { name, method, topic, reply } of endpoint.serverToClient.deliveries) {
    // Whatever a topic hears is said to be its, so that nothing heard by another one goes unnoticed.
    for (const [at, child] of topics) {
      const label = at === "" ? method : `${at}.${method}`;
      // Topics may have messages of the same name.
      if ((at !== "" && topic === undefined) || (reply === undefined && listening.has(label))) continue;
      listening.add(label);
      if (reply === undefined) child.on[method]?.((payload) => ear.hear(label, payload));
      else if (at === (topic ?? ""))
        child.answer[method]((payload) => {
          ear.hear(name, payload);
          return replies.get(`client ${name}`);
        });
    }
  }
  return { connection, topics, ear };
}

async function meet(context, hosted) {
  const { connection, topics, ear } = await listenAt(context, hosted.server.url, hosted.replies);
  const conn = await hosted.next();
  return { conn, topics, ear, close: () => within(connection.close()) };
}

/** Remembers what is heard, and lets the test wait for it. */
function createEar() {
  const heard = [];
  const refusals = [];
  let waiting;
  const told = () => waiting?.();
  return {
    heard,
    refusals,
    hear(name, payload) {
      heard.push({ name, payload: payload instanceof Uint8Array ? new Uint8Array(payload) : payload });
      told();
    },
    refuse(error) {
      refusals.push(error);
      told();
    },
    clear() {
      heard.length = 0;
      refusals.length = 0;
    },
    /** What was heard, once something was. */
    async next() {
      if (heard.length + refusals.length === 0) await within(new Promise((resolve) => (waiting = resolve))).catch(() => {});
      return heard.length > 0 ? heard : refusals.map(({ message }) => ({ name: "refused", payload: message }));
    },
  };
}

/** An ear that does not hear the ids of requests. */
function unnumbered(ear, path) {
  const plain = (heard) => heard.map(({ name, payload }) => ({ name, payload: without(payload, path) }));
  return {
    clear: ear.clear,
    next: async () => plain(await ear.next()),
    get heard() {
      return plain(ear.heard);
    },
  };
}

// ---- Peers that know nothing of wsgen -------------------------------------------------------------------------------

/** Raw frames to the generated server, each on a connection of its own: valid ones are heard, others are not and are answered. */
async function knockAtServer(context) {
  const { model, endpoint, samples, found } = context;
  const { clientToServer, serverToClient, error, onInvalid } = endpoint;
  const hosted = await host(context);
  const credentials = shownInHandshake(model, endpoint);
  const url = `${hosted.server.url}${pathAndQuery(endpoint, samples)}&${new URLSearchParams(credentials.query)}`;
  const headers = { ...samples.strings(endpoint.headers), ...credentials.headers };
  try {
    for (const message of clientToServer.messages.filter(({ replyOnly }) => !replyOnly)) {
      const [first] = samples.of(message);
      if (first === undefined) continue;
      hosted.ear.clear();
      await knock(url, frameOf(message, first.value), headers);
      const { heard } = hosted.ear;
      const right = heard.length === 1 && isOwn(clientToServer, message)(heard[0].name);
      if (right) found.delivered += 1;
      else found.misdelivered.push(`${endpoint.name} → ${message.name} raw: ${shown(heard)}, ${hosted.ear.refusals[0]?.message}`);
    }
    const errorMessage = error && serverToClient.messages.find(({ name }) => name === error.message);
    /** Whether the server did what docs/wire.md says: the contract's error message, or the close code. */
    const isRight = ({ code, texts }, due) => {
      if (onInvalid === "drop") return code === undefined && texts.length === 0;
      if (errorMessage && texts.length === 1) return samples.allows(errorMessage, JSON.parse(texts[0]));
      return due === undefined ? [1003, 1007, 1008].includes(code) : code === due;
    };
    const attempts = attacksOn(clientToServer, samples);
    for (let from = 0; from < attempts.length; from += attacks.atOnce) {
      const batch = attempts.slice(from, from + attacks.atOnce);
      hosted.ear.clear();
      await Promise.all(
        batch.map(async ({ kind, frame, code }) => {
          const answer = await knock(url, frame, headers);
          if (!isRight(answer, code))
            found.unanswered.push(`${endpoint.name} → ${kind} ${shown(frame)}: answered with ${answer.code} ${answer.texts}`);
        }),
      );
      found.attempts += batch.length;
      for (const { name, payload } of hosted.ear.heard) found.leaked.push(`${endpoint.name} → ${name}: ${shown(payload)}`);
    }
  } finally {
    await hosted.server.close();
  }
}

/** Raw frames to the generated client. */
async function speakToClient(context) {
  const { endpoint, samples, found } = context;
  const { serverToClient } = endpoint;
  const vendor = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((resolve) => vendor.once("listening", resolve));
  try {
    const accepted = new Promise((resolve) => vendor.once("connection", resolve));
    const { connection, ear } = await listenAt(context, `ws://127.0.0.1:${vendor.address().port}`);
    const socket = await accepted;
    for (const message of serverToClient.messages.filter(({ replyOnly, reply }) => !replyOnly && reply === undefined)) {
      const [first] = samples.of(message);
      if (first === undefined) continue;
      ear.clear();
      socket.send(frameOf(message, first.value));
      const heard = await ear.next();
      if (heard.length === 1 && isOwn(serverToClient, message)(heard[0].name)) found.delivered += 1;
      else found.misdelivered.push(`${endpoint.name} ← ${message.name} raw: ${shown(heard)}`);
    }
    for (const { kind, frame } of attacksOn(serverToClient, samples)) {
      ear.clear();
      socket.send(frame);
      await ear.next();
      found.attempts += 1;
      const label = `${endpoint.name} ← ${kind} ${shown(frame)}`;
      if (ear.heard.length > 0) found.leaked.push(`${label}: ${shown(ear.heard)}`);
      else if (ear.refusals.length !== 1) found.unanswered.push(`${label}: onInvalid was called ${ear.refusals.length} times`);
    }
    await within(connection.close());
  } finally {
    for (const socket of vendor.clients) socket.terminate();
    vendor.close();
  }
}

/** Sends one frame on a connection of its own and waits until the server has dealt with it. */
async function knock(url, frame, headers) {
  const socket = new WebSocket(url, { headers });
  const texts = [];
  socket.on("message", (data) => texts.push(data.toString()));
  socket.on("error", () => {});
  await within(new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject)));
  // A pong comes behind whatever the frame led to; a close does as well.
  const code = await within(
    new Promise((resolve) => {
      socket.once("pong", () => resolve(undefined)).once("close", resolve);
      socket.send(frame);
      socket.ping();
    }),
  );
  socket.terminate();
  return { code, texts };
}

/** Frames that no schema of a direction allows: near valid ones, unknown, malformed, and of the wrong kind; with the close code where it is certain. */
function attacksOn(direction, samples) {
  const { messages, tree } = direction;
  const isAllowed = (frame) => messages.some((message) => samples.allowsFrame(message, frame));
  const isTyped = messages.some(({ format }) => format === "json");
  const near = messages
    .filter(({ format, replyOnly }) => format !== "binary" && !replyOnly)
    .flatMap((message) => {
      const frames = new Set(samples.of(message).flatMap(({ value }) => mutants(value).map((mutant) => frameOf(message, mutant))));
      const refused = [...frames].filter((frame) => !isAllowed(frame));
      const step = Math.max(1, refused.length / attacks.perMessage);
      return Array.from({ length: Math.min(refused.length, attacks.perMessage) }, (_, index) => ({
        kind: message.name,
        frame: refused[Math.floor(index * step)],
      }));
    });
  const text = tree.json !== undefined || tree.text !== undefined || tree.constants !== undefined;
  const odd = [
    ...['{"wsgen-self-test":1}', '[["wsgen-self-test"]]', "null", "-1"].map((frame) => ({ kind: "unknown", frame })),
    ...["{", "wsgen self-test", ""].map((frame) => ({
      kind: "malformed",
      frame,
      ...(isTyped && tree.text === undefined && !tree.constants && { code: 1007 }),
    })),
  ].filter(({ frame }) => !isAllowed(frame));
  return [
    ...near,
    ...odd.map((attack) => (text ? attack : { ...attack, code: 1003 })),
    ...(tree.binary === undefined ? [{ kind: "binary", frame: Buffer.from([0, 1, 254]), code: 1003 }] : []),
  ];
}

// ---- Samples --------------------------------------------------------------------------------------------------------

/** Valid values of everything in the model, by the model's own types and the document's own schemas. */
function createSamples(model, document, redefined) {
  const definitions = Object.fromEntries(model.types.map(({ name, schema }) => [name, plain(schema)]));
  const modelled = createJudge({ value: { definitions } });
  const written = createJudge(document);
  const isOfType = (type, value) => modelled(`/definitions/${type}`, value);
  const known = new Map();

  const allows = (message, value) => {
    const pointer = payloadOf(document, message);
    return pointer === undefined || written(pointer, value) || (redefined && isOfType(message.type, value));
  };
  const draw = (type) => {
    for (let seed = 0; seed < 12; seed++) {
      const value = sample(definitions[type], definitions, "minimal", seed);
      if (isOfType(type, value)) return value;
    }
    throw new Error(`no sample of ${type}: ${shown(sample(definitions[type], definitions, "minimal"))}`);
  };
  const of = (message) => {
    if (message.format === "binary") return [{ value: Uint8Array.of(0, 1, 254, 255) }];
    const drawn = known.get(message) ?? drawAll(message);
    known.set(message, drawn);
    return drawn;
  };
  const drawAll = (message) => {
    const { type } = message;
    const isRight = (value) => isOfType(type, value) && allows(message, value);
    const values = new Map();
    const take = (proposals, most) => {
      let taken = 0;
      for (const value of proposals) {
        if (taken === most) return;
        if (!isRight(value) || values.has(JSON.stringify(value))) continue;
        values.set(JSON.stringify(value), { value });
        taken += 1;
      }
    };
    // Seeds are choices among alternatives, of which there are up to some dozens.
    const seeds = function* (size) {
      for (let seed = 0; seed < 60; seed++) yield sample(definitions[type], definitions, size, seed);
    };
    take(seeds("full"), 2);
    take(seeds("minimal"), 2);
    const examples = document.get(`${message.pointer}/examples`);
    const payloads = (Array.isArray(examples) ? examples : []).map((example) => Object(example).payload);
    take(payloads.filter((payload) => payload !== undefined).map(plain), 2);
    const [first] = values.values();
    if (first === undefined) return [];
    // Every constant that leads to it.
    take(
      constantsFor(model, message).map(([path, value]) => withValue(first.value, path, value)),
      8,
    );
    return [...values.values()];
  };
  const allowsFrame = (message, frame) => {
    if (typeof frame !== "string") return message.format === "binary";
    if (message.format === "binary") return false;
    if (message.format !== "json" && allows(message, frame)) return true;
    if (message.format === "text") return false;
    try {
      return allows(message, JSON.parse(frame));
    } catch {
      return false;
    }
  };
  return {
    of,
    allows,
    allowsFrame,
    parameters: ({ type }) => draw(type),
    strings: (part) =>
      part === undefined ? {} : Object.fromEntries(Object.entries(draw(part.type)).map(([name, value]) => [name, `${value}`])),
  };
}

/** The places and values by which the tree of a message's direction leads to it. */
function constantsFor({ endpoints }, message) {
  for (const { clientToServer, serverToClient } of endpoints)
    for (const direction of [clientToServer, serverToClient])
      if (direction.messages.includes(message)) {
        return leading(direction.tree.json, isOwn(direction, message));
      }
  return [];
}

function leading(node, isOwn) {
  if (typeof node !== "object" || node === null || !("cases" in node)) return [];
  return node.cases.flatMap(([value, then]) => (typeof then === "string" && isOwn(then) ? [[node.path, value]] : leading(then, isOwn)));
}

function drawn(samples, message, kind, found) {
  const values = samples.of(message);
  if (values.length === 0) found.unsampled.push(kind);
  return values;
}

/** The arguments of an endpoint's connect method: valid parameters, query and headers. */
function handshake({ parameters, query, headers }, samples) {
  const options = Object.fromEntries(
    Object.entries({ query, headers }).flatMap(([name, part]) => (part === undefined ? [] : [[name, samples.parameters(part)]])),
  );
  return [...(parameters === undefined ? [] : [samples.parameters(parameters)]), options];
}

/** Something to show for every security scheme. */
function credentialsOf({ schemes }) {
  return Object.fromEntries(
    schemes.map(({ name, contract }) => [name, contract.carries === "basic" ? { username: "ada", password: "secret" } : "secret"]),
  );
}

/** The same for the first list of schemes that lets a client in, as a peer writes it that knows HTTP only. */
function shownInHandshake({ schemes }, { security: [names = []] = [] }) {
  const asked = schemes.filter(({ name }) => names.includes(name)).map(({ contract }) => contract);
  const at = (place) =>
    asked
      .filter((scheme) => scheme.in === place)
      .map(({ name, scheme, carries }) => {
        const text = carries === "key" ? "secret" : "YWRhOnNlY3JldA==";
        return [name, scheme === undefined ? text : `${scheme} ${text}`];
      });
  return { query: at("query"), headers: Object.fromEntries(at("header")) };
}

function pathAndQuery({ address, parameters, query }, samples) {
  const values = samples.strings(parameters);
  const path = address.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(values[name]));
  return `${path}?${new URLSearchParams(samples.strings(query))}`;
}

// ---- Values ---------------------------------------------------------------------------------------------------------

/**
 * Whether a handler is a message's own: it has its name, or is that of a union in which the message is. A message whose tag may be absent can be in several.
 */
const isOwn =
  ({ deliveries }, message) =>
  (handler) =>
    deliveries.some(({ name, messages }) => name === handler && messages.includes(message.name));

/** A server's method for a message: `ticker.update` is `calls.ticker.update`. */
const callOf = (calls, name) => name.split(".").reduce((at, step) => at[step], calls);

const frameOf = ({ format }, value) =>
  value instanceof Uint8Array ? value : format === "json" || typeof value !== "string" ? JSON.stringify(value) : value;

/** Objects of documents have no prototype; what comes off the wire does. */
const plain = (value) => JSON.parse(JSON.stringify(value));

const shown = (value) => (typeof value === "string" ? value : `${JSON.stringify(value)}`).slice(0, 300);

/** A value without what is at a path. */
function without(value, [step, ...rest]) {
  if (step === undefined || typeof value !== "object" || value === null || !(step in value)) return value;
  if (Array.isArray(value)) return value.with(Number(step), rest.length === 0 ? undefined : without(value[step], rest));
  const { [step]: inner, ...others } = value;
  return rest.length === 0 ? others : withValue(value, [step], without(inner, rest));
}

function withValue(value, [step, ...rest], inner) {
  if (step === undefined) return inner;
  const next = withValue(Object(value)[step], rest, inner);
  return Array.isArray(value) ? value.with(Number(step), next) : { ...value, [step]: next };
}

/** What comes in time. */
async function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("it did not come")), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
