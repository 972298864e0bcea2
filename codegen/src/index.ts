// What people import from "wsgen". A hand-written list of names.
export { defineConfig } from "./config.ts";
export type { Diagnostic, Position, Severity } from "./diagnostics.ts";
export {
  type GenerateOptions,
  type GenerateResult,
  generate,
  type Step,
  type ValidateResult,
  validate,
} from "./generate.ts";
export { type InitOptions, type InitResult, init } from "./init.ts";
export type { Config, Options } from "./options.ts";
export type { DirectionSummary, EndpointSummary, Summary } from "./summary.ts";
