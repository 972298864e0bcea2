// The chat message of the contract, for the servers whose validator is zod.
import { z } from "zod";

export const chat = z.strictObject({
  type: z.literal("chat"),
  id: z.string().min(1).max(40),
  room: z.string().min(1).max(40),
  by: z.strictObject({ id: z.int().min(1), name: z.string().min(1).max(40) }),
  text: z.string().min(1).max(4000),
  at: z.int().min(0),
});
