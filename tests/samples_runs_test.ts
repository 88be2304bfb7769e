// Each folder of samples/runs holds a workflow, what it needs, and the report of its run without times and
// ids. UPDATE_SAMPLES=1 rewrites the reports: hold each one against the sentence in its description.
//
// case.json may give values (`given`), the environment (`env`) and texts that must come out nowhere
// (`planted`): neither in events nor in a byte of the store.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createEngine, type GivenValues } from "../engine/engine.ts";
import { InvalidError } from "../engine/core/errors.ts";
import { isObject } from "../engine/core/json.ts";
import type { RunEvent, RunReport } from "../engine/core/report.ts";
import { startFlakyServer } from "./samples/flaky_server.ts";

const SAMPLES = new URL("./samples/runs/", import.meta.url);
const folders = [...Deno.readDirSync(SAMPLES)].map((entry) => entry.name).sort();

interface Case {
  readonly given?: GivenValues;
  readonly env?: Readonly<Record<string, string>>;
  readonly planted?: readonly string[];
}

for (const folder of folders) {
  const text = Deno.readTextFileSync(new URL(`${folder}/workflow.yaml`, SAMPLES));
  const title = JSON.parse(/^description: (".*")$/m.exec(text)?.[1] ?? '""') as string;
  for (const kind of ["memory", "sqlite"] as const) {
    Deno.test(`${title} [samples/runs/${folder}, ${kind}]`, () => check(folder, kind));
  }
}

Deno.test("samples/runs holds at least 45 cases, each named by a sentence and a number", () => {
  assert.ok(folders.length >= 45, `${folders.length} cases`);
  for (const folder of folders) {
    const text = Deno.readTextFileSync(new URL(`${folder}/workflow.yaml`, SAMPLES));
    assert.match(text, /^description: ".* \((?:[VSFRTAJ]\d(?:, )?)+\)"$/m, folder);
  }
});

async function check(folder: string, kind: "memory" | "sqlite"): Promise<void> {
  const work = await Deno.makeTempDir({ prefix: "spanloop-sample-" });
  await using server = startFlakyServer();
  const { given = {}, env = {}, planted = [] } = await readCase(folder);
  try {
    await copy(new URL(`${folder}/`, SAMPLES), work);
    for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
    const values = text(folder).includes("  origin:")
      ? { ...given, text: { ...given.text, origin: server.origin } }
      : given;
    const store = kind === "memory" ? "memory:" : `sqlite:${work}/store/store.db`;
    const engine = await createEngine({ near: work, store, durability: "normal" });
    for (const name of Object.keys(env)) Deno.env.delete(name);
    const events: RunEvent[] = [];
    let actual: unknown;
    try {
      const report = await engine.run(`${work}/workflow.yaml`, {
        given: values,
        onEvent: (event) => events.push(event),
      });
      const history = await engine.history(report.run_id);
      assert.deepEqual(history.report, report, "the journal says the same as the run did");
      actual = normalise(report, work, server.origin);
    } catch (thrown) {
      if (!(thrown instanceof InvalidError)) throw thrown;
      actual = { invalid: thrown.message.replaceAll(work, "<folder>").split("\n") };
    } finally {
      await engine.close();
    }
    const stored = !isObject(actual) || !("invalid" in actual); // a run that does not start stores nothing
    assert.equal(existsSync(`${work}/store/store.db`), kind === "sqlite" && stored);
    for (const word of planted) {
      assert.ok(!show(events).includes(word), `${word} is in an event`);
      if (kind === "sqlite" && stored) await refuseInFiles(`${work}/store`, word);
    }
    const expected = new URL(`${folder}/expected.json`, SAMPLES);
    const written = JSON.stringify(actual, undefined, 2) + "\n";
    if (Deno.env.get("UPDATE_SAMPLES") === "1") await Deno.writeTextFile(expected, written);
    assert.deepEqual(actual, JSON.parse(await Deno.readTextFile(expected)));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

function text(folder: string): string {
  return Deno.readTextFileSync(new URL(`${folder}/workflow.yaml`, SAMPLES));
}

async function readCase(folder: string): Promise<Case> {
  try {
    return JSON.parse(await Deno.readTextFile(new URL(`${folder}/case.json`, SAMPLES)));
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return {}; // most need nothing given
    throw thrown;
  }
}

/** A report without what differs from run to run. */
function normalise(report: RunReport, work: string, origin: string): unknown {
  const { status, outputs, error, parameters, steps } = report;
  const text = JSON.stringify({
    status,
    error,
    outputs,
    parameters,
    steps: steps.map(({ duration_ms: _, ...step }) => step),
  }, (_, value) => {
    const long = typeof value === "string" && value.length > 5_000;
    return long ? `<${value.length} characters>` : value;
  });
  return JSON.parse(
    text.replaceAll(work, "<folder>").replaceAll(origin, "<origin>").replaceAll(
      /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g,
      "<run>",
    ),
  );
}

function show(events: readonly RunEvent[]): string {
  return JSON.stringify(
    events,
    (_, value) => typeof value === "bigint" ? String(value) : value,
  );
}

async function refuseInFiles(folder: string, word: string): Promise<void> {
  const bytes = new TextEncoder().encode(word);
  for await (const entry of walk(folder)) {
    const content = await Deno.readFile(entry);
    for (let at = content.indexOf(bytes[0]); at >= 0; at = content.indexOf(bytes[0], at + 1)) {
      const found = bytes.every((byte, i) => content[at + i] === byte);
      assert.ok(!found, `${word} is in ${entry}`);
    }
  }
}

async function* walk(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) yield* walk(`${folder}/${entry.name}`);
    else yield `${folder}/${entry.name}`;
  }
}

async function copy(from: URL, to: string): Promise<void> {
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) {
      await Deno.mkdir(`${to}/${entry.name}`);
      await copy(new URL(`${entry.name}/`, from), `${to}/${entry.name}`);
    } else await Deno.copyFile(new URL(entry.name, from), `${to}/${entry.name}`);
  }
}
