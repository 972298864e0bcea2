// What the channels of one socket say about all of it: they have to agree.
import { OPTIONS_KEY } from "../options.ts";
import type { SocketOptions } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import type { SourceChannel } from "./source.ts";
import { joinPointer } from "./tree.ts";

type SocketWide = "onAmbiguous" | "onInvalid" | "protocols";

/** The option as the first channel has it; channels that say something else are reported. */
export function optionOfSocket<Name extends SocketWide>(
  channels: readonly SourceChannel[],
  name: Name,
  findings: Findings,
): SocketOptions[Name] | undefined {
  const [first, ...others] = channels.filter(({ extension }) => extension[name] !== undefined);
  const other = others.find(({ extension }) => said(extension[name]) !== said(first?.extension[name]));
  if (first !== undefined && other !== undefined) {
    findings.error({
      code: "option-conflict",
      message: `\`${name}\` is \`${said(first.extension[name])}\` on \`${first.key}\` and \`${said(other.extension[name])}\` on \`${other.key}\`, which share a socket.`,
      fix: "Say the same on both, or say it once at the root of the document.",
      pointer: joinPointer(other.pointer, OPTIONS_KEY, name),
      at: "key",
    });
  }
  return first?.extension[name];
}

const said = (value: string | readonly string[] | undefined): string => [value ?? ""].flat().join(", ");
