// Rules of RFC 6455 that a server can break, by the codes of the errors of ws.

/** The close code that a client sends for each. Whether it ever hears an answer is up to the server. */
export const violations: ReadonlyMap<unknown, number> = new Map([
  ["WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", 1009],
  ["WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", 1009],
  ["WS_ERR_INVALID_UTF8", 1007],
  ["WS_ERR_TOO_MANY_BUFFERED_PARTS", 1008],
  ["WS_ERR_EXPECTED_FIN", 1002],
  ["WS_ERR_EXPECTED_MASK", 1002],
  ["WS_ERR_INVALID_CLOSE_CODE", 1002],
  ["WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH", 1002],
  ["WS_ERR_INVALID_OPCODE", 1002],
  ["WS_ERR_UNEXPECTED_MASK", 1002],
  ["WS_ERR_UNEXPECTED_RSV_1", 1002],
  ["WS_ERR_UNEXPECTED_RSV_2_3", 1002],
]);
