// Loaded before everything else, in workers too: whatever a document must not bring about is written down as a line in $WSGEN_CANARY.

import { appendFileSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { Socket } from "node:net";
import { threadId } from "node:worker_threads";

const require = createRequire(import.meta.url);
const file = process.env.WSGEN_CANARY;
const sing = (what) => appendFileSync(file, `${what}\n`);

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (...args) {
  sing(`a socket was opened to ${JSON.stringify(args[0])}`);
  return connect.apply(this, args);
};
const dns = require("node:dns");
const lookup = dns.lookup;
dns.lookup = (name, ...rest) => {
  sing(`the name ${name} was looked up`);
  return lookup(name, ...rest);
};
const fetched = globalThis.fetch;
globalThis.fetch = (what, ...rest) => {
  sing(`${what} was fetched`);
  return fetched(what, ...rest);
};
for (const name of ["readFile", "readFileSync", "open", "openSync", "createReadStream"]) watch(require("node:fs"), name);
for (const name of ["readFile", "open"]) watch(require("node:fs/promises"), name);
syncBuiltinESMExports();

function watch(module, name) {
  const original = module[name];
  module[name] = (path, ...rest) => {
    if (
      /^(?:file:\/\/)?\/(?:etc|dev|proc)\//.test(String(path)) &&
      !/^\/(?:etc\/(?:ssl|os-release|ld)|proc\/(?:self|version|cpuinfo|meminfo|stat))/.test(String(path))
    )
      sing(`${path} was read`);
    return original(path, ...rest);
  };
}

const exit = process.exit;
if (threadId === 0)
  process.exit = (code) => {
    if (code === 7) sing("process.exit(7) was called");
    return exit(code);
  };
