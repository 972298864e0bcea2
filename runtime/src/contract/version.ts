// Generated code and runtime are installed apart, so they say to each other which contract they speak.
import { WsgenError } from "../errors.ts";
import { CONTRACT_VERSION, type Contract } from "./contract.ts";

/** @throws WsgenError `WSGEN_CONTRACT_VERSION` when this runtime cannot read the contract. */
export function checkVersion({ version, generator, title }: Contract): void {
  if (version === CONTRACT_VERSION) return;
  throw new WsgenError("WSGEN_CONTRACT_VERSION", `"${title}" is by wsgen ${generator}: run \`wsgen generate\`.`);
}
