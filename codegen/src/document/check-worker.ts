// What runs in the worker: the bundled official parser, one document at a time.
import { parentPort, workerData } from "node:worker_threads";
import type { Parser } from "@asyncapi/parser";
import type { CheckReport, CheckRequest, WorkerData } from "./official.ts";

// Bundled packages use what Node deprecates; that is nothing a user could act on.
process.noDeprecation = true;

const { parser: url, strict: expected } = workerData as WorkerData;
const bundle = (await import(url)) as { readonly Parser: typeof Parser };
// Made before anything is asked: that takes a tenth of a second.
const parsers = new Map([[expected, createParser(expected)]]);

parentPort?.on("message", async ({ text, source, strict }: CheckRequest) => {
  const parser = parsers.get(strict) ?? createParser(strict);
  parsers.set(strict, parser);
  const diagnostics = await parser.validate(text, { source });
  // Its own mistakes come as findings, stacks and all.
  const thrown = diagnostics.find(({ code }) => code === "uncaught-error");
  if (thrown !== undefined)
    return parentPort?.postMessage(`it failed: ${/message: (.*?)(?:, stack:|$)/.exec(thrown.message)?.[1] ?? "without a reason"}`);
  const report: CheckReport = diagnostics.map(({ code, message, path, severity }) => ({
    code: String(code),
    message,
    path: path.map(String),
    isError: severity === 0,
  }));
  return parentPort?.postMessage(report);
});

function createParser(strict: boolean): Parser {
  return new bundle.Parser({
    // Style advice is never shown. The rule about refs in odd places compiles the whole specification a second time (a third of all the time) to
    // say what is no obstacle to us, so it is asked only for its verdict.
    ruleset: { recommended: false, ...(strict ? {} : { rules: { "asyncapi-document-unresolved": "off" } }) },
    // There is nothing to fetch in what it is given; should it try all the same, it gets an empty object.
    __unstable: {
      resolver: { cache: false, resolvers: ["file", "http", "https"].map((schema) => ({ schema, order: 0, read: () => "{}" })) },
    },
  });
}
