// Messages that nothing tells apart, told apart by a function of the user's.
import { afterEach, expect, it } from "vitest";
import { type ClientConnection, choices, createClient } from "../../../runtime/src/client/node.ts";
import type { Contract } from "../../../runtime/src/contract/contract.ts";
import type { ContractError } from "../../../runtime/src/errors.ts";
import { startVendor, until, type Vendor } from "./vendor.ts";

const contract = {
  version: 1,
  generator: "0.0.0",
  title: "Pets",
  endpoints: {
    pets: {
      address: "/pets",
      receives: {
        dispatch: { json: { among: ["cat", "dog"], by: "classify" } },
        messages: { cat: { format: "json" }, dog: { format: "json" } },
      },
      sends: {},
    },
  },
} as const satisfies Contract;

let vendor: Vendor;
afterEach(() => vendor.stop());

it.each([
  ["nothing", undefined],
  ["a name that is none of them", "fish"],
])("tells onInvalid of a message that `classify` calls %s, with what it might have been", async (_what, said) => {
  vendor = await startVendor();
  const invalid: ContractError[] = [];
  const classify = { pets: ({ name }: { name: string }) => (name === "Rex" ? "dog" : said) };
  const connection = await createClient<{ pets(): Promise<ClientConnection<unknown>> }>(
    contract,
    vendor.url,
    { reconnect: false, onInvalid: (error) => void invalid.push(error) },
    [choices(contract, { classify })],
  ).pets();
  const { socket } = await vendor.peer();
  socket.send('{"name":"Nemo"}');
  socket.send('{"name":"Rex"}');
  for await (const event of connection) {
    expect(event).toEqual({ name: "dog", payload: { name: "Rex" } });
    break;
  }
  await until(() => invalid.length === 1);
  expect(invalid[0]).toMatchObject({ messageName: undefined, path: "" });
  expect(invalid[0]?.message).toContain('A message was received and is invalid: it was classified as none of "cat", "dog"');
  await connection.close();
});
