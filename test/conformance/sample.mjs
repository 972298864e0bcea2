// Draws values of schemas, and small changes to them, for the self-test.

/** Draws values of a schema: `full` has every property, `minimal` only what is required. What it draws is a proposal; AJV is the judge. */
export function sample(schema, definitions, size, seed = 0, depth = 0) {
  if (typeof schema === "boolean" || Object.keys(schema).length === 0) return ANYTHING;
  if (depth > 12) return null;
  const draw = (inner) => sample(inner ?? true, definitions, size, seed, depth + 1);

  const ref = schema.$ref;
  if (typeof ref === "string") return draw(definitions[ref.replace("#/definitions/", "")]);
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[seed % schema.enum.length];
  for (const keyword of ["oneOf", "anyOf"]) {
    const branches = schema[keyword];
    // A branch usually repeats or refines what stands beside it.
    if (Array.isArray(branches) && branches.length > 0) return merge(base(schema), draw(branches[seed % branches.length]));
  }
  if (Array.isArray(schema.allOf)) return schema.allOf.reduce((value, part) => merge(value, draw(part)), base(schema));
  return base(schema);

  function base(from) {
    const types = from.type ?? (from.properties === undefined ? (from.items === undefined ? undefined : "array") : "object");
    const type = Array.isArray(types) ? types[size === "full" ? 0 : seed % types.length] : types;
    if (type === "object") return object(from);
    if (type === "array") return array(from);
    if (type === "string") return string(from, seed);
    if (type === "integer" || type === "number") return number(from, type === "integer", seed);
    if (type === "boolean") return seed % 2 === 0;
    if (type === "null") return null;
    return from.properties !== undefined || from.allOf !== undefined || from.oneOf !== undefined || from.anyOf !== undefined
      ? object(from)
      : `any ${seed}`;
  }

  function object(from) {
    const properties = from.properties ?? {};
    const required = new Set(from.required ?? []);
    const value = {};
    for (const name of new Set([...Object.keys(properties), ...required])) {
      if (properties[name] === false) continue;
      if (required.has(name) || (size === "full" && depth < 6)) own(value, name, draw(properties[name]));
    }
    const additional = from.additionalProperties;
    if (typeof additional === "object" && additional !== null && size === "full" && depth < 6) value.extra = draw(additional);
    return value;
  }

  function array(from) {
    const items = from.items;
    if (Array.isArray(items)) return items.map(draw);
    const least = typeof from.minItems === "number" ? from.minItems : 0;
    const length = Math.max(least, size === "full" && depth < 6 ? 1 : 0);
    return Array.from({ length }, (_, index) => sample(items ?? true, definitions, size, seed + index, depth + 1));
  }
}

/** Sets an own property, also one called `__proto__`. */
const own = (object, name, value) => Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });

function string(schema, seed) {
  const byFormat = {
    "date-time": "2026-11-20T12:00:00Z",
    date: "2026-11-20",
    time: "12:00:00Z",
    email: "ada@example.com",
    uuid: "6fa459ea-ee8a-4ca4-894e-db77e160355e",
    uri: "https://example.com/a",
    url: "https://example.com/a",
    "uri-reference": "/a",
    ipv4: "192.0.2.1",
    ipv6: "2001:db8::1",
    hostname: "example.com",
  };
  const proposals = [
    byFormat[schema.format] ?? `text ${seed}`,
    "a",
    "0",
    "abc123",
    "ABC",
    "0x00",
    "2026-11-20",
    "a".repeat(64),
    "BTCUSD",
    "XBT/USD",
    "v1.0.0",
    "en",
    "1.0",
    // What a pattern begins with, if that is plain text.
    ...(/^\^([\w:/ -]+)/.exec(schema.pattern)?.slice(1) ?? []),
  ];
  const pattern = typeof schema.pattern === "string" ? new RegExp(schema.pattern) : undefined;
  const least = typeof schema.minLength === "number" ? schema.minLength : 0;
  const most = typeof schema.maxLength === "number" ? schema.maxLength : Number.POSITIVE_INFINITY;
  return proposals.map((text) => text.padEnd(least, "x").slice(0, most)).find((text) => pattern?.test(text) ?? true) ?? proposals[0] ?? "";
}

function number(schema, integer, seed) {
  const bound = (name) => (typeof schema[name] === "number" ? schema[name] : undefined);
  const step = integer ? 1 : 0.5;
  const low = bound("minimum") ?? (bound("exclusiveMinimum") === undefined ? undefined : bound("exclusiveMinimum") + step);
  const high = bound("maximum") ?? (bound("exclusiveMaximum") === undefined ? undefined : bound("exclusiveMaximum") - step);
  const multiple = bound("multipleOf") ?? 1;
  const value = low ?? Math.min(seed + 1, high ?? seed + 1);
  return Math.ceil(value / multiple) * multiple;
}

/** The sample of a schema that allows everything: in a merge, whatever says more wins. */
const ANYTHING = Object.freeze({});

function merge(left, right) {
  if (right === ANYTHING) return left;
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  if (Array.isArray(left) && Array.isArray(right))
    return Array.from({ length: Math.max(left.length, right.length) }, (_, index) =>
      index >= left.length ? right[index] : index >= right.length ? left[index] : merge(left[index], right[index]),
    );
  if (!isObject(left) || !isObject(right)) return right;
  return {
    ...left,
    ...Object.fromEntries(Object.entries(right).map(([name, value]) => [name, name in left ? merge(left[name] ?? null, value) : value])),
  };
}

/** Small changes to a value: each property dropped, each leaf replaced by one of another kind, and the wrong kinds of the whole. */
export function mutants(value) {
  const wrong = (leaf) =>
    typeof leaf === "string" ? 12345 : typeof leaf === "number" ? "twelve" : typeof leaf === "boolean" ? "maybe" : { wrong: [1] };
  if (Array.isArray(value)) {
    return [...value.flatMap((item, index) => mutants(item).map((mutant) => value.with(index, mutant))), { 0: "no array" }];
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return [
      ...entries.map(([name]) => Object.fromEntries(entries.filter(([other]) => other !== name))),
      ...entries.flatMap(([name, inner]) => mutants(inner).map((mutant) => ({ ...value, [name]: mutant }))),
      [value],
    ];
  }
  return [wrong(value)];
}
