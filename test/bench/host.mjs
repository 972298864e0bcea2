// The process of one server: starts a subject and tells what it has cost.
import { pathToFileURL } from "node:url";

const { file, options } = JSON.parse(process.argv[2]);

const commands = {
  usage: () => process.cpuUsage(),
  async memory() {
    // Sockets, closures and what hangs on them are gone after the second collection, not the first.
    for (let times = 0; times < 3; times++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return process.memoryUsage();
  },
  stop: () => setImmediate(() => process.exit(0)),
};

process.on("message", async ({ command }) => process.send({ result: await commands[command]() }));
process.on("disconnect", () => process.exit(0));

try {
  const { start } = await import(pathToFileURL(file).href);
  const { port } = await start(options);
  process.send({ result: { port } });
} catch (error) {
  process.send({ error: error.code === "ERR_MODULE_NOT_FOUND" ? "not installed" : String(error.stack ?? error) });
}
