// Every fault, and how a figure is judged. A fault's file exports `id`, `subjects` (servers, started in processes of their own) and `measure(options)`,
// which yields figures: { what, measured, unit?, atMost? | atLeast? | equals?, bare?, kind? }. Figures of kind "time" and "memory" say something about
// the machine too and are never asserted in tests; those without a kind are counts and codes, which hold everywhere.

const files = {
  R5: "slow-consumer",
  R6: "slow-consumer",
  R12: "shutdown",
  R13: "fuzz",
  R15: "upgrade-reset",
  R16: "handshakes",
  R17: "flood",
  R18: "reconnect-storm",
  R19: "frozen-peer",
  R20: "bombs",
  R22: "handler-faults",
  R23: "close-races",
  R25: "handshakes",
  R29: "hostile-server",
  comings: "comings",
  fuzz: "hostile",
  killed: "client-survival",
  asleep: "client-survival",
  memory: "memory",
};

export const ids = Object.keys(files);

/** Measures one fault and yields its figures, judged. `options` are the fault's own, for example fewer messages. */
export async function* measure(id, options = {}) {
  const fault = await import(new URL(`${files[id]}.mjs`, import.meta.url).href);
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
