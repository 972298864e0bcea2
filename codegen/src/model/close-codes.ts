// The application's close codes: the document's, and those of one socket beside them.
import type { Socket } from "./endpoints.ts";
import type { CloseCodesOption } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import type { CloseCode } from "./model.ts";
import { assignPropertyNames } from "./names.ts";
import { joinPointer } from "./tree.ts";

export interface CloseCodes {
  /** Those of every socket. */
  readonly shared: readonly CloseCode[];
  /** Those that only one socket has. */
  of(socket: Socket): readonly CloseCode[];
}

interface Written {
  readonly key: string;
  readonly code: number;
  readonly about: string | undefined;
  readonly pointer: string;
}

/** Builds the close codes of a document. On each socket a name has one code, and a code one name. */
export function buildCloseCodes(root: CloseCodesOption | undefined, sockets: readonly Socket[], findings: Findings): CloseCodes {
  const shared = writtenIn(root);
  const own = new Map(sockets.map((socket) => [socket, socket.channels.flatMap(({ extension }) => writtenIn(extension.closeCodes))]));
  const keys = [...new Set([...shared, ...[...own.values()].flat()].map(({ key }) => key))];
  const names = assignPropertyNames(keys.map((key) => ({ base: key, identity: key, suffix: { text: "Code", always: false } })));
  const named = ({ key, code, about }: Written): CloseCode => ({
    name: names.get(key)?.name ?? key,
    code,
    docs: about === undefined ? {} : { description: about },
  });
  reportClashes(shared, [], findings);
  for (const codes of own.values()) reportClashes(codes, shared, findings);
  return {
    shared: shared.map(named),
    of(socket) {
      const known = new Set(shared.map(({ key }) => key));
      return (own.get(socket) ?? []).filter(({ key }) => !known.has(key) && known.add(key)).map(named);
    },
  };
}

function writtenIn(option: CloseCodesOption | undefined): Written[] {
  return Object.entries(option?.codes ?? {}).map(([key, given]) => {
    const { code, about } = typeof given === "number" ? { code: given } : given;
    return { key, code, about, pointer: joinPointer(option?.pointer ?? "", key) };
  });
}

/** The same said twice is no clash: channels that share a socket may each say it. */
function reportClashes(codes: readonly Written[], before: readonly Written[], findings: Findings): void {
  const all = [...before];
  for (const one of codes) {
    const other = all.find(({ key, code }) => (key === one.key) !== (code === one.code));
    all.push(one);
    if (other === undefined) continue;
    const sameCode = other.code === one.code;
    findings.error({
      code: "close-code",
      message: sameCode
        ? `\`${other.key}\` and \`${one.key}\` have the same close code, ${one.code}.`
        : `\`${one.key}\` is the close code ${one.code} here and ${other.code} elsewhere on the same socket.`,
      fix: sameCode ? "Give one of them another code." : "Give one of them another name.",
      pointer: one.pointer,
    });
  }
}
