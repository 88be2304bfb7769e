// Each folder of samples/invalid holds a workflow and the exact report on it. UPDATE_SAMPLES=1 rewrites the
// reports: read each one as somebody who is woken at two in the morning.
import assert from "node:assert/strict";
import { formatDiagnostic } from "../engine/core/diagnostic.ts";
import { loadWorkflow } from "../engine/spec/load.ts";

const SAMPLES = new URL("./samples/invalid/", import.meta.url);
const folders = [...Deno.readDirSync(SAMPLES)].map((entry) => entry.name).sort();

for (const folder of folders) {
  Deno.test(`samples/invalid/${folder} is refused with the expected report`, () => {
    const file = new URL(`${folder}/workflow.yaml`, SAMPLES);
    const { workflow, diagnostics } = loadWorkflow({
      bytes: Deno.readFileSync(file),
      file: file.pathname,
      display: "workflow.yaml",
    });
    const report = diagnostics.map(formatDiagnostic).join("\n\n") + "\n";
    const expected = new URL(`${folder}/expected.txt`, SAMPLES);
    if (Deno.env.get("UPDATE_SAMPLES") === "1") Deno.writeTextFileSync(expected, report);
    assert.equal(workflow, undefined);
    assert.equal(report, Deno.readTextFileSync(expected));
  });
}

Deno.test("samples/invalid holds at least forty cases", () => assert.ok(folders.length >= 40));
