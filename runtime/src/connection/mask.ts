// What a client masks its payloads with, taken off again (RFC 6455 section 5.3).

/** A view of words takes as long to make as a hundred bytes to unmask: one serves all frames of a chunk, if it is no smaller than this … */
const LARGE = 256;
/** … and their payloads, from this length on: the bytes before the first word and behind the last are unmasked one by one. */
const LONG = 16;
/** Four bytes of a mask, and the same as a word of this machine. */
const maskBytes = new Uint8Array(4);
const maskWord = new Int32Array(maskBytes.buffer);

/** Some bytes in words of this machine. */
export interface Words {
  readonly words: Int32Array;
  /** How many bytes lie before the first word. */
  readonly ahead: number;
}

/** `undefined` where there are too few for it to be worth while. */
export function wordsOf(bytes: Buffer): Words | undefined {
  if (bytes.length < LARGE) return undefined;
  const ahead = -bytes.byteOffset & 3;
  return { words: new Int32Array(bytes.buffer, bytes.byteOffset + ahead, (bytes.length - ahead) >> 2), ahead };
}

/** Changes the payload from `start` to `end` in place; its mask is in the four bytes before. `inWords`: the same bytes. */
export function unmask(bytes: Buffer, start: number, end: number, inWords: Words | undefined): void {
  // The assertions hold by the caller's bounds: four bytes of mask, then the payload.
  let a = bytes[start - 4]!;
  let b = bytes[start - 3]!;
  let c = bytes[start - 2]!;
  let d = bytes[start - 1]!;
  if ((a | b | c | d) === 0) return;
  let i = start;
  if (inWords !== undefined && end - start >= LONG) {
    const { words, ahead } = inWords;
    for (; ((i - ahead) & 3) !== 0; i++) {
      bytes[i] = bytes[i]! ^ a;
      [a, b, c, d] = [b, c, d, a];
    }
    maskBytes[0] = a;
    maskBytes[1] = b;
    maskBytes[2] = c;
    maskBytes[3] = d;
    const mask = maskWord[0]!; // It has one.
    const last = (end - ahead) >> 2;
    for (let word = (i - ahead) >> 2; word < last; word++) words[word] = words[word]! ^ mask;
    i = ahead + 4 * last;
  }
  // Four bytes a step.
  const whole = end - ((end - i) & 3);
  for (; i < whole; i += 4) {
    bytes[i] = bytes[i]! ^ a;
    bytes[i + 1] = bytes[i + 1]! ^ b;
    bytes[i + 2] = bytes[i + 2]! ^ c;
    bytes[i + 3] = bytes[i + 3]! ^ d;
  }
  if (i < end) bytes[i] = bytes[i]! ^ a;
  if (++i < end) bytes[i] = bytes[i]! ^ b;
  if (++i < end) bytes[i] = bytes[i]! ^ c;
}
