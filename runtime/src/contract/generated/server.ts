// Everything a generated server may import. Hand-written and versioned: names are added, never changed.
export type {
  Coercion, Constant, Contract, DispatchTree, Format, Guard, Path,
} from "../contract.ts";
