// What `npm start` and `npm test` do first, so that both work on a fresh clone: install when the lock is newer than what is installed, then build.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`wsgen needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const installed = "node_modules/.package-lock.json";
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync("package-lock.json").mtimeMs) {
  console.log("Installing packages (once) …");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
}
run(process.execPath, ["tools/build.mjs"]);

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" && command === "npm" });
  if (status !== 0) process.exit(status ?? 1);
}
