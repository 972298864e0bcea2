// Subjects run in processes of their own, so that memory, exit codes and signals are theirs alone.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Starts the subject `name` of a fault's file (its `import.meta.url`): `subjects[name](options)` there gives `{ port, answers }`. Settles with
 * `ask(question, argument)`, which puts a question to it, `exited`, and `stop()`, which kills it.
 */
export async function startSubject(file, name, options = {}, { nodeArguments = [] } = {}) {
  const child = fork(new URL("subject.mjs", import.meta.url), [file, name, JSON.stringify(options)], {
    execArgv: ["--expose-gc", ...nodeArguments],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors = (errors + chunk).slice(-4000);
  });
  const waiting = new Map();
  const exited = new Promise((resolve) => {
    child.on("exit", (code, signal) => {
      for (const { reject } of waiting.values()) reject(new Error(`${fileURLToPath(file)} ${name} ended (${code ?? signal})\n${errors}`));
      waiting.clear();
      resolve({ code, signal, errors, at: performance.now() });
    });
  });
  child.on("message", ({ id, answer }) => {
    waiting.get(id)?.resolve(answer);
    waiting.delete(id);
  });
  let last = 0;
  const expect = (id) => new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  const port = await expect(0);
  return {
    port,
    pid: child.pid,
    exited,
    ask(question, argument) {
      if (child.exitCode !== null || child.signalCode !== null) return Promise.reject(new Error(`${name} has ended`));
      const answer = expect(++last);
      child.send({ id: last, question, argument }, () => {}); // A process that is gone rejects by its "exit".
      return answer;
    },
    signal: (signal) => child.kill(signal),
    async stop() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
