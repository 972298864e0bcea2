// Coincheck: what arrives are arrays, and only their shape tells them apart.
import { createCoincheckClient } from "./client.js";

export async function session(url: string, note: (what: string) => void): Promise<void> {
  const socket = await createCoincheckClient(url).socket();
  const trades = await socket.trades({ pair: "btc_jpy" });
  const orderbook = await socket.orderbook({ pair: "btc_jpy" });
  await trades.send.tradeRequest({ type: "subscribe", channel: "btc_jpy-trades" });
  for await (const { payload } of trades) {
    note(`traded ${payload.map((trade) => trade[3]).join()}`);
    break;
  }
  await orderbook.send.orderbookRequest({ type: "subscribe", channel: "btc_jpy-orderbook" });
  for await (const { payload } of orderbook) {
    const [pair, book] = payload;
    note(`${pair} ${book?.bids?.[0]?.join()}`);
    break;
  }
  await trades.send.tradeRequest({ type: "unsubscribe", channel: "btc_jpy-trades" });
  note((await socket.closed).code.toString());
}
