// `conn.messages()`: whole messages.

import { constants } from "node:buffer";
import { bytesOf, textOf } from "./arrivals.ts";
import type { Message } from "./connection.ts";
import type { Inbox } from "./inbox.ts";
import { InboxReader, type ReaderOwner } from "./reader.ts";

export class MessageReader extends InboxReader<Message> {
  constructor(inbox: Inbox, owner: ReaderOwner, maxSize: number | undefined) {
    super(inbox, "messages()", owner, maxSize);
  }

  protected override read(): Message | undefined {
    const arrival = this.inbox.takeMessage(this.maxSize);
    if (arrival === undefined) return undefined;
    const { size, binary } = arrival;
    const most = binary ? this.maxSize : Math.min(this.maxSize, constants.MAX_STRING_LENGTH); // A longer string cannot be made.
    if (size <= most) return binary ? { type: "binary", data: bytesOf(arrival) } : { type: "text", data: textOf(arrival) };
    this.owner.onTooBig();
    this.end();
    return undefined;
  }
}
