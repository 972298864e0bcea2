// The suite as a program, for Node, Bun and Deno: prints its outcomes as the last line.
import { run } from "./suite.ts";

const [url = "", showsStatus, stranger] = process.argv.slice(2);
const outcomes = await run({ url, showsStatus: showsStatus === "true" }, stranger === "true");
console.log(JSON.stringify(outcomes));
process.exit(0);
