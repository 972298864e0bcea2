// Generated code and runtime are installed apart, so they say to each other which contract they speak.
import { WsgenError } from "../errors.ts";
import { CONTRACT_VERSION, type Contract } from "./contract.ts";

/** @throws WsgenError `WSGEN_CONTRACT_VERSION` when this runtime cannot read the contract. */
export function checkVersion({ version, generator, title }: Contract): void {
  if (version === CONTRACT_VERSION) return;
  throw new WsgenError(
    "WSGEN_CONTRACT_VERSION",
    `The generated code of "${title}" (wsgen ${generator}) has contract version ${version}, this @wsgen/runtime reads version ${CONTRACT_VERSION}: ` +
      `install wsgen and @wsgen/runtime in the same version and run \`wsgen generate\` again.`,
  );
}
