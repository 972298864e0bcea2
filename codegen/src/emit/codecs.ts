// The content types that a document's messages need a codec for, and the interface of those that are given.
import type { Model } from "../model/model.ts";
import { apiNames } from "./api-names.ts";
import type { GeneratedFile } from "./file.ts";
import { printInterface } from "./signatures.ts";

/** Every content type that is read and written by a codec, in alphabetical order. */
export function codecsOf({ endpoints }: Pick<Model, "endpoints">): readonly string[] {
  const messages = endpoints.flatMap(({ clientToServer, serverToClient }) => [...clientToServer.messages, ...serverToClient.messages]);
  return [...new Set(messages.flatMap(({ codec }) => codec ?? []))].sort();
}

/** Prints the interface of the codecs, where there have to be any; whether there are. */
export function printCodecs(model: Model, file: GeneratedFile, join: string): boolean {
  const types = codecsOf(model);
  if (types.length === 0) return false;
  file.doc(
    "What reads and writes the messages that are neither JSON nor text, by their content type. Most libraries are codecs as they are.",
  );
  printInterface(file, apiNames(model).codecs, types, (type) => file.print(`readonly ${file.key(type)}: ${file.import("Codec", join)};`));
  return true;
}
