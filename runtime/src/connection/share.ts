// The share of a turn of the event loop that the bytes of one peer may take.

/** How long, in ms, one peer's bytes may keep the event loop, with all that is done about them; libuv may bring 32 chunks in one turn. */
const SHARE = 4;
/** The clock is looked at every so many frames; at every one where they may have to be inflated. A power of two. */
const LOOK_EVERY = 8;

/** Whose bytes are timed at the moment, and until when they may take, in ms: one object for all readers, which are many and mostly idle. */
let timed: object | undefined;
let until = 0;
let scheduled = false;
let frames = 0;

/** Begins a reader's time, unless it runs. It ends with the turn. */
export function beginShare(reader: object): void {
  if (timed === reader) return;
  timed = reader;
  until = performance.now() + SHARE;
  if (scheduled) return;
  scheduled = true;
  setImmediate(endShare);
}

function endShare(): void {
  scheduled = false;
  timed = undefined;
}

/** Whether the time runs for these bytes. */
export function isTimed(reader: object): boolean {
  return timed === reader;
}

/** Of whoever is timed. */
export function isShareOver(): boolean {
  return performance.now() >= until;
}

/** `everyTime`: whether a frame may take long by itself. */
export function isTimeToLook(everyTime: boolean): boolean {
  frames = (frames + 1) & (LOOK_EVERY - 1);
  return everyTime || frames === 0;
}
