// Which fields each object of AsyncAPI has, for messages that name the field that was meant. The official parser is the authority on validity;
// this table only says it better, and is what is left to say when the parser takes too long.

/**
 * An object of the specification: field → what its value is. "" is anything, `name` an object of that kind, `{name}` a map of them, `[name]` a
 * list of them. A field that ends in `!` is required.
 */
export interface Kind {
  /** As in "a channel has no field …". */
  readonly title: string;
  readonly fields: { readonly [field: string]: string };
}

export interface Vocabulary {
  readonly [kind: string]: Kind;
}

const documented = { tags: "[tag]", externalDocs: "externalDocs" };
const described = { title: "", summary: "", description: "" };
const bindingMaps = { serverBindings: "", channelBindings: "", operationBindings: "", messageBindings: "" };

const common = {
  contact: { title: "the contact", fields: { name: "", url: "", email: "" } },
  license: { title: "the licence", fields: { "name!": "", url: "" } },
  tag: { title: "a tag", fields: { "name!": "", description: "", externalDocs: "externalDocs" } },
  externalDocs: { title: "externalDocs", fields: { "url!": "", description: "" } },
  variable: { title: "a server variable", fields: { enum: "", default: "", description: "", examples: "" } },
  correlationId: { title: "a correlationId", fields: { "location!": "", description: "" } },
  channelBindings: { title: "", fields: { ws: "wsBinding" } },
  wsBinding: { title: "the ws binding", fields: { method: "", query: "schema", headers: "schema", bindingVersion: "" } },
} satisfies Vocabulary;

const version3: Vocabulary = {
  ...common,
  root: {
    title: "the document",
    fields: {
      "asyncapi!": "",
      "info!": "info",
      id: "",
      servers: "{server}",
      defaultContentType: "",
      channels: "{channel}",
      operations: "{operation}",
      components: "components",
    },
  },
  info: {
    title: "info",
    fields: { "title!": "", "version!": "", description: "", termsOfService: "", contact: "contact", license: "license", ...documented },
  },
  server: {
    title: "a server",
    fields: {
      ...{ "host!": "", "protocol!": "", protocolVersion: "", pathname: "", ...described, variables: "{variable}", security: "" },
      ...{ ...documented, bindings: "" },
    },
  },
  channel: {
    title: "a channel",
    fields: {
      ...{ address: "", messages: "{message}", ...described, servers: "", parameters: "{parameter}" },
      ...{ ...documented, bindings: "channelBindings" },
    },
  },
  parameter: { title: "a parameter", fields: { enum: "", default: "", description: "", examples: "", location: "" } },
  operation: {
    title: "an operation",
    fields: {
      ...{ "action!": "", "channel!": "", ...described, security: "", ...documented, bindings: "" },
      ...{ traits: "[operationTrait]", messages: "", reply: "reply" },
    },
  },
  operationTrait: { title: "an operation trait", fields: { ...described, security: "", ...documented, bindings: "" } },
  reply: { title: "a reply", fields: { address: "replyAddress", channel: "", messages: "" } },
  replyAddress: { title: "a reply address", fields: { "location!": "", description: "" } },
  message: {
    title: "a message",
    fields: {
      ...{ headers: "schema", payload: "schema", correlationId: "correlationId", contentType: "", name: "", ...described },
      ...{ ...documented, bindings: "", examples: "", traits: "[messageTrait]" },
    },
  },
  messageTrait: {
    title: "a message trait",
    fields: {
      ...{ headers: "schema", correlationId: "correlationId", contentType: "", name: "", ...described },
      ...{ ...documented, bindings: "", examples: "" },
    },
  },
  components: {
    title: "components",
    fields: {
      ...{ schemas: "{schema}", servers: "{server}", channels: "{channel}", operations: "{operation}", messages: "{message}" },
      ...{ securitySchemes: "", serverVariables: "{variable}", parameters: "{parameter}", correlationIds: "{correlationId}" },
      ...{ replies: "{reply}", replyAddresses: "{replyAddress}", externalDocs: "{externalDocs}", tags: "{tag}" },
      ...{ operationTraits: "{operationTrait}", messageTraits: "{messageTrait}", ...bindingMaps },
    },
  },
};

const version2: Vocabulary = {
  ...common,
  root: {
    title: "the document",
    fields: {
      ...{ "asyncapi!": "", "info!": "info", "channels!": "{channel}", id: "", servers: "{server}", defaultContentType: "" },
      ...{ components: "components", ...documented },
    },
  },
  info: {
    title: "info",
    fields: { "title!": "", "version!": "", description: "", termsOfService: "", contact: "contact", license: "license" },
  },
  server: {
    title: "a server",
    fields: {
      ...{ "url!": "", "protocol!": "", protocolVersion: "", description: "", variables: "{variable}", security: "" },
      ...{ tags: "[tag]", bindings: "" },
    },
  },
  channel: {
    title: "a channel",
    fields: {
      ...{ description: "", servers: "", subscribe: "operation", publish: "operation", parameters: "{parameter}" },
      bindings: "channelBindings",
    },
  },
  parameter: { title: "a parameter", fields: { description: "", schema: "schema", location: "" } },
  operation: {
    title: "an operation",
    fields: {
      ...{ operationId: "", summary: "", description: "", security: "", ...documented, bindings: "" },
      ...{ traits: "[operationTrait]", message: "message" },
    },
  },
  operationTrait: {
    title: "an operation trait",
    fields: { operationId: "", summary: "", description: "", security: "", ...documented, bindings: "" },
  },
  message: {
    title: "a message",
    fields: {
      ...{ messageId: "", headers: "schema", payload: "schema", correlationId: "correlationId", schemaFormat: "", contentType: "" },
      ...{ name: "", ...described, ...documented, bindings: "", examples: "", traits: "[messageTrait]", oneOf: "[message]" },
    },
  },
  messageTrait: {
    title: "a message trait",
    fields: {
      ...{ messageId: "", headers: "schema", correlationId: "correlationId", schemaFormat: "", contentType: "" },
      ...{ name: "", ...described, ...documented, bindings: "", examples: "" },
    },
  },
  components: {
    title: "components",
    fields: {
      ...{ schemas: "{schema}", servers: "{server}", serverVariables: "{variable}", channels: "{channel}", messages: "{message}" },
      ...{ securitySchemes: "", parameters: "{parameter}", correlationIds: "{correlationId}" },
      ...{ operationTraits: "{operationTrait}", messageTraits: "{messageTrait}", ...bindingMaps },
    },
  },
};

/** @param version value of `asyncapi` */
export function vocabularyOf(version: string): Vocabulary {
  return version.startsWith("2.") ? version2 : version3;
}

/** What a kind says about a field; `undefined` when it has no such field. */
export function fieldOf(kind: Kind, field: string): string | undefined {
  if (Object.hasOwn(kind.fields, field)) return kind.fields[field];
  return Object.hasOwn(kind.fields, `${field}!`) ? kind.fields[`${field}!`] : undefined;
}

/** The kind of the object at a path that refs go through: the document, its components, a channel. */
export function kindOfPlace(version: string, path: readonly string[]): Kind | undefined {
  const vocabulary = vocabularyOf(version);
  if (path.length === 0) return vocabulary["root"];
  if (path.length === 1 && path[0] === "components") return vocabulary["components"];
  return path.length === 2 && path[0] === "channels" ? vocabulary["channel"] : undefined;
}

/** What is said of a field that a kind does not have; `meant` is the one that was probably meant. */
export function unknownField(
  { title }: Pick<Kind, "title">,
  field: string,
  meant: string | undefined,
): { readonly message: string; readonly fix: string } {
  return {
    message: `${title.charAt(0).toUpperCase()}${title.slice(1)} has no field "${field}".`,
    fix: meant === undefined ? `Remove it, or call it "x-${field}" if it is an extension.` : `Did you mean "${meant}"?`,
  };
}

/** Keywords of JSON Schema (all drafts), AsyncAPI and OpenAPI, and what each holds. Other words are allowed in a schema: annotations. */
export const schemaKeywords: { readonly [keyword: string]: string } = {
  ...holding("{schema}", "properties patternProperties definitions $defs dependentSchemas dependencies"),
  ...holding("schema", "items additionalItems additionalProperties contains propertyNames not if then else schema contentSchema"),
  ...holding("schema", "unevaluatedItems unevaluatedProperties"),
  ...holding("[schema]", "allOf anyOf oneOf prefixItems"),
  ...holding("", "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern"),
  ...holding("", "maxItems minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired"),
  ...holding("", "format contentEncoding contentMediaType title description default deprecated readOnly writeOnly examples"),
  ...holding("", "$schema $id id $ref $anchor $comment $dynamicRef $dynamicAnchor $vocabulary $recursiveRef $recursiveAnchor"),
  ...holding("", "example nullable discriminator externalDocs xml schemaFormat summary name tags extends options"),
};

function holding(shape: string, keywords: string): { readonly [keyword: string]: string } {
  return Object.fromEntries(keywords.split(" ").map((keyword) => [keyword, shape]));
}

/** Whether payloads of a `schemaFormat` are JSON Schema in one of the dialects that are read: AsyncAPI's own, JSON Schema's, OpenAPI's. */
export function speaksJsonSchema(format: string): boolean {
  return /^application\/(vnd\.aai\.asyncapi|schema|vnd\.oai\.openapi)(\+(json|yaml))?\s*(;|$)/i.test(format.trim());
}
