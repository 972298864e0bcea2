// Sec-WebSocket-Extensions (RFC 6455 section 9.1) and the parameters of permessage-deflate (RFC 7692 section 7.1).

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** A quoted value must be a token once its quotes are gone (RFC 6455 section 9.1). */
const parameter = new RegExp(`^\\s*(${token})(?:\\s*=\\s*(?:(${token})|"(${token})"))?\\s*$`);

/** Whether the offer is well-formed. We accept no extension yet; a malformed offer fails the handshake all the same, as RFC 6455 section 4.2.2 has it. */
export function isExtensionOffer(header: string): boolean {
  return header.split(",").every((offer) => {
    const [name = "", ...parameters] = offer.split(";");
    if (!new RegExp(`^\\s*${token}\\s*$`).test(name)) return false;
    const seen = new Set<string>();
    return parameters.every((text) => {
      const [, key, bare, quoted] = parameter.exec(text) ?? [];
      if (key === undefined || seen.has(key)) return false;
      seen.add(key);
      return name.trim() !== "permessage-deflate" || isDeflateParameter(key, bare ?? quoted);
    });
  });
}

/** Unknown parameters are a reason to decline the offer, not to refuse the client (RFC 7692 section 5.1). */
function isDeflateParameter(name: string, value: string | undefined): boolean {
  switch (name) {
    case "server_no_context_takeover":
    case "client_no_context_takeover":
      return value === undefined;
    case "client_max_window_bits":
      return value === undefined || isWindowBits(value);
    case "server_max_window_bits":
      return value !== undefined && isWindowBits(value);
    default:
      return true;
  }
}

function isWindowBits(value: string): boolean {
  return /^(?:[89]|1[0-5])$/.test(value);
}
