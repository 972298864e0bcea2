// Interleaved rounds: all servers run at the same time and take turns under load, so that whatever else the machine does meets all of them.
import { startPair } from "./pair.mjs";

/** ms; enough for V8 to have compiled what is hot. Where that is much code, an entry says after how many messages it is: `warmUp`. */
const WARM_UP = 800;

export const median = (values) => quantile(values, 0.5);

export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at % 1);
}

export const rounded = (value, digits = 3) => Number(value.toPrecision(digits));

/**
 * Measures server CPU per message. An entry is a subject under a key of its own, with options of its own where one scenario has several of them.
 * `prepare(pair, entry)` opens connections and calibrates; what it gives goes to `round(pair, prepared, ms)`, which answers with `messages`, `ms` and
 * `busy` of the load. Gives by key the samples, or why there are none.
 */
export async function measureRounds({ entries, options, prepare, round }, { rounds, ms, quick, build, before, profile }) {
  const measured = new Map();
  const pairs = new Map();
  try {
    for (const entry of entries) {
      const { key, subject } = entry;
      try {
        const given = { build: key === "before" ? before : build, ...options, ...entry.options };
        const pair = await startPair(subject, given, { profile: subject.file === "wsgen.mjs" ? profile : undefined });
        pairs.set(key, { pair });
        pairs.get(key).prepared = await prepare(pair, entry);
        let left = quick ? 0 : (entry.warmUp ?? 0);
        do {
          // Not counted: the compiler is still at work.
          left -= (await round(pair, pairs.get(key).prepared, quick ? ms : Math.max(ms, WARM_UP))).messages;
        } while (left > 0);
        measured.set(key, { samples: [] });
      } catch (error) {
        await drop(key, error);
      }
    }
    for (let number = 0; number < rounds; number++) {
      const order = [...pairs.keys()];
      for (let turn = 0; turn < order.length; turn++) {
        const key = order[(turn + number) % order.length];
        const { pair, prepared } = pairs.get(key);
        try {
          const from = await pair.usage();
          const { messages, ms: took, busy } = await round(pair, prepared, ms);
          const to = await pair.usage();
          const cpu = to.user + to.system - from.user - from.system;
          measured.get(key).samples.push({ round: number, cpu: cpu / messages, rate: messages / (took / 1000), busy });
        } catch (error) {
          await drop(key, error);
        }
      }
    }
  } finally {
    for (const { pair } of pairs.values()) await pair.end();
  }
  return measured;

  async function drop(key, error) {
    measured.set(key, { failed: error.message });
    await pairs.get(key)?.pair.end();
    pairs.delete(key);
  }
}

/** The median of a subject's figure over that of a peer in the same round. */
export function ratioOf(measured, name, peer) {
  const own = measured.get(name)?.samples;
  const theirs = measured.get(peer)?.samples;
  if (!own?.length || !theirs?.length) return undefined;
  const inRound = new Map(theirs.map(({ round, cpu }) => [round, cpu]));
  return median(own.filter(({ round }) => inRound.has(round)).map(({ round, cpu }) => cpu / inRound.get(round)));
}
