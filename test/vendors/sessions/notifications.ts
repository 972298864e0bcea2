// Deribit: JSON-RPC, with notifications of what was subscribed to by requests.
import { createDeribitClient } from "./client.js";

export async function session(url: string, note: (what: string) => void): Promise<void> {
  const socket = await createDeribitClient(url, { reconnect: { spread: 10 } }).rpc();
  const ask = (...channels: string[]) => socket.subscription({ params: { channels } });
  const next = async (topic: Awaited<ReturnType<typeof ask>>) => {
    for await (const { payload } of topic) return note(`${payload.params.channel} ${String(payload.params.data["on"])}`);
  };

  const ticker = await ask("ticker.BTC");
  await next(ticker);
  const book = await ask("book.ETH");
  await next(book);
  await ask("no").catch(({ payload }: { payload: { error: { message: string } } }) => note(payload.error.message));
  const { result } = await socket.request.test({});
  note(result.version);
  // The vendor is killed here.
  await next(ticker);
  const left = new Promise<string>((resolve) => socket.on.notification(({ params }) => resolve(String(params.data["method"]))));
  await book.close();
  note(`left ${await left}`);
  note(socket.getSnapshot().status);
  await socket.close();
}
