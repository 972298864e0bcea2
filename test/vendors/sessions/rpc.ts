// Kraken's requests: every one has an id that its reply repeats.
import { createKrakenWebsocketRequestReplyMultipleChannelsClient } from "./client.js";

export async function session(url: string, note: (what: string) => void): Promise<void> {
  const socket = await createKrakenWebsocketRequestReplyMultipleChannelsClient(url).socket();
  const status = new Promise<string>((resolve) => socket.on.systemStatus(({ status }) => resolve(status ?? "")));
  note(await status);
  const subscribe = (pair: string) => socket.request.subscribe({ pair: [pair], subscription: { name: "ticker" } });
  // The vendor answers in the opposite order.
  const replies = await Promise.all([subscribe("XBT/USD"), subscribe("ETH/USD"), subscribe("NO/NE")]);
  for (const reply of replies) {
    if (reply.event === "subscriptionStatus")
      note("errorMessage" in reply ? reply.errorMessage : `${reply.pair?.[0]} on ${reply.channelID}`);
  }
  note((await socket.request.ping()).event ?? "");
  const silent = await socket.request.ping({ reqid: 999 }, { timeout: 200 }).catch((error: Error) => error.name);
  note(String(silent));
  const gone = await socket.request
    .unsubscribe({ pair: ["XBT/USD"], subscription: { name: "ticker" } })
    .catch((error: Error) => error.name);
  note(String(gone));
  note((await socket.closed).code.toString());
}
