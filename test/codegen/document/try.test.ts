import { readFileSync } from "node:fs";
import { it } from "vitest";
import { load } from "../../../codegen/src/document/load.ts";
it("x", async () => {
  const idx = JSON.parse(readFileSync("/work/shared/corpus/INDEX.json", "utf8"));
  let worst = ["", 0, 0];
  const counts: Record<string, string[]> = {};
  for (const d of idx) {
    const t = performance.now();
    const doc = await load(`/work/shared/corpus/${d.slug}/${d.main}`, { root: `/work/shared/corpus/${d.slug}` });
    const ms = performance.now() - t;
    if (ms > (worst[1] as number)) worst = [d.slug, ms, d.bytes];
    for (const x of doc.diagnostics) (counts[`${x.severity} ${x.code}`] ??= []).push(`${d.slug}${d.ws ? "*" : ""}:${x.position?.file.split("/").pop()}:${x.position?.line}:${x.position?.column} ${x.message} | ${x.fix}`);
    if (Object.keys(doc.value).length === 0) console.log("EMPTY", d.slug, doc.diagnostics);
    JSON.stringify(doc.value);
  }
  console.log(worst);
  for (const [k, v] of Object.entries(counts)) { console.log(v.length, k); for (const l of v.slice(0, 12)) console.log("    ", l); }
}, 60000);
