// The process under test: starts one subject of a fault's file and answers what the measuring process asks. See `startSubject` in process.mjs.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";

const [file, name, options] = process.argv.slice(2);
const { subjects } = await import(file);
const { port, answers = {}, endsByItself = false } = await subjects[name](JSON.parse(options));

let delays;
const questions = {
  /** Bytes, after the garbage is gone. */
  async memory() {
    for (let i = 0; i < 4; i++) {
      globalThis.gc();
      await pause(100); // What finalisers and the allocator give back comes a little later.
    }
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heap: heapUsed };
  },
  /** Bytes, the most there were since the process began. */
  peak: () => process.resourceUsage().maxRSS * 1024,
  /** What keeps the process alive, by kind. */
  resources() {
    const counts = {};
    for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  },
  watchLoop() {
    delays?.disable();
    delays = monitorEventLoopDelay({ resolution: 1 });
    delays.enable();
  },
  /** How late the event loop was since `watchLoop`, in ms. */
  loop: () => ({ p99: delays.percentile(99) / 1e6, max: delays.max / 1e6 }),
  /** Processor time used so far, in ms. */
  cpu() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  ...answers,
};

process.on("message", async ({ id, question, argument }) => {
  process.send({ id, answer: await questions[question](argument) });
});
process.on("disconnect", () => process.exit());
if (endsByItself) process.channel.unref(); // A server that has drained is to end, although it is being watched.
process.send({ id: 0, answer: port });
