// Raw TCP sockets handed to openConnection, with no HTTP in between.

import { Buffer } from "node:buffer";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import {
  type CloseOutcome,
  type ConnectionCore,
  defaultLimits,
  type Limits,
  type Logger,
  openConnection,
  type UpgradeRequest,
} from "../../../runtime/src/connection/connection.ts";
import { connectRaw, type RawClient } from "../raw-client.ts";

export interface Opened {
  readonly conn: ConnectionCore;
  readonly client: RawClient;
  /** The server's end. */
  readonly socket: Socket;
  /** What was logged, oldest first. */
  readonly logged: { readonly level: string; readonly message: string; readonly fields: object }[];
}

/** Opens one connection over TCP and cleans up behind the test. `prepare` runs before anything is read. */
export async function openPair(limits: Partial<Limits> = {}, prepare?: (conn: ConnectionCore, socket: Socket) => void): Promise<Opened> {
  const logged: Opened["logged"] = [];
  const log = (level: string) => (fields: object, message: string) => void logged.push({ level, message, fields });
  const logger: Logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const server = createServer({ allowHalfOpen: true }); // As node:http hands them over.
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const accepted = new Promise<{ conn: ConnectionCore; socket: Socket }>((resolve) => {
    server.once("connection", (socket: Socket) => {
      const conn = openConnection({
        socket,
        head: Buffer.alloc(0),
        context: {},
        handshake: handshake(),
        protocol: "",
        terms: { logger, route: "/", limits: { ...defaultLimits, heartbeat: false, ...limits } },
      });
      prepare?.(conn, socket);
      resolve({ conn, socket });
    });
  });
  const client = await connectRaw((server.address() as AddressInfo).port); // A TCP server's address is never a string.
  const { conn, socket } = await accepted;
  server.close();
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
  });
  return { conn, client, socket, logged };
}

export function handshake(): UpgradeRequest {
  return {
    method: "GET",
    target: "/",
    path: "/",
    query: new URLSearchParams(),
    headers: new Headers(),
    remoteAddress: "127.0.0.1",
    protocols: [],
    params: {},
    certificate: undefined,
    signal: new AbortController().signal,
  };
}

/** A sink that answers every message with itself. */
export function startEcho(conn: ConnectionCore): void {
  conn.start({ message: (data) => void conn.send(data) });
}

/** A sink that keeps what it gets. */
export function startRecorder(conn: ConnectionCore): { readonly messages: string[]; readonly outcomes: CloseOutcome[] } {
  const messages: string[] = [];
  const outcomes: CloseOutcome[] = [];
  conn.start({ message: (data) => void messages.push(data.toString()), closed: (outcome) => void outcomes.push(outcome) });
  return { messages, outcomes };
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something is true; fails after two seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (condition()) return;
    await delay(5);
  }
  throw new Error(`not within two seconds: ${what}`);
}
