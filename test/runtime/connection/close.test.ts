import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { assertUserClose, closePayload, closures, cutReason, isWireCode, MAX_REASON_BYTES } from "../../../runtime/src/connection/close.ts";
import { WsgenError } from "../../../runtime/src/errors.ts";

describe("the table of close codes", () => {
  test("holds only codes that may be on the wire, but for the two that are only observed", () => {
    for (const { code, sender } of Object.values(closures)) expect([code, isWireCode(code)]).toEqual([code, sender !== "nobody"]);
  });

  test("holds only reasons that fit and that are written in ASCII", () => {
    for (const { reason, when } of Object.values(closures)) {
      expect(reason).toMatch(/^[ -~]{0,123}$/);
      expect(when).toMatch(/\.$/);
    }
  });
});

describe("codes and reasons", () => {
  test("a close frame may carry 1000–1003, 1007–1014 and 3000–4999", () => {
    const allowed = Array.from({ length: 65_536 }, (_, code) => code).filter(isWireCode);
    expect(allowed.slice(0, 12)).toEqual([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]);
    expect(allowed.slice(12)).toEqual(Array.from({ length: 2000 }, (_, index) => 3000 + index));
  });

  test("a handler may close with 1000 and 3000–4999", () => {
    for (const code of [1000, 3000, 3999, 4000, 4999]) expect(() => assertUserClose(code, "")).not.toThrow();
    for (const code of [999, 1001, 2999, 5000, 3000.5, Number.NaN]) expect(() => assertUserClose(code, "")).toThrow(WsgenError);
  });

  test.each([
    "",
    "short",
    "a".repeat(200),
    "é".repeat(100),
    "€".repeat(100),
    "🌍".repeat(100),
    `a${"🌍".repeat(100)}`,
    `aa${"€".repeat(60)}`,
  ])("a reason is cut at a character: %s", (reason) => {
    const cut = cutReason(reason);
    expect(reason.startsWith(cut)).toBe(true);
    expect(cut).not.toContain("\ufffd");
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(MAX_REASON_BYTES);
    if (cut !== reason) expect(Buffer.byteLength(cut)).toBeGreaterThan(MAX_REASON_BYTES - 4);
    expect(closePayload(1000, reason).length).toBe(2 + Buffer.byteLength(cut));
  });
});
