// The recipes of docs/observability.md, as they are printed there.
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trace } from "@opentelemetry/api";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { createRouter, type RunningServer, serve } from "@wsgen/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { extractSnippets } from "../../snippets.ts";

const snippets = extractSnippets("docs/observability.md");
const folder = mkdtempSync(join(tmpdir(), "wsgen-observe-"));
const logFile = join(folder, "log");
beforeAll(() => {
  process.env["PORT"] = "0";
  process.env["LOG_FILE"] = logFile;
});
afterAll(() => {
  delete process.env["PORT"];
  delete process.env["LOG_FILE"];
  snippets.remove();
  rmSync(folder, { recursive: true });
});

async function say(url: string, text: string): Promise<number> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  socket.send(text);
  socket.once("message", () => socket.close(1000));
  const [code] = (await once(socket, "close")) as [number];
  return code;
}

describe("docs/observability.md", () => {
  it("compiles", () => {
    expect(snippets.typeCheck()).toBe("");
  });

  it("logs with pino", async () => {
    const { server } = await snippets.run<{ server: RunningServer }>("pino.ts");
    await say(`${server.url}/rooms/lobby?token=secret`, "hello");
    await server.close();
    const text = readFileSync(logFile, "utf8");
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ msg }) => msg)).toEqual(["upgrade accepted", "connected", "heard", "disconnected"]);
    expect(lines[0]).toMatchObject({ path: "/rooms/lobby", status: 101, level: 30 });
    expect(lines[2]).toMatchObject({ route: "/rooms/{roomId}", connection: lines[1]?.["connection"], size: 5 });
    expect(lines[3]).toMatchObject({ code: 1000, messagesIn: 1, messagesOut: 1 });
    expect(text).not.toContain("secret");
  });

  it("counts with Prometheus, twice the same", async () => {
    const { server } = await snippets.run<{ server: RunningServer }>("prometheus.ts");
    await say(`${server.url}/echo`, "hello");
    await expect.poll(() => server.connections).toBe(0);
    const scrape = async () => (await fetch(`${server.url.replace("ws:", "http:")}/metrics`)).text();
    await scrape();
    const text = await scrape();
    expect(text).toContain("websocket_connections 0");
    expect(text).toContain('websocket_messages_total{direction="in"} 1');
    expect(text).toContain('websocket_messages_total{direction="out"} 1');
    expect(text).toContain('websocket_closed_total{code="1000"} 1');
    await server.close();
  });

  it("traces with OpenTelemetry", async () => {
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    await snippets.run("opentelemetry.ts");
    const router = createRouter({ onError() {} });
    router.ws("/rooms/{id}", async (conn) => {
      for await (const { data } of conn.messages()) {
        if (data === "throw") throw new Error("handler");
        await conn.send(data);
      }
    });
    const server = await serve(router, { host: "127.0.0.1", signals: [] });
    await say(`${server.url}/rooms/a`, "hello");
    expect(await say(`${server.url}/rooms/a`, "throw")).toBe(1011);
    await expect.poll(() => exporter.getFinishedSpans().length).toBe(2);
    const [fine, failed] = exporter.getFinishedSpans();
    expect(fine?.name).toBe("websocket /rooms/{id}");
    expect(fine?.attributes).toMatchObject({ "url.path": "/rooms/a", "websocket.close_code": 1000, "websocket.messages_in": 1 });
    expect(failed?.status.code).toBe(2);
    expect(failed?.events[0]?.name).toBe("exception");
    await server.close();
    trace.disable();
  });
});
