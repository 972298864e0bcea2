// Gemini: connect to a symbol and listen.
import { createWebsocketGeminiClient } from "./client.js";

export async function session(url: string, note: (what: string) => void): Promise<void> {
  const client = createWebsocketGeminiClient(url, { reconnect: { spread: 20 } });
  const feed = await client.marketDataV1({ symbol: "btcusd" }, { query: { heartbeat: true, top_of_book: true } });
  feed.subscribe(({ reconnected }) => reconnected && note(`back, continuity ${reconnected.continuity}`));
  let seen = 0;
  for await (const { payload } of feed) {
    note(
      payload.type === "update" ? `${payload.events[0]?.reason} at ${payload.events[0]?.price}` : `heartbeat ${payload.socket_sequence}`,
    );
    seen += 1;
    if (seen === 3) break;
  }
  const wrong = await client
    .marketDataV1({ symbol: "btcusd" }, { query: { heartbeat: "yes" as unknown as boolean } })
    .catch((error: Error) => error.name);
  note(String(wrong));
  await feed.close();
}
