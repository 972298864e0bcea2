// OKX: tickers of several instruments on one socket, refused ones, and a connection that is lost.
import { createOkxClient, type SocketTickersClient } from "./client.js";

export async function session(url: string, note: (what: string) => void): Promise<void> {
  const invalid: string[] = [];
  const client = createOkxClient(url, {
    reconnect: { spread: 10 },
    onInvalid: ({ messageName, path }) => void invalid.push(`${messageName} ${path}`),
  });
  const socket = await client.socket();
  const ask = (instId: string) => socket.tickers({ op: "subscribe", args: [{ channel: "tickers", instId }] });
  const last = async (topic: SocketTickersClient) => {
    for await (const { name, payload } of topic) if (name === "tickersPushResponse") return note(payload.data?.[0]?.last ?? "");
  };

  const btc = await ask("BTC-USDT");
  await last(btc);
  const eth = await ask("ETH-USDT");
  await last(eth);
  await ask("NO-SUCH").catch(({ payload }: { payload: { code: string } }) => note(payload.code));
  // The vendor is killed here.
  await last(btc);
  await eth.close();
  await last(btc);
  note(socket.getSnapshot().status);
  await socket.close();
  note(`invalid: ${invalid.join()}`);
}
