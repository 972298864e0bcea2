// Paths with parameters, as OpenAPI and AsyncAPI write them, matched against what the client really sent.
import { WsgenError } from "../errors.ts";

/** Longest parameter that is accepted, in characters as sent. */
const MAX_PARAMETER_LENGTH = 1024;

/** The names of the parameters in a path, for types: `"/rooms/{roomId}"` has `"roomId"`, `"/files/*"` has `"*"`. */
export type ParameterNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterNames<Rest>
  : Path extends `${string}/*`
    ? "*"
    : never;

type Part = { readonly kind: "literal"; readonly text: string } | { readonly kind: "parameter"; readonly name: string };

/** A path template taken apart: segments of parts. */
export interface PathTemplate {
  readonly source: string;
  readonly segments: readonly (readonly Part[])[];
  /** Whether it ends in `/*`, which stands for one or more segments behind `segments`. */
  readonly open: boolean;
}

/** The name under which what `/*` stands for is found among the parameters. */
const REST = "*";

/** What a path leads to. A parameter that cannot be decoded is the client's mistake (400), not an unknown path (404). */
export type RouteMatch<Route> =
  | { readonly kind: "found"; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: "bad-parameter"; readonly name: string };

/** What a table needs to know of a route. `label` says who registered it, for the error that names both of two. */
export interface Routable {
  readonly template: PathTemplate;
  /** By parameter: the values with slashes that it may have. */
  readonly slashes?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly label: string;
}

/**
 * Reads a template such as `/rooms/{roomId}`. Every parameter stands for at least one character of one segment; a segment may hold text
 * beside its parameters (`/v{version}`, `/{from}-{to}`), and a parameter then ends where the text after it first occurs. A trailing slash counts:
 * `/rooms` and `/rooms/` are two paths. `/*` at the end stands for one or more whole segments, none of them empty, `.` or `..`, and is found in
 * `params["*"]` with its slashes. Characters that a URL cannot hold are compared in their escaped form (`/café` is `/caf%C3%A9`).
 */
export function parseTemplate(source: string): PathTemplate {
  if (!source.startsWith("/")) {
    throw new WsgenError("WSGEN_USAGE", `The path "${source}" must begin with "/", as in "/rooms/{roomId}".`);
  }
  const names = new Set<string>();
  const open = source.endsWith("/*");
  const segments = (open ? source.slice(1, -1) : source.slice(1))
    .split("/")
    .slice(0, open ? -1 : undefined)
    .map((segment) => parseSegment(source, segment));
  for (const part of segments.flat()) {
    if (part.kind === "literal") continue;
    if (names.has(part.name)) throw new WsgenError("WSGEN_USAGE", `The path "${source}" has two parameters named "${part.name}".`);
    names.add(part.name);
  }
  return { source, segments, open };
}

function parseSegment(source: string, segment: string): readonly Part[] {
  const parts: Part[] = [];
  for (const { groups } of segment.matchAll(/\{(?<name>[^{}]*)\}|(?<text>[^{}]+)|(?<stray>[{}])/g)) {
    const { name, text } = groups ?? {};
    if (text !== undefined) {
      if (/[?#]/.test(text))
        throw new WsgenError("WSGEN_USAGE", `The path "${source}" must end before its query: routes are told apart by path.`);
      parts.push({ kind: "literal", text: escapeLiteral(text) });
      continue;
    }
    if (name === undefined || name === "") throw new WsgenError("WSGEN_USAGE", `The path "${source}" has braces that hold no name.`);
    if (parts.at(-1)?.kind === "parameter") {
      throw new WsgenError(
        "WSGEN_USAGE",
        `The path "${source}" has two parameters with nothing between them: where would "${name}" begin?`,
      );
    }
    parts.push({ kind: "parameter", name });
  }
  return parts;
}

/** The form in which a standard URL parser sends it. */
function escapeLiteral(text: string): string {
  return text.replace(/[^\x21-\x7e]|["<>`^]/gu, encodeURIComponent);
}

/** The routes of a server. Of two that match, the one with the earlier fixed text wins: `/rooms/lobby` before `/rooms/{roomId}`. */
export interface RouteTable<Route extends Routable> {
  /** Throws, naming both, when a path of the same shape is there already. */
  add(route: Route): void;
  /**
   * Finds the route of a path exactly as the client sent it, without query. The path is never normalised: `//ws`, `/%77s` and `/x/../ws` are not
   * `/ws`. Each parameter is decoded once; bad escapes, `%2F` (but in a value that the route lists), `%00`, text that is not ASCII and more than 1,024 characters are refused.
   */
  find(path: string): RouteMatch<Route> | undefined;
}

/** Creates an empty table. */
export function createRouteTable<Route extends Routable>(): RouteTable<Route> {
  const byShape = new Map<string, Route>();
  const byLength = new Map<number, Route[]>();
  const open: Route[] = [];
  const firstOf = (routes: readonly Route[], segments: readonly string[]): Found<Route> | undefined => {
    for (const route of routes) {
      const raw = matchTemplate(route.template, segments);
      if (raw !== undefined) return { route, raw };
    }
    return undefined;
  };

  return {
    add(route) {
      const { segments, source } = route.template;
      const shape = shapeOf(route.template);
      const other = byShape.get(shape);
      if (other !== undefined) {
        throw new WsgenError(
          "WSGEN_USAGE",
          `The path "${source}" (${route.label}) is taken: "${other.template.source}" (${other.label}) matches the same requests. ` +
            "Give one of them another path.",
        );
      }
      byShape.set(shape, route);
      const routes = route.template.open ? open : (byLength.get(segments.length) ?? []);
      routes.push(route);
      routes.sort((a, b) => compareTemplates(a.template, b.template));
      if (!route.template.open) byLength.set(segments.length, routes);
    },

    find(path) {
      if (!path.startsWith("/")) return undefined;
      const segments = path.slice(1).split("/");
      const closed = firstOf(byLength.get(segments.length) ?? [], segments);
      const rest = firstOf(open, segments);
      const found =
        rest === undefined || (closed !== undefined && compareTemplates(closed.route.template, rest.route.template) < 0) ? closed : rest;
      return found && decodeParameters(found.route, found.raw);
    },
  };
}

/** The template without the names of its parameters. Braces cannot occur in escaped text, so two shapes are equal only when they match alike. */
function shapeOf({ segments, open }: PathTemplate): string {
  const shapes = segments.map((parts) => parts.map((part) => (part.kind === "literal" ? part.text : "{}")).join(""));
  return [...shapes, ...(open ? ["{*}"] : [])].join("/");
}

/** Fixed text first, then text beside parameters, parameters alone, and `*`; decided by the first segment that differs. */
function compareTemplates(a: PathTemplate, b: PathTemplate): number {
  for (let index = 0; index <= Math.max(a.segments.length, b.segments.length); index++) {
    const difference = looseness(a.segments[index]) - looseness(b.segments[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Of two templates that match one path, only an open one has no segment where the other has. */
function looseness(parts: readonly Part[] | undefined): number {
  if (parts === undefined) return 2;
  if (parts.every(({ kind }) => kind === "literal")) return 0;
  // More text beside the parameters is more specific; the exact weight only orders routes that can both match.
  const text = parts.reduce((sum, part) => sum + (part.kind === "literal" ? part.text.length : 0), 0);
  return 1 / (1 + text);
}

type RawParameters = [name: string, raw: string][];

interface Found<Route> {
  readonly route: Route;
  readonly raw: RawParameters;
}

function matchTemplate({ segments, open }: PathTemplate, texts: readonly string[]): RawParameters | undefined {
  const found: RawParameters = [];
  if (open) {
    const rest = texts.slice(segments.length);
    if (rest.length === 0 || rest.includes("")) return undefined;
    found.push([REST, rest.join("/")]);
  }
  return segments.every((parts, index) => matchSegment(parts, texts[index] ?? "", found)) ? found : undefined;
}

/** Left to right without going back, so that the time is linear in what the client sent. */
function matchSegment(parts: readonly Part[], text: string, found: RawParameters): boolean {
  let at = 0;
  for (const [index, part] of parts.entries()) {
    if (part.kind === "literal") {
      if (!text.startsWith(part.text, at)) return false;
      at += part.text.length;
      continue;
    }
    const next = parts[index + 1];
    const end =
      next?.kind !== "literal"
        ? text.length
        : index + 2 === parts.length
          ? text.length - next.text.length
          : text.indexOf(next.text, at + 1);
    if (end <= at) return false;
    found.push([part.name, text.slice(at, end)]);
    at = end;
  }
  return at === text.length;
}

const none: Readonly<Record<string, string>> = Object.freeze({});

function decodeParameters<Route extends Routable>(route: Route, raw: RawParameters): RouteMatch<Route> {
  if (raw.length === 0) return { kind: "found", route, params: none };
  const entries: [string, string][] = [];
  for (const [name, text] of raw) {
    const value = name === REST ? decodeRest(text) : decodeParameter(text, slashesOf(route, name));
    if (value === undefined) return { kind: "bad-parameter", name };
    entries.push([name, value]);
  }
  return { kind: "found", route, params: Object.fromEntries(entries) };
}

function slashesOf({ slashes }: Routable, name: string): readonly string[] | undefined {
  return slashes !== undefined && Object.hasOwn(slashes, name) ? slashes[name] : undefined;
}

/** Who makes a file name of it must not be surprised by a slash that nobody listed. */
function decodeParameter(text: string, slashes: readonly string[] = []): string | undefined {
  if (text.length > MAX_PARAMETER_LENGTH || /[^\x21-\x7e]|%00/i.test(text)) return undefined;
  try {
    const value = decodeURIComponent(text);
    return /%2f/i.test(text) && !slashes.includes(value) ? undefined : value;
  } catch {
    return undefined; // A stray "%" or bytes that are not UTF-8.
  }
}

/** Who makes a file name of it must not be led out of a folder. */
function decodeRest(text: string): string | undefined {
  const segments = text.length > MAX_PARAMETER_LENGTH ? [undefined] : text.split("/").map((segment) => decodeParameter(segment));
  return segments.some((segment) => segment === undefined || segment === "." || segment === "..") ? undefined : segments.join("/");
}
