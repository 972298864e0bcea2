// What goes over the wire, the same for every subject.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const hall = JSON.parse(readFileSync(new URL("hall.json", import.meta.url), "utf8"));

/** The schemas of the contract, for the subjects that validate by hand. */
export const { schemas } = hall.components;

/** The type of a message in a wide contract; all are equally long. */
export function wideName(index) {
  return `m${String(index).padStart(3, "0")}`;
}

/** Writes a document of so many messages that both sides send, each with a schema of its own. Gives its path. */
export function writeWide(folder, count) {
  const names = Array.from({ length: count }, (_, index) => wideName(index));
  const each = (make) => Object.fromEntries(names.map((name) => [name, make(name)]));
  const operation = (action) => ({
    action,
    channel: { $ref: "#/channels/hall" },
    messages: names.map((name) => ({ $ref: `#/channels/hall/messages/${name}` })),
  });
  const document = {
    asyncapi: "3.1.0",
    info: { title: "Wide", version: "1.0.0" },
    defaultContentType: "application/json",
    channels: { hall: { address: "/", messages: each((name) => ({ payload: { $ref: `#/components/schemas/${name}` } })) } },
    operations: { hear: operation("receive"), say: operation("send") },
    components: {
      schemas: {
        Person: schemas.Person,
        ...each((name) => ({ ...schemas.Chat, properties: { ...schemas.Chat.properties, type: { const: name } } })),
      },
    },
  };
  const path = join(folder, `wide${count}.json`);
  writeFileSync(path, JSON.stringify(document));
  return path;
}

/** A chat message whose JSON has so many bytes. */
function chat(bytes) {
  const message = { type: "chat", id: "m-000001", room: "general", by: { id: 4711, name: "Ada Lovelace" }, text: "", at: 1795262400000 };
  return { ...message, text: fill(bytes - JSON.stringify(message).length) };
}

/** Words instead of one letter, so that deflate has something to do, and the same ones in every run. */
function fill(length) {
  const words = ["engine", "weaves", "algebraic", "patterns", "just", "as", "the", "loom", "flowers", "and", "leaves", "note"];
  let text = "";
  for (let seed = 1; text.length < length; seed = (seed * 48271) % 2147483647) text += `${words[seed % words.length]}${seed % 7} `;
  return text.slice(0, length);
}

/** An order book with so many rows: strings, because doubles would be three quarters of the work. */
function book(rows) {
  const level = (side, row) => [(64123.1 + (side * row) / 10).toFixed(2), (1 + ((row * 7919) % 1000) / 1000).toFixed(4)];
  const side = (sign) => Array.from({ length: rows / 2 }, (_, row) => level(sign, row));
  return { type: "book", symbol: "BTC-USD", sequence: 88172635, bids: side(-1), asks: side(1) };
}

export const messages = {
  "154 B": chat(154),
  "2.7 kB text": chat(2700),
  "2.7 kB book": book(120),
  "64 kB binary": Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 31) % 256)),
};
