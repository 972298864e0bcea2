// How a connection's messages are wanted, and how large they may be.

/** How much a FrameReader takes; over a size a header is enough to close 1009. See `Limits`. */
export interface FrameBounds {
  readonly maxMessageSize: number;
  readonly maxFrameSize: number | false;
  /** Of a message that is put together; the next one closes 1008. */
  readonly maxFragments: number;
}

/** What the next message is measured by. Never changed, so that all connections of a route have the same one until somebody asks for another. */
export interface Expectation {
  readonly bounds: FrameBounds;
  /** Whether messages are wanted in fragments as they come, and the limit of whoever reads them, if he has one. */
  readonly streaming: boolean;
  readonly ownLimit: number | undefined;
  /** The limit for all others, and for what an extension needs whole. */
  readonly maxMessageSize: number;
  /** The largest message, and the largest frame: `false` for as large as the message may be. */
  readonly largest: number;
  readonly largestFrame: number | false;
}

const ofRoutes = new WeakMap<FrameBounds, Expectation>();

/** What connections expect of whose messages nobody has said anything. */
export function expectationOf(bounds: FrameBounds): Expectation {
  let expectation = ofRoutes.get(bounds);
  if (expectation === undefined) {
    expectation = createExpectation(bounds, bounds.maxMessageSize, false, undefined);
    ofRoutes.set(bounds, expectation);
  }
  return expectation;
}

export function createExpectation(
  bounds: FrameBounds,
  maxMessageSize: number,
  streaming: boolean,
  ownLimit: number | undefined,
): Expectation {
  const { maxFrameSize } = bounds;
  // What is streamed in frames of the largest message takes no more memory than such messages would.
  const largestFrame = maxFrameSize === false ? streaming && maxMessageSize : maxFrameSize;
  return { bounds, streaming, ownLimit, maxMessageSize, largest: ownLimit ?? maxMessageSize, largestFrame };
}
