// Every fault, and how a figure is judged. A fault's file exports `id`, `subjects` (servers, started in processes of their own) and `measure(options)`,
// which yields figures: { what, measured, unit?, atMost? | atLeast? | equals?, bare?, kind? }. Figures of kind "time" and "memory" say something about
// the machine too and are never asserted in tests; those without a kind are counts and codes, which hold everywhere.

const files = {
  R5: "slow-consumer.mjs",
  R6: "slow-consumer.mjs",
  R12: "shutdown.mjs",
  R13: "fuzz.mjs",
  R15: "upgrade-reset.mjs",
  R16: "handshakes.mjs",
  R17: "flood.mjs",
  R19: "frozen-peer.mjs",
  R20: "bombs.mjs",
  R22: "handler-faults.mjs",
  R23: "close-races.mjs",
  R25: "handshakes.mjs",
  memory: "memory.mjs",
};

export const ids = Object.keys(files);

/** Measures one fault and yields its figures, judged. `options` are the fault's own, for example fewer messages. */
export async function* measure(id, options = {}) {
  const fault = await import(`./${files[id]}`);
  for await (const figure of fault.measure({ id, ...options })) yield { id, ...figure, target: targetOf(figure), met: isMet(figure) };
}

function targetOf({ atMost, atLeast, equals, unit = "" }) {
  if (atMost !== undefined) return `≤ ${show(atMost)} ${unit}`.trimEnd();
  if (atLeast !== undefined) return `≥ ${show(atLeast)} ${unit}`.trimEnd();
  return equals === undefined ? "" : `${show(equals)} ${unit}`.trimEnd();
}

/** `undefined` where there is no target. */
function isMet({ measured, atMost, atLeast, equals }) {
  if (atMost !== undefined) return measured <= atMost;
  if (atLeast !== undefined) return measured >= atLeast;
  return equals === undefined ? undefined : measured === equals;
}

/** A number as people want it, anything else as it is. */
export function show(value) {
  if (typeof value !== "number" || Number.isInteger(value)) return String(value ?? "");
  return value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);
}
