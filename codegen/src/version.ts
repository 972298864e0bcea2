// The version of this package, as its package.json says: printed in headers and contracts.
import { readFileSync } from "node:fs";

export const version: string = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
