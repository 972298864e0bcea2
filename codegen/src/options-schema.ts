// The published JSON Schemas: of `x-wsgen` on each kind of object, and of `wsgen.config.json`. tools/regenerate.mjs writes them to codegen/schema/.
import { propertiesOf } from "./grammar.ts";
import { configKeys, OPTIONS_KEY, type Owner, optionsOn } from "./options.ts";

const draft = "http://json-schema.org/draft-07/schema#";
const owners: readonly Owner[] = ["document", "channel", "message", "security scheme"];

const definitionOf = (owner: Owner): string => owner.replace(" s", "S");

/** By file name. */
export const publishedSchemas: { readonly [file: string]: object } = {
  "x-wsgen.json": {
    $schema: draft,
    title: OPTIONS_KEY,
    description: "What an AsyncAPI document says to wsgen. Each definition is `x-wsgen` on one kind of object.",
    anyOf: owners.map((owner) => ({ $ref: `#/definitions/${definitionOf(owner)}` })),
    definitions: Object.fromEntries(
      owners.map((owner) => [
        definitionOf(owner),
        {
          description: `\`x-wsgen\` ${owner === "document" ? "at the root of a document" : `on a ${owner}`}.`,
          type: "object",
          properties: propertiesOf(optionsOn(owner)),
          additionalProperties: false,
        },
      ]),
    ),
  },
  "config.json": {
    $schema: draft,
    title: "wsgen.config.json",
    description: "The configuration of wsgen. Paths in it are relative to the file itself.",
    type: "object",
    properties: { $schema: { description: "For editors.", type: "string" }, ...propertiesOf(configKeys) },
    additionalProperties: false,
  },
};
