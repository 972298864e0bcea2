// Random choices that a seed repeats.

export function letters(random) {
  return random().toString(36).slice(2);
}

export function pick(random, list) {
  return list[Math.floor(random() * list.length)];
}

/** Random numbers that are the same each time (mulberry32). */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
