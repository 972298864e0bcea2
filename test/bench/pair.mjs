// One server and its load, each in a process of its own.
import { fork } from "node:child_process";

const here = (file) => new URL(file, import.meta.url).pathname;

/** A process that answers one question at a time. */
class Partner {
  #child;
  #waiting;
  #ended;

  constructor(script, args, execArgv) {
    // Buffers cross as they are.
    this.#child = fork(here(script), args, { execArgv, serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (answer) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if ("error" in answer) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.result);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        this.#waiting?.reject(new Error(`${script} ended with ${signal ?? code}`));
        resolve();
      });
    });
  }

  answer() {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  ask(command, options = {}) {
    const answer = this.answer();
    this.#child.send({ command, ...options });
    return answer;
  }

  async end() {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await this.#ended;
    clearTimeout(timer);
  }
}

/** Starts a subject's server and a load for it. Rejects with the reason when the subject cannot run here. */
export async function startPair(subject, options, { profile } = {}) {
  const job = JSON.stringify({ file: here(`subjects/${subject.file}`), options: { ...options, ...subject.options } });
  const execArgv = ["--expose-gc", ...(profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile])];
  const server = new Partner("host.mjs", [job], execArgv);
  try {
    const { port } = await server.answer();
    const load = new Partner("load.mjs", [], []);
    const { path, headers, hello, replies } = subject.speak;
    const address = { port, path, headers: { ...headers }, hello, replies };
    if (options.deflate)
      address.headers["sec-websocket-extensions"] = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
    return {
      usage: () => server.ask("usage"),
      memory: () => server.ask("memory"),
      port,
      open: (connections, given = {}) => load.ask("open", { ...address, ...given, connections }),
      load: (command, given = {}) => load.ask(command, { ...address, ...given }),
      async end() {
        await load.end();
        await server.end();
      },
    };
  } catch (error) {
    await server.end();
    throw error;
  }
}
