// Runs the official parser away from the main thread, so that it can be abandoned, and so that its start-up costs nothing but a core.
import { parentPort, workerData } from "node:worker_threads";
import type { Parser } from "@asyncapi/parser";
import type { CheckReport, CheckRequest } from "./check.ts";

// Bundled packages use what Node deprecates; that is nothing a user could act on.
process.noDeprecation = true;

const { parser, text, source, strict } = workerData as CheckRequest;
const bundle = (await import(parser)) as { readonly Parser: typeof Parser };

const official = new bundle.Parser({
  // Style advice is never shown. The rule about refs in odd places compiles the whole specification a second time (a third of the time) to say
  // what is no obstacle to us, so it is asked only for its verdict.
  ruleset: { recommended: false, ...(strict ? {} : { rules: { "asyncapi-document-unresolved": "off" } }) },
  // There is nothing to fetch in what it is given; should it try all the same, it gets an empty object.
  __unstable: { resolver: { resolvers: ["file", "http", "https"].map((schema) => ({ schema, order: 0, read: () => "{}" })) } },
});
const diagnostics = await official.validate(text, { source });
const report: CheckReport = diagnostics.map(({ code, message, path, severity }) => ({
  code: String(code),
  message,
  path: path.map(String),
  isError: severity === 0,
}));
parentPort?.postMessage(report);
