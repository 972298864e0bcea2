// Finds patterns that can take exponential time: repetitions of repetitions, and repeated alternatives, that match one text in many ways.

/** Why a pattern is risky, in words; `undefined` when nothing was found. */
export function patternRisk(pattern: string): string | undefined {
  const parsed = parsePattern(pattern);
  return parsed === undefined ? undefined : riskOf(parsed);
}

/** Alternatives, each a sequence of repeated things. */
interface Group {
  readonly alternatives: readonly (readonly Term[])[];
}

interface Term {
  /** A group, or the characters that one thing matches; `undefined` for what matches no character (`^`, look-around). */
  readonly atom: Group | Characters | undefined;
  readonly min: number;
  readonly max: number;
  readonly source: string;
}

/** Which of the sample characters match. */
type Characters = readonly boolean[];

/** ASCII, and one character beyond it. */
const samples = [...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)), "\u00e9"];

/** From this many on, a bounded repetition is as bad as an unbounded one. */
const many = 10;

function riskOf(group: Group): string | undefined {
  for (const terms of group.alternatives) {
    for (const { atom, max, source } of terms) {
      if (atom === undefined || !isGroup(atom)) continue;
      const inner = riskOf(atom);
      if (inner !== undefined) return inner;
      if (max < many) continue;
      if (atom.alternatives.some(isAmbiguous)) return `in \`${source}\` a repetition is repeated`;
      const { alternatives } = atom;
      const overlap = alternatives.some((one, index) => alternatives.slice(index + 1).some((other) => canMatchSame(one, other)));
      if (overlap) return `in \`${source}\` alternatives that match the same text are repeated`;
    }
  }
  return undefined;
}

/** Whether, repeated, a sequence can divide one text among its rounds in several ways. */
function isAmbiguous(terms: readonly Term[]): boolean {
  const variable = terms.filter(({ max, min }) => max >= many && max > min);
  if (variable.length === 0) return false;
  const open = variable.map(({ atom }) => charactersOf(atom));
  // Something that must be there and that the repetitions cannot match marks where each round ends.
  return !terms.some(({ atom, min }) => min > 0 && isSeparator(charactersOf(atom), open, atom));
}

function isSeparator(own: Characters, open: readonly Characters[], atom: Term["atom"]): boolean {
  return atom !== undefined && own.some(Boolean) && open.every((other) => !overlaps(own, other));
}

function canMatchSame(one: readonly Term[], other: readonly Term[]): boolean {
  const [a, b] = [one, other].map((terms) => terms.filter(({ atom }) => atom !== undefined));
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return false;
  const length = Math.min(a.length, b.length);
  const fixed = a.length !== b.length && [...a, ...b].every(({ min, max }) => min === max);
  // `a|ab` is told apart by what follows; `a|aa` is not, but then the longer one repeats the shorter.
  if (fixed && !overlaps(charactersOf(a[a.length - 1]?.atom), charactersOf(b[b.length - 1]?.atom))) return false;
  for (let index = 0; index < length; index += 1) {
    if (!overlaps(charactersOf(a[index]?.atom), charactersOf(b[index]?.atom))) return false;
  }
  return true;
}

const overlaps = (one: Characters, other: Characters): boolean => one.some((matches, index) => matches && other[index] === true);
const isGroup = (atom: Group | Characters): atom is Group => "alternatives" in atom;

/** Every character that something can match anywhere. */
function charactersOf(atom: Term["atom"]): Characters {
  if (atom === undefined) return samples.map(() => false);
  if (!isGroup(atom)) return atom;
  const all = atom.alternatives.flat().map((term) => charactersOf(term.atom));
  return samples.map((_, index) => all.some((characters) => characters[index] === true));
}

function parsePattern(pattern: string): Group | undefined {
  let position = 0;

  const parseGroup = (): Group => {
    const alternatives: Term[][] = [[]];
    while (position < pattern.length && pattern[position] !== ")") {
      if (pattern[position] === "|") {
        position += 1;
        alternatives.push([]);
      } else {
        alternatives[alternatives.length - 1]?.push(parseTerm());
      }
    }
    return { alternatives };
  };

  const parseTerm = (): Term => {
    const start = position;
    const atom = parseAtom();
    const [, bounds = ""] = /^([*+?]|\{\d+(?:,\d*)?\})?\??/.exec(pattern.slice(position)) ?? [];
    const [quantifier = ""] = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(pattern.slice(position)) ?? [];
    position += quantifier.length;
    return { atom, ...repetition(bounds), source: pattern.slice(start, position) };
  };

  const parseAtom = (): Term["atom"] => {
    const rest = pattern.slice(position);
    const [opening] = /^\((?:\?(?:<?[=!]|:|<[^>]*>))?/.exec(rest) ?? [];
    if (opening !== undefined) {
      position += opening.length;
      const group = parseGroup();
      position += 1;
      return /[=!]$/.test(opening) ? undefined : group;
    }
    const [atom = ""] =
      /^(?:\\u\{[^}]*\}|\\u[\da-f]{4}|\\x[\da-f]{2}|\\c[a-z]|\\[pP]\{[^}]*\}|\\k<[^>]*>|\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|[\s\S])/iu.exec(
        rest,
      ) ?? [];
    position += Math.max(atom.length, 1);
    return /^(?:\^|\$|\\b|\\k.*|\\[1-9])$/i.test(atom) ? undefined : matching(atom);
  };

  const group = parseGroup();
  return position === pattern.length ? group : undefined;
}

function repetition(bounds: string): { readonly min: number; readonly max: number } {
  if (bounds === "*") return { min: 0, max: Number.POSITIVE_INFINITY };
  if (bounds === "+") return { min: 1, max: Number.POSITIVE_INFINITY };
  if (bounds === "?") return { min: 0, max: 1 };
  const [, least, comma, most] = /^\{(\d+)(,?)(\d*)\}$/.exec(bounds) ?? [];
  if (least === undefined) return { min: 1, max: 1 };
  return { min: Number(least), max: comma === "" ? Number(least) : most === "" ? Number.POSITIVE_INFINITY : Number(most) };
}

function matching(atom: string): Characters {
  for (const flags of ["u", ""]) {
    try {
      const one = new RegExp(`^${atom}$`, flags);
      return samples.map((sample) => one.test(sample));
    } catch {
      // Not valid under these rules; without any, everything may match.
    }
  }
  return samples.map(() => true);
}
