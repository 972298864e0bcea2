// What close codes and subprotocols promise to those who write against the generated account.
import type { CloseOutcome } from "@wsgen/runtime";
import { expectTypeOf, test } from "vitest";
import type { AccountApiClient, AccountClient } from "../../generated/account/client.js";
import type { AccountConnection, AccountHandler } from "../../generated/account/server.js";

type Meaning = NonNullable<Awaited<AccountClient["closed"]>["meaning"]>;

test("what a close code means is one of the document's names or the standard's", () => {
  expectTypeOf<"overdrawn" | "goingAway" | "lost">().toExtend<Meaning>();
  expectTypeOf<"overdrown">().not.toExtend<Meaning>();
  expectTypeOf<AccountConnection["closed"]>().toEqualTypeOf<AccountClient["closed"]>();
  expectTypeOf<ReturnType<AccountConnection["close"]>>().toEqualTypeOf<AccountClient["closed"]>();
  expectTypeOf<Parameters<NonNullable<AccountHandler["close"]>>[1]["meaning"]>().toEqualTypeOf<Meaning | undefined>();
  // Whoever takes any outcome takes this one.
  expectTypeOf<Awaited<AccountClient["closed"]>>().toExtend<CloseOutcome>();
});

test("the subprotocol that was agreed on is the document's, the one beside the credentials, or none", () => {
  expectTypeOf<AccountClient["protocol"]>().toEqualTypeOf<"account.v1" | "token" | "">();
  expectTypeOf<AccountConnection["protocol"]>().toEqualTypeOf<"account.v1" | "token" | "">();
  type Options = NonNullable<Parameters<AccountApiClient["account"]>[0]>;
  expectTypeOf<{ protocols: "account.v1" }>().toExtend<Options>();
  expectTypeOf<{ protocols: "account.v2" }>().not.toExtend<Options>();
});
