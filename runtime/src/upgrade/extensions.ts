// Sec-WebSocket-Extensions (RFC 6455 section 9.1): what a client offers, and what of it a route agrees on.
import { createDeflate, DEFLATE, type DeflateOptions, isDeflateParameter } from "../connection/deflate.ts";
import {
  defineExtension,
  type Extension,
  type ExtensionCodec,
  type ExtensionLayer,
  type ExtensionParameters,
  ExtensionStack,
} from "../connection/extension.ts";
import { WsgenError } from "../errors.ts";

/** The extensions that routers and routes can have; what a route gives replaces the router's. */
export interface ExtensionOptions {
  /**
   * permessage-deflate (RFC 7692) for clients that offer it. It comes before all other extensions on the way out. Default: false: it costs
   * processor time for every message, and secrets beside text that a stranger chose can be guessed from the compressed length.
   */
  readonly deflate?: boolean | DeflateOptions;
  /** Extensions of your own, see {@link defineExtension}, in the order in which they change what is sent. Default: none. */
  readonly extensions?: readonly Extension[];
}

/** {@link ExtensionOptions} ready for use; what is absent was not said. */
export interface ExtensionChoice {
  readonly deflate?: Extension | false;
  readonly others?: readonly Extension[];
}

/** Checks the options of a router or a route. Throws WSGEN_USAGE when an extension could never work. */
export function chooseExtensions({ deflate, extensions }: ExtensionOptions): ExtensionChoice {
  const choice: ExtensionChoice = {
    ...(deflate === undefined ? {} : { deflate: deflate === false ? false : createDeflate(deflate === true ? {} : deflate) }),
    ...(extensions === undefined ? {} : { others: extensions.map(defineExtension) }),
  };
  const all = merge(choice, {});
  for (const [index, extension] of all.entries()) {
    for (const other of all.slice(0, index)) {
      if (extension.name === other.name) throw new WsgenError("WSGEN_USAGE", `extensions: there are two named "${extension.name}".`);
      // Of two that are negotiated the client may offer either, and gets the first.
      const certain = extension.negotiated === false || other.negotiated === false;
      if (certain && ((extension.rsv ?? 0) & (other.rsv ?? 0)) !== 0) {
        throw new WsgenError("WSGEN_USAGE", `extensions: "${other.name}" and "${extension.name}" want the same reserved bit.`);
      }
    }
  }
  return choice;
}

function merge(router: ExtensionChoice, route: ExtensionChoice): readonly Extension[] {
  const deflate = route.deflate ?? router.deflate ?? false;
  const others = route.others ?? router.others ?? [];
  return deflate === false ? others : [deflate, ...others];
}

/** One offer of a client. */
export interface ExtensionOffer {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string | true>>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const bareName = new RegExp(`^\\s*(${token})\\s*$`);
/** A quoted value must be a token once its quotes are gone (RFC 6455 section 9.1). */
const parameter = new RegExp(`^\\s*(${token})(?:\\s*=\\s*(?:(${token})|"(${token})"))?\\s*$`);

/** Reads the offers; `undefined` when one is malformed, which fails the handshake, as RFC 6455 section 4.2.2 has it. */
export function parseExtensionOffers(header: string): readonly ExtensionOffer[] | undefined {
  const offers: ExtensionOffer[] = [];
  for (const text of header.split(",")) {
    const offer = parseOffer(text);
    if (offer === undefined) return undefined;
    offers.push(offer);
  }
  return offers;
}

function parseOffer(text: string): ExtensionOffer | undefined {
  const [first = "", ...rest] = text.split(";");
  const name = bareName.exec(first)?.[1];
  if (name === undefined) return undefined;
  const parameters = new Map<string, string | true>();
  for (const part of rest) {
    const [, key, bare, quoted] = parameter.exec(part) ?? [];
    if (key === undefined || parameters.has(key)) return undefined;
    if (name === DEFLATE && !isDeflateParameter(key, bare ?? quoted)) return undefined;
    parameters.set(key, bare ?? quoted ?? true);
  }
  return { name, parameters: Object.fromEntries(parameters) };
}

/** What becomes of the offers. */
export interface ExtensionAgreement {
  /** The value of Sec-WebSocket-Extensions in the 101; "" for no header. */
  readonly header: string;
  /** What works on the connection; `undefined` when nothing does. */
  readonly stack: ExtensionStack | undefined;
}

/**
 * Takes of every extension the first offer it accepts. One whose reserved bits are taken is left out: those that are not negotiated come
 * first, then the order of the options.
 */
export function agreeOnExtensions(
  router: ExtensionChoice,
  route: ExtensionChoice,
  offers: readonly ExtensionOffer[],
  lossy: boolean,
): ExtensionAgreement {
  const layers: ExtensionLayer[] = [];
  const names: string[] = [];
  const all = merge(router, route);
  let taken = all.reduce((bits, { negotiated, rsv = 0 }) => (negotiated === false ? bits | rsv : bits), 0);
  for (const extension of all) {
    const { name, rsv = 0 } = extension;
    if (extension.negotiated === false) {
      const codec = extension.accept({}, lossy);
      if (codec === undefined) throw new WsgenError("WSGEN_USAGE", `The extension "${name}" is not negotiated and declines all the same.`);
      layers.push({ rsv, codec });
    } else if ((taken & rsv) === 0) {
      const codec = firstAccepted(extension, offers, lossy);
      if (codec === undefined) continue;
      layers.push({ rsv, codec });
      names.push(formatExtension(name, codec.parameters ?? {}));
      taken |= rsv;
    }
  }
  return { header: names.join(", "), stack: layers.length === 0 ? undefined : new ExtensionStack(layers) };
}

function firstAccepted(extension: Extension, offers: readonly ExtensionOffer[], lossy: boolean): ExtensionCodec | undefined {
  for (const { name, parameters } of offers) {
    const codec = name === extension.name ? extension.accept(parameters, lossy) : undefined;
    if (codec !== undefined) return codec;
  }
  return undefined;
}

function formatExtension(name: string, parameters: ExtensionParameters): string {
  const texts = Object.entries(parameters).map(([key, value]) =>
    value === true ? key : `${key}=${formatValue(name, key, String(value))}`,
  );
  return [name, ...texts].join("; ");
}

/** What is no token would end the header, or the response. */
function formatValue(name: string, key: string, value: string): string {
  if (bareName.exec(value)?.[1] === value) return value;
  throw new WsgenError("WSGEN_USAGE", `The parameter "${key}" of the extension "${name}" is no token (RFC 6455 section 9.1).`);
}
