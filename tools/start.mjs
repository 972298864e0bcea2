// `npm start`: generates specs/chat.yaml, compiles the chat (handlers, server, page) and runs it.
import { spawn, spawnSync } from "node:child_process";

step("codegen/bin/wsgen.js", "generate", "specs/chat.yaml", "--out", "generated/chat", "--handlers", "specs/chat/handlers");
step("node_modules/typescript/bin/tsc", "-p", "specs");

const server = spawn(process.execPath, ["dist/specs/chat/server.js"], { stdio: "inherit" });
// The terminal sends Ctrl-C to the server too, which drains; this process only waits for it.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.kill("SIGTERM"));
server.on("exit", (code) => process.exit(code ?? 0));

function step(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
