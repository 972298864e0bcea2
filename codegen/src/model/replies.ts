// Which message answers which: replies are matched by the correlation id that both carry, and are ordinary messages where there is none.
import type { Path } from "@wsgen/runtime/generated/server";
import type { CorrelationOption } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import type { MessageDraft } from "./payloads.ts";
import { evidenceAt, type Shape, shapeAt } from "./shape.ts";
import { pathOfPointer, splitPointer, wordsOfPath } from "./tree.ts";

/** A request's answer, matched by id. */
export interface Correlation {
  readonly request: Path;
  readonly reply: Path;
  readonly id: "string" | "integer" | "uuid" | "order";
  readonly answers: readonly MessageDraft[];
}

/** Answers that a finding names. */
const MOST_NAMES = 4;

/** What else is known where a reply is looked at. */
export interface ReplyContext {
  /** `correlation` of the channel or the document. */
  readonly option: CorrelationOption | undefined;
  /** Where the reply is written. */
  readonly pointer: string;
  readonly findings: Findings;
}

/**
 * Finds how the answers to a request are matched. The correlation id may be declared on both, or on one when the other has the property; answers
 * without one are ordinary messages (with a hint that proposes a property). The option of a message wins over what the document declares, which
 * wins over the option of a channel.
 */
export function correlate(request: MessageDraft, answers: readonly MessageDraft[], context: ReplyContext): Correlation | undefined {
  const { pointer, findings } = context;
  const own = request.source.extension.correlation;
  const declares = [request, ...answers].some(({ source }) => source.correlation !== undefined);
  const option = own ?? (declares ? undefined : context.option);
  if (option !== undefined && option.at === undefined) return { request: [], reply: [], id: "order", answers };

  const pathOf = (message: MessageDraft): Path | undefined =>
    message.source.extension.correlation?.at ?? declaredPath(message, findings) ?? (message === request ? own?.at : undefined);
  const fallback = option?.at;
  const declared = pathOf(request);
  if (declared !== undefined && !isId(request, declared, context)) return undefined;
  const found = declared ?? answers.map(pathOf).find((path) => path !== undefined && has(request.shape, path));
  const asked = found ?? (fallback !== undefined && has(request.shape, fallback) && !isBytesAt(request, fallback) ? fallback : undefined);
  const matched = answers.flatMap((answer) => {
    const path = pathOf(answer) ?? (asked !== undefined && has(answer.shape, asked) ? asked : undefined);
    return asked === undefined || path === undefined ? [] : [{ answer, path }];
  });
  const [first] = matched;
  const same = matched.filter(({ path }) => path.join("/") === first?.path.join("/")).map(({ answer }) => answer);
  const left = answers.filter((answer) => !same.includes(answer));
  if (left.length > 0) propose(request, left, pointer, findings);
  if (first === undefined || asked === undefined) return undefined;
  const { kinds } = evidenceAt(request.shape, asked);
  const id = !kinds.has("string") ? "integer" : shapeAt(request.shape, asked)?.format === "uuid" ? "uuid" : "string";
  return { request: asked, reply: first.path, id, answers: same };
}

/** Where the document says that the id is; in an envelope its payload and headers have their own places. */
function declaredPath({ source, envelope, shape }: MessageDraft, findings: Findings): Path | undefined {
  const { correlation } = source;
  if (correlation === undefined) return undefined;
  const [, part, rest] = /^\$message\.(payload|header)#(\/.*)$/s.exec(correlation.location.trim()) ?? [];
  const base = part === "header" ? envelope?.headers : (envelope?.payload ?? []);
  if (rest !== undefined && base !== undefined) {
    const named = [...base, ...splitPointer(rest)];
    return has(shape, named) ? named : [...base, ...pathOfPointer(rest)];
  }
  findings.warning({
    code: "correlation",
    message: `The correlation id \`${correlation.location}\` is not in the payload, and a WebSocket message has nothing else.`,
    fix: "Point into the payload: `$message.payload#/requestId`.",
    pointer: correlation.pointer,
  });
  return undefined;
}

/** Whether an id of the caller's choice can be there. */
function isId(request: MessageDraft, path: Path, { pointer, findings }: ReplyContext): boolean {
  const { presence, values } = evidenceAt(request.shape, path);
  const isBytes = isBytesAt(request, path);
  if (presence !== "absent" && values === undefined && !isBytes) return true;
  const option = request.source.extension.correlation;
  const finding = {
    code: "correlation",
    message: `The correlation id is at ${wordsOfPath(path)}, ${presence === "absent" ? "which the request's payload does not declare" : `where the request's payload has ${isBytes ? "bytes" : "a fixed value"}`}; its reply is an ordinary message.`,
    fix:
      option === undefined
        ? "Let `correlationId.location` point at a property of the payload, such as `$message.payload#/requestId`."
        : "Write a JSON Pointer to a property of the payload, such as `/requestId`, or `order`.",
    pointer: option?.pointer ?? request.source.correlation?.pointer ?? pointer,
  };
  if (option === undefined) findings.warning(finding);
  else findings.error(finding);
  return false;
}

/** Bytes are equal to nothing but themselves. */
const isBytesAt = ({ format, shape }: MessageDraft, path: Path): boolean =>
  format === "encoded" && shapeAt(shape, path)?.format === "binary";

function propose(request: MessageDraft, answers: readonly MessageDraft[], pointer: string, findings: Findings): void {
  const shared = [...request.shape.members.keys()].filter(
    (name): name is string =>
      typeof name === "string" && canBeId(request.shape, name) && answers.every((answer) => canBeId(answer.shape, name)),
  );
  const name =
    shared.find((candidate) => /^(request|correlation|req|message|msg)[_-]?id$/i.test(candidate)) ??
    shared.find((candidate) => /id$/i.test(candidate) || /^(ref|seq|nonce)$/i.test(candidate));
  const bases = [...new Set(answers.map(({ base }) => base))];
  const shown = bases.slice(0, MOST_NAMES).map((base) => `\`${base}\``);
  const names = `${shown.join(", ")}${bases.length > shown.length ? ` (and ${bases.length - shown.length} more)` : ""}`;
  findings.hint({
    code: "reply-uncorrelated",
    message: `Nothing ties ${names} to the request \`${request.base}\`, so ${answers.length === 1 ? "it is an ordinary message" : "they are ordinary messages"}.`,
    fix:
      name === undefined
        ? "Give both a property for the request's id, and name it (`correlationId: { location: $message.payload#/requestId }`); where replies come in the order of their requests, say `x-wsgen: { correlation: order }`."
        : `Both have \`${name}\`: if that is the request's id, add \`correlationId: { location: $message.payload#/${name} }\` to both, or \`x-wsgen: { correlation: /${name} }\` to the channel.`,
    pointer,
    at: "key",
  });
}

function canBeId(shape: Shape, name: string): boolean {
  const { presence, kinds, values } = evidenceAt(shape, [name]);
  return presence !== "absent" && values === undefined && (kinds.has("string") || kinds.has("number")) && !kinds.has("object");
}

function has(shape: Shape, path: Path): boolean {
  return evidenceAt(shape, path).presence !== "absent";
}
