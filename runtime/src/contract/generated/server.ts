// Everything a generated server may import. Hand-written and versioned: names are added, never changed.

export type { PeerCertificate } from "node:tls";
export type { Awaitable, CloseOutcome, Sent } from "../../connection/connection.ts";
export type { Router } from "../../upgrade/router.ts";
export type { Added, AddedContext, Authenticate, BasicCredentials } from "../authentication.ts";
export type { Codec } from "../codec.ts";
export type {
  ChoiceNode,
  Coercion,
  Constant,
  Contract,
  DispatchEnd,
  DispatchTree,
  Format,
  Guard,
  GuardError,
  KeyPlaces,
  Path,
  SchemeContract,
  Statement,
} from "../contract.ts";
export type { ContractConnection, EndpointHandle } from "../contract-connection.ts";
export type { Optional } from "../encode.ts";
export type { Problem } from "../endpoint.ts";
export { type RegisterOptions, register } from "../register.ts";
export type { RequestOptions } from "../requests.ts";
export type { Recipients } from "../rooms.ts";
