// What a generated server and client import, and what they export: its names for the whole API, and what those of its endpoints end in.
import type { Model } from "../model/model.ts";

/** The modules that generated code imports: one for each side. */
export const joins = { server: "@wsgen/runtime/generated/server", client: "@wsgen/runtime/generated/client" } as const;

/** Names of what a generated server and client export for the whole API. */
export interface ApiNames {
  readonly handlers: string;
  readonly api: string;
  readonly register: string;
  readonly client: string;
  readonly createClient: string;
  readonly classify: string;
  readonly toError: string;
  readonly authenticate: string;
  readonly credentials: string;
  readonly codecs: string;
}

/** Endpoint and API may have the same name (`echo` with a channel `echo`): then the API's interfaces say that they are the API's. */
export function apiNames({ name, endpoints }: Model): ApiNames {
  const typeNames = endpoints.flatMap(({ typeName, topics }) => [typeName, ...topics.map((topic) => topic.typeName)]);
  const ofEndpoints = new Set(typeNames.flatMap((typeName) => endpointSuffixes.map((suffix) => typeName + suffix)));
  const free = (suffix: string): string => (ofEndpoints.has(name + suffix) ? `${name}Api${suffix}` : name + suffix);
  return {
    handlers: free("Handlers"),
    api: free(""),
    register: `register${name}`,
    client: free("Client"),
    createClient: `create${name}Client`,
    classify: free("Classify"),
    toError: free("ToError"),
    authenticate: free("Authenticate"),
    credentials: free("Credentials"),
    codecs: free("Codecs"),
  };
}

/** What the names of an endpoint's interfaces end in, and those of a topic's. */
export const serverSuffixes = {
  endpoint: ["Send", "Request", "Connection", "Messages", "Handler", "Received", "Sent", "Reader"],
  topic: ["Send", "Request", "Messages"],
};
export const clientSuffixes = ["Send", "Request", "Answer", "On", "Event", "Options", "Client"];

const endpointSuffixes = [...clientSuffixes, ...serverSuffixes.endpoint];
