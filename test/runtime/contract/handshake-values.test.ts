import { expect, it } from "vitest";
import type { UpgradeRequest } from "../../../runtime/src/connection/connection.ts";
import type { Coercion } from "../../../runtime/src/contract/contract.ts";
import { readHandshake } from "../../../runtime/src/contract/handshake-values.ts";

const read = (coercion: Coercion, query: string): unknown => {
  // Nothing else of a request is read where the contract speaks of the query alone.
  const request = { params: {}, query: new URLSearchParams(query), headers: new Headers() } as unknown as UpgradeRequest;
  const contract = { address: "/", query: { coerce: { v: coercion } }, receives: { dispatch: {}, messages: {} }, sends: {} };
  const reading = readHandshake(request, contract);
  return reading.kind === "values" ? Object.entries(reading.values.query)[0]?.[1] : reading;
};

it.each<[Coercion, string, unknown]>([
  ["integers", "v=1&v=-2", [1, -2]],
  ["integers", "v=7", [7]],
  ["integers", "v=1&v=x", [1, "x"]],
  ["numbers", "v=1.5", [1.5]],
  ["booleans", "v=true&v=false&v=1", [true, false, "1"]],
  ["numbersOrBooleans", "v=true&v=2", [true, 2]],
  ["numberOrBoolean", "v=false", false],
  ["numberOrBoolean", "v=3", 3],
  ["numberOrBoolean", "v=three", "three"],
  ["strings", "v=1", ["1"]],
  ["integer", "v=1&v=2", [1, 2]],
])("reads %s from %s", (coercion, query, expected) => {
  expect(read(coercion, query)).toEqual(expected);
});
