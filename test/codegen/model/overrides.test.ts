import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { overridesOf } from "../../../codegen/src/config.ts";
import { load } from "../../../codegen/src/document/load.ts";
import { generate } from "../../../codegen/src/generate.ts";
import { buildModel } from "../../../codegen/src/model/build.ts";
import type { Options } from "../../../codegen/src/options.ts";
import { document3, endpointOf, namesOf, tagged } from "./modelled.ts";

const root = mkdtempSync(join(tmpdir(), "wsgen-overrides-"));
afterAll(() => rmSync(root, { recursive: true }));

async function overridden(text: string, overrides: { readonly [place: string]: Options }) {
  writeFileSync(join(root, "api.json"), text);
  const document = await load(join(root, "api.json"), { root });
  return buildModel(document, overridesOf({ overrides }, join(root, "config")));
}

const text = document3({ receives: { a: tagged("a"), b: tagged("b") }, channel: { "x-wsgen": { name: "lobby" } } });

describe("an override", () => {
  it("says what x-wsgen would say there, and wins over it", async () => {
    const { model } = await overridden(text, {
      "api.json#/channels/main": { name: "hall" },
      "#/channels/main/messages/a": { name: "first" },
    });
    expect(model && endpointOf(model).name).toBe("hall");
    expect(model && namesOf(endpointOf(model).clientToServer)).toEqual(["first", "b"]);
  });

  it("reaches what a $ref leads to, and the document itself", async () => {
    const referring = text
      .replace('"payload": {', '"$ref": "#/components/messages/real", "payload": {')
      .replace('"operations"', `"components": { "messages": { "real": { "payload": ${JSON.stringify(tagged("a"))} } } }, "operations"`);
    const { model } = await overridden(referring, { "#/channels/main/messages/a": { name: "first" }, "#": { name: "Api" } });
    expect(model && namesOf(endpointOf(model).clientToServer)).toEqual(["first", "b"]);
    expect(model?.name).toBe("Api");
  });

  it.each([
    ["#/channels/mian", "Did you mean `#/channels/main`?"],
    ["api.json#/channels/main/messages/other", "`#/channels/main/messages` has `a`, `b`."],
    [
      "other.json#/channels/main",
      `The document reads no file \`${join(root, "other.json")}\`. For the document itself write \`#/channels/main\`.`,
    ],
    ["channels/main", "Write it as `file#/pointer`, such as `api.yaml#/channels/chat`, or `#/channels/chat`."],
    ["#/info/title", "Name an object: the document, a channel or a message."],
  ])("that matches nothing (%s) is an error that says what there is", async (place, fix) => {
    const { model, diagnostics } = await overridden(text, { [place]: { name: "x" } });
    expect(model).toBeUndefined();
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ severity: "error", code: "override", message: `The override \`${place}\` matches nothing.`, fix }),
    );
  });

  it("of a message that nothing uses is an error", async () => {
    const unused = text.replace('"operations"', '"components": { "messages": { "spare": { "payload": {} } } }, "operations"');
    const { diagnostics } = await overridden(unused, { "#/components/messages/spare": { name: "x" } });
    expect(diagnostics).toMatchObject([{ code: "override", fix: expect.stringContaining("no channel or message") }]);
  });

  it("that means nothing where it points is an error where it is written", async () => {
    writeFileSync(join(root, "api.json"), text);
    const config = { document: "api.json", overrides: { "#/info": { name: "x" }, "#/channels/main": { error: {}, onAmbiguous: "frist" } } };
    writeFileSync(join(root, "wsgen.config.json"), JSON.stringify(config, null, 1));
    const { ok, diagnostics } = await generate({ cwd: root, check: true });
    // The configuration alone knows that `frist` is no word.
    expect(ok).toBe(false);
    expect(diagnostics).toMatchObject([
      { message: expect.stringContaining('"frist"'), position: { file: join(root, "wsgen.config.json"), line: 9 } },
    ]);
    writeFileSync(join(root, "wsgen.config.json"), JSON.stringify(config, null, 1).replace("frist", "first"));
    const errors = (await generate({ cwd: root, check: true })).diagnostics.filter(({ severity }) => severity === "error");
    expect(errors.map(({ message, position }) => [message, position?.file, position?.line])).toEqual([
      ["`x-wsgen` has no meaning in `/info`.", join(root, "wsgen.config.json"), 4],
      ["`error` is no option of `x-wsgen` on a channel.", join(root, "wsgen.config.json"), 8],
    ]);
    rmSync(join(root, "wsgen.config.json"));
  });
});
