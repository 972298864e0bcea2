// Addresses that nobody can connect to, or not as their author means it.
import type { Socket } from "./endpoints.ts";
import type { Findings } from "./findings.ts";

/** Reports what is wrong with the address of a socket. */
export function reportAddress({ address, channels }: Socket, findings: Findings): void {
  const [channel] = channels;
  const at = { pointer: channel?.pointer ?? "/channels", at: "key" } as const;
  const names = [...address.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name ?? "");
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    findings.error({
      code: "address",
      message: `The address \`${address}\` has the parameter \`${twice}\` twice.`,
      fix: "Give one of them another name.",
      ...at,
    });
  }
  const adjacent = /\{[^{}]*\}\{[^{}]*\}/.exec(address)?.[0];
  if (adjacent !== undefined) {
    findings.error({
      code: "address",
      message: `Nothing stands between the parameters \`${adjacent}\` of the address \`${address}\`, so that nobody can tell where one ends.`,
      fix: "Put a character between them, or make them one parameter.",
      ...at,
    });
  }
  if (/[{}]/.test(address.replaceAll(/\{[^{}]+\}/g, ""))) {
    findings.error({
      code: "address",
      message: `The address \`${address}\` has braces that hold no name.`,
      fix: "Write parameters as `{name}`, and braces that are meant as `%7B` and `%7D`.",
      ...at,
    });
  }
  const segments = address.slice(1).split("/");
  if (address.includes("\\")) {
    findings.warning({
      code: "address",
      message: `The address \`${address}\` has a backslash, which clients turn into a slash, and servers do not.`,
      fix: "Write `/`, or `%5C` for a backslash that is meant.",
      ...at,
    });
  }
  if (segments.some((segment) => /^(\.|%2e){1,2}$/i.test(segment))) {
    findings.warning({
      code: "address",
      message: `The address \`${address}\` has \`.\` or \`..\` in its path, which clients resolve before they connect, and servers do not.`,
      fix: "Write the path that is meant.",
      ...at,
    });
  }
  if (segments.at(-1) === "*") {
    findings.warning({
      code: "address",
      message: `AsyncAPI has no wildcards: a generated server takes every path below \`${address}\`, a generated client connects to that very address.`,
      fix: "Write a parameter for what varies, such as `{path}`.",
      ...at,
    });
  }
}
