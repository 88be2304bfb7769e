import assert from "node:assert/strict";
import type { AnalysisReport } from "../core/analysis.ts";
import { cli, decoder, type Ended, inFolder, MAIN, settings, started } from "./_process_test.ts";
import { lines } from "./text.ts";

async function good(ended: Promise<Ended>): Promise<Ended> {
  const found = await ended;
  assert.equal(found.code, 0, found.err + found.out);
  return found;
}

async function report(folder: string, ...args: readonly string[]): Promise<AnalysisReport> {
  return JSON.parse((await good(cli(folder, ["analyze", "--json", ...args]))).out);
}

Deno.test("analyze says so where no run has ended, and makes no store", async () => {
  await inFolder(async (folder) => {
    const { out } = await good(cli(folder, ["analyze"]));
    assert.equal(out, "No run has ended yet: run a workflow, then `analyze` again.\n");
    assert.deepEqual(await report(folder, "one.yaml"), { health: null, workflows: [], behind: 0 });
    await assert.rejects(Deno.stat(`${folder}/.spanloop`), Deno.errors.NotFound);
    const bad = await cli(folder, ["analyze", "bad.yaml"]);
    assert.equal(bad.code, 2);
    assert.match(bad.err, /bad\.yaml:2:1/);
  });
});

Deno.test({
  name: "what analyze says is broken between words where its terminal ends",
  // `script` gives a program a terminal; its options differ elsewhere.
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inFolder(async (folder) => {
      const said = async (operand: string) => {
        const analyze = `'${Deno.execPath()}' run -A --no-prompt --no-check '${MAIN}' analyze`;
        const { stdout } = await new Deno.Command("script", {
          args: ["-qec", `stty rows 24 cols 40; ${analyze} ${operand}`, "/dev/null"],
          ...settings(folder, { TERM: "xterm", NO_COLOR: "1", SHELL: "/bin/sh" }),
        }).output();
        // Deno itself clears the line first.
        return lines(decoder.decode(stdout));
      };
      assert.deepEqual(await said("one.yaml"), [
        "No run of one.yaml has ended yet: run a",
        "workflow, then `analyze` again.",
      ]);
      assert.deepEqual(await said("a_workflow_of_mine.yaml"), [
        "error: Cannot read",
        "a_workflow_of_mine.yaml: there is no",
        "such file",
      ]);
    }),
});

Deno.test("analyze reads the whole journal first, and then what is new", async () => {
  await inFolder(async (folder) => {
    await good(cli(folder, ["run", "one.yaml", "-q"]));
    await good(cli(folder, ["run", "items.yaml", "-q"]));
    assert.equal((await cli(folder, ["run", "failing.yaml", "-q"])).code, 1);
    const first = await report(folder);
    assert.deepEqual(
      first.workflows.map(({ workflow, runs, success }) => [workflow, runs, success.rate]),
      [["failing", 1, 0], ["items", 1, 1], ["one", 1, 1]],
    );
    assert.equal(first.health, 0);
    const [failing, items] = first.workflows;
    assert.deepEqual(failing.steps.map(({ step, errors }) => [step, errors.rate]).sort(), [
      ["bad", 1],
      ["good", 0],
    ]);
    const [each] = items.steps;
    assert.deepEqual([each.attempts, each.unit, each.errors.of], [3, "item", 5]);
    await good(cli(folder, ["run", "items.yaml", "-q"]));
    for (const named of ["items", "items.yaml"]) {
      const { workflows: [again, ...others], behind } = await report(folder, named);
      assert.deepEqual([again.runs, again.steps[0].attempts, behind], [2, 6, 0]);
      assert.deepEqual(others, []);
    }
    const { out } = await good(cli(folder, ["analyze"]));
    assert.match(out, /^system {2}health 0 of 100, that of its worst workflow\n/);
    assert.match(out, /\nitems {2}health \d+(\.\d)? of 100\n/);
    assert.match(out, / {2}each +\d.*\/item/);
    const unknown = await cli(folder, ["analyze", "itms"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /No run of a workflow itms has ended .*did you mean `items`\?/);
  });
});

Deno.test("a workflow's own analyzer is the one that is shown, with its thresholds", async () => {
  await inFolder(async (folder) => {
    const text = await Deno.readTextFile(`${folder}/one.yaml`);
    await Deno.writeTextFile(
      `${folder}/one.yaml`,
      text.replace(
        "steps:",
        "plugins:\n  - { use: analyzer, with: { mean_duration: 0.000001 } }\nsteps:",
      ),
    );
    for (let i = 0; i < 3; i++) await good(cli(folder, ["run", "one.yaml", "-q"]));
    const { workflows: [one] } = await report(folder, "one");
    assert.deepEqual(one.standing.map(({ name, step }) => [name, step]), [[
      "finding.slow",
      "hello",
    ]]);
    // The one for all workflows has other thresholds.
    const { workflows: [other] } = await report(folder);
    assert.deepEqual([other.runs, other.standing], [3, []]);
    const { out } = await good(cli(folder, ["tail", "--once", "--name", "finding.*"]));
    assert.match(out, /finding\.slow/);
  });
});

Deno.test("where another process hosts the plugins, what it knows is shown, or what to do (R8)", async () => {
  await inFolder(async (folder) => {
    await Deno.remove(`${folder}/bad.yaml`);
    await Deno.writeTextFile(`${folder}/spanloop.yaml`, "plugins:\n  - use: slow_step\n");
    const serving = async (test: (pid: number) => Promise<void>) => {
      const { child, end } = started(folder, ["serve", "."]);
      try {
        const hosted = () => cli(folder, ["plugins", "list"]);
        while (!(await hosted()).out.includes("active")) assert.ok(child.pid);
        await test(child.pid);
      } finally {
        child.kill("SIGTERM");
        await end();
      }
    };
    await good(cli(folder, ["run", "one.yaml", "-q"]));
    await serving(async (pid) => {
      const { code, err } = await cli(folder, ["analyze"]);
      assert.equal(code, 2, err);
      assert.match(err, new RegExp(`Process ${pid} hosts .*add .*analyzer.* to spanloop.yaml`));
    });
    assert.equal((await report(folder)).workflows[0].runs, 1);
    await Deno.writeTextFile(`${folder}/spanloop.yaml`, "plugins:\n  - use: analyzer\n");
    await serving(async (pid) => {
      const { workflows, host } = await report(folder);
      assert.deepEqual([workflows[0].runs, host], [1, pid]);
      const { err } = await good(cli(folder, ["analyze"]));
      assert.match(err, new RegExp(`As far as process ${pid} has heard`));
    });
  });
});
