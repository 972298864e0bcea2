// Kraken Futures: thirteen feeds on one socket.
import { createKrakenfuturesClient } from "./client.js";

export async function session(url: string, note: (what: string) => void): Promise<void> {
  const invalid: string[] = [];
  const client = createKrakenfuturesClient(url, { onInvalid: ({ messageName, path }) => void invalid.push(`${messageName} ${path}`) });
  const socket = await client.ws();
  const [ticker, book] = [await socket.ticker(), await socket.book()];
  await ticker.send.subscribeToTickerMessage({ event: "subscribe", product_ids: ["PI_XBTUSD"] });
  await book.send.subscribeToOrderBookMessage({ event: "subscribe", product_ids: ["PI_XBTUSD"] });
  let prices = 0;
  for await (const { name, payload } of ticker) {
    note(`${name} ${payload.bid}`);
    prices += 1;
    if (prices === 2) break;
  }
  let levels = 0;
  for await (const { name, payload } of book) {
    note(`${name} ${name === "bookSnapshotMessage" ? payload.bids.length : payload.qty}`);
    levels += 1;
    if (levels === 2) break;
  }
  const refused = new Promise<string>((resolve) => socket.on.errorMessage(({ message }) => resolve(message)));
  await ticker.send.subscribeToTickerMessage({ event: "subscribe", product_ids: ["NO_SUCH"] });
  note(await refused);
  await ticker.send.subscribeToTickerMessage({ event: "unsubscribe", product_ids: ["PI_XBTUSD"] });
  await ticker.close();
  note(socket.getSnapshot().status);
  await socket.close();
  note(`invalid: ${invalid.join()}`);
}
