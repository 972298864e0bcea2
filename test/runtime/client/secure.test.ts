import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { HttpsProxyAgent } from "https-proxy-agent";
import { SocksProxyAgent } from "socks-proxy-agent";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { type ClientOptions, type Contract, createClient, type Opening } from "../../../runtime/src/client/node.ts";
import { startHttpProxy, startSocksProxy } from "../../proxies.ts";

const contract: Contract = {
  version: 1,
  generator: "0",
  title: "Safe",
  endpoints: {
    safe: { address: "/safe", sends: {}, receives: { dispatch: { json: "peer" }, messages: { peer: { format: "json" } } } },
  },
};

interface SafeClient {
  safe(): Opening<AsyncIterable<{ readonly payload: unknown }> & { close(): Promise<unknown> }>;
}

/** What the server saw of its peer. */
interface Peer {
  readonly path: string;
  readonly servername: string;
  readonly certificate: string | undefined;
}

describe("a client of a wss server whose authority is not the world's", () => {
  const folder = mkdtempSync(join(tmpdir(), "wsgen-tls-"));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  let server: Server;
  let url = "";
  let ca: Buffer;

  beforeAll(async () => {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
    openssl("req", "-x509", ...key, "-subj", "/CN=Our own authority", "-keyout", "ca.key", "-out", "ca.pem");
    for (const [name, subject] of [
      ["server", "/CN=localhost"],
      ["ada", "/CN=Ada"],
    ] as const) {
      openssl("req", "-x509", "-CA", "ca.pem", "-CAkey", "ca.key", ...key, "-subj", subject, "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", `${name}.key`, "-out", `${name}.pem`); // biome-ignore format: one command
    }
    ca = readFileSync(file("ca.pem"));
    const own = { key: readFileSync(file("server.key")), cert: readFileSync(file("server.pem")) };
    server = createServer({ ...own, ca, requestCert: true, rejectUnauthorized: false });
    new WebSocketServer({ server }).on("connection", (socket, request) => {
      const tls = request.socket as TLSSocket;
      const { subject } = tls.getPeerCertificate();
      const peer: Peer = { path: request.url ?? "", servername: tls.servername || "", certificate: String(subject?.CN) };
      socket.send(JSON.stringify(peer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `wss://localhost:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  async function peerSeen(options: ClientOptions): Promise<unknown> {
    const safe = await createClient<SafeClient>(contract, url, { reconnect: false, ...options }).safe();
    for await (const { payload } of safe) {
      await safe.close();
      return payload;
    }
    return undefined;
  }

  it("trusts it when it is told to, and sends the name of the server", async () => {
    expect(await peerSeen({ tls: { ca } })).toEqual({ path: "/safe", servername: "localhost", certificate: "undefined" });
  });

  it("does not trust it otherwise, and says why", async () => {
    await expect(peerSeen({})).rejects.toMatchObject({
      name: "UpgradeRejectedError",
      message: expect.stringMatching(/^wss:\/\/localhost:\d+\/safe did not accept the WebSocket handshake: .*certificate/),
      cause: { code: expect.stringMatching(/CERT|VERIFY|ISSUER/) },
    });
  });

  it("shows a certificate of its own", async () => {
    const own = { cert: readFileSync(file("ada.pem")), key: readFileSync(file("ada.key")) };
    expect(await peerSeen({ tls: { ca, ...own } })).toMatchObject({ certificate: "Ada" });
  });

  it.each([
    ["CONNECT", startHttpProxy, HttpsProxyAgent],
    ["SOCKS", startSocksProxy, SocksProxyAgent],
  ] as const)("reaches it through a %s proxy, which sees where to and nothing else", async (_, start, Agent) => {
    const proxy = await start();
    expect(await peerSeen({ tls: { ca }, agent: new Agent(proxy.url) })).toMatchObject({ path: "/safe", servername: "localhost" });
    expect(proxy.asked).toEqual([expect.stringMatching(/^(localhost|127\.0\.0\.1):\d+$/)]);
    // The proxy does not stand in for the server: its certificate is looked at all the same.
    await expect(peerSeen({ agent: new Agent(proxy.url) })).rejects.toThrow(/certificate/);
    await proxy.close();
  });

  it("says that a proxy is not there", async () => {
    const proxy = await startHttpProxy();
    await proxy.close();
    await expect(peerSeen({ tls: { ca }, agent: new HttpsProxyAgent(proxy.url) })).rejects.toThrow(/ECONNREFUSED/);
  });
});
