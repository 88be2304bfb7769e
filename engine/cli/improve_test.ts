// improve and report as a person has them: real processes, a real store.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cli, inFolder, started } from "./_process_test.ts";

// A process for each batch: larger batches really are cheaper.
const TUNED = `name: tuned
params:
  batch_size: { type: integer, default: 4, tune: { min: 1, max: 64, scale: log, apply: live, mode: auto } }
tune:
  objective: { minimize: "duration / items", of: load }
  guards: [{ metric: error_rate, of: load, below: 0.1 }]
steps:
  - id: load
    for_each: { list: [${
  Array.from({ length: 160 }, (_, i) => i).join()
}], batch: "\${{ params.batch_size }}" }
    run: cat > /dev/null
`;

const inTuned = (test: (folder: string) => Promise<void>) =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/tuned.yaml`, TUNED);
    await test(folder);
  });

Deno.test("improve tells each run and each decision on stderr, what it came to on stdout; report writes it down", () =>
  inTuned(async (folder) => {
    const { code, out, err } = await cli(folder, ["improve", "tuned.yaml", "--runs", "6"]);
    assert.equal(code, 0, err);
    const lines = err.trimEnd().split("\n");
    assert.equal(lines[0], "store .spanloop/store.db");
    for (let run = 1; run <= 6; run++) {
      const found = lines.find((line) => line.startsWith(`run ${run}/6 `));
      assert.match(found ?? "", /: batch_size 4: [\d.]+ .?s an item, errors 0 %|tried batch_size/);
    }
    // The first run tells what rules; from then on something else is tried.
    assert.match(err, /\ntrying: batch_size 4 → \d+: .*\n {3}why: .+\n/);
    assert.match(out, /^✓ tuned ran 6 runs in .*\n\n {2}(batch_size {2}4 → \d+|no value)/);
    assert.match(out, /\n {2}spanloop report tuned\.yaml +shows the evidence\n$/);
    assert.ok(!(out + err).includes("\u001b"), "no colour where there is no terminal");

    // A run says which change was tried on which share of it.
    const runs = JSON.parse((await cli(folder, ["runs", "--json"])).out);
    const second = runs.at(-2).run_id;
    const shown = await cli(folder, ["show", second]);
    assert.match(
      shown.out,
      /\ntrial of change 1: what was compared\n {2}batch_size 4 .*what rules .*\n {2}batch_size \d+ +what is tried +\d+ of 160 items of load, /,
    );
    const { trials } = JSON.parse((await cli(folder, ["show", second, "--json"])).out);
    assert.deepEqual([trials[0].change, trials[0].arms.length], [1, 2]);
    assert.deepEqual([trials[0].arms[0].arm, trials[0].arms[0].values], [
      "incumbent",
      { batch_size: 4 },
    ]);

    const report = await cli(folder, ["report", "tuned.yaml"]);
    assert.equal(report.code, 0, report.err);
    assert.equal(report.out, ".spanloop/report/report.md\n.spanloop/report/report.html\n");
    const html = await Deno.readTextFile(`${folder}/.spanloop/report/report.html`);
    assert.match(html, /<title>tuned: what tuning came to<\/title>/);
    assert.match(html, /, over 6 runs</);
    assert.match(html, /batch_size 4 → \d+/);
    const markdown = await Deno.readTextFile(`${folder}/.spanloop/report/report.md`);
    assert.match(markdown, /\n## tuned\n/);

    // Without a file: of the whole store, even where a file is gone; and to where it is asked for.
    await Deno.remove(`${folder}/tuned.yaml`);
    const all = await cli(folder, ["report", "--out", "out/here"]);
    assert.equal(all.code, 0, all.err);
    assert.equal(all.out, "out/here/report.md\nout/here/report.html\n");
    assert.match(await Deno.readTextFile(`${folder}/out/here/report.html`), /, over 6 runs</);
  }));

Deno.test("the commands of a report name a store that its reader would not find", () =>
  inTuned(async (folder) => {
    const env = { SPANLOOP_STORE: "sqlite:other.db" };
    assert.equal((await cli(folder, ["params", "set", "tuned.yaml", "batch_size=8"], env)).code, 0);
    assert.equal((await cli(folder, ["report", "tuned.yaml", "--out", "out"], env)).code, 0);
    const page = await Deno.readTextFile(`${folder}/out/report.md`);
    assert.match(page, /`spanloop improve tuned\.yaml --store sqlite:other\.db`/);
  }));

Deno.test("improve --json prints an event a line and the report as the last one", () =>
  inTuned(async (folder) => {
    const { code, out, err } = await cli(folder, ["improve", "tuned.yaml", "--runs=3", "--json"]);
    assert.equal(code, 0, err);
    assert.equal(err, "store .spanloop/store.db\n");
    const events = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    const of = (name: string) => events.filter(({ event }) => event === name);
    assert.deepEqual(of("started").map(({ run }) => run), [1, 2, 3]);
    assert.deepEqual(of("ended").map(({ status }) => status), Array(3).fill("succeeded"));
    const runs = new Set(of("ended").map(({ run_id }) => run_id));
    assert.ok(of("measured").length >= 3);
    for (const { run_id, arms } of of("measured")) {
      assert.ok(runs.has(run_id));
      assert.ok(
        arms.every(({ objective, items }: Record<string, number>) => objective > 0 && items > 0),
      );
    }
    assert.ok(of("decided").some(({ outcome }) => outcome === "testing"));
    const report = events.at(-1);
    assert.deepEqual([report.event, report.workflow, report.runs], ["report", "tuned", 3]);
    assert.deepEqual(report.before, { batch_size: 4 });
  }));

Deno.test("a SIGINT cancels the run under way, and improve tells what was learned and exits 130", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/slow.yaml`,
      TUNED.replace(
        "run: cat > /dev/null",
        "run: test -e begun && exec sleep 60; cat > /dev/null",
      ) +
        "  - { id: mark, run: touch begun }\nfinally: [{ id: z, run: touch tidied }]\n",
    );
    const run = started(folder, ["improve", "slow.yaml"]);
    await run.until("run 1/20");
    await new Promise((resolve) => setTimeout(resolve, 300));
    run.child.kill("SIGINT");
    await run.until("cancelling this run; what was learned is kept; Ctrl-C again stops at once\n");
    run.child.kill("SIGINT"); // the echo that `deno task` makes of a Ctrl-C
    const { code, out, err } = await run.end();
    assert.equal(code, 130, err);
    assert.ok(!err.includes("stopping at once"));
    assert.match(err, /\nrun 2\/20 cancelled after /);
    assert.match(out, /^⊘ tuned cancelled after 2 runs/);
    assert.ok(await Deno.stat(`${folder}/tidied`).then(() => true, () => false));
  }));

Deno.test("a workflow that only fails ends improve with 1 and its error", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/bad.yaml`, TUNED.replace("cat > /dev/null", "exit 3"));
    const { code, out, err } = await cli(folder, ["improve", "bad.yaml"]);
    assert.equal(code, 1);
    assert.match(err, /run 3\/20 failed after .*code 3/);
    assert.match(out, /^✗ tuned stopped after 3 runs.*\n {2}3 runs in a row did not succeed/);
  }));

Deno.test("improve and report say what is missing, with the place, and exit 2", () =>
  inTuned(async (folder) => {
    const misuses: readonly (readonly [readonly string[], RegExp])[] = [
      [["improve", "one.yaml"], /^one\.yaml:1:1: error: there is no objective[^]*1 \| name: one\n/],
      [
        ["improve", "tuned.yaml", "-p", "batch_size=9"],
        /^tuned\.yaml:3:3: error: batch_size was given/,
      ],
      [["improve", "tuned.yaml", "--runs", "0"], /--runs takes a number from 1 to 10000, not `0`/],
      [["improve", "tuned.yaml", "--runs", "many"], /--runs takes a number/],
      [["improve", "absent.yaml"], /there is no such file|did you mean/],
      [["improve"], /`improve` needs FILE/],
      [["report"], /Nothing has been measured or proposed/],
      [["report", "--store", "memory:"], /say where with --out/],
    ];
    for (const [args, message] of misuses) {
      const { code, out, err } = await cli(folder, args);
      assert.equal(code, 2, `${args.join(" ")}: ${err}`);
      assert.match(err, message, args.join(" "));
      assert.equal(out, "");
      assert.ok(!/^\s+at /m.test(err), `a stack for ${args.join(" ")}`);
    }
    // A report on a file that nothing was done with yet says so, and is written where it is asked for alone.
    const none = await cli(folder, ["report", "tuned.yaml"]);
    assert.equal(none.code, 2);
    assert.match(
      none.err,
      /Nothing has been measured or proposed of tuned\.yaml in .*; `spanloop improve tuned\.yaml` does/,
    );
    assert.ok(!existsSync(`${folder}/.spanloop`));
    const { code, out } = await cli(folder, ["report", "tuned.yaml", "--out", "."]);
    assert.equal(code, 0);
    assert.equal(out, "report.md\nreport.html\n");
    assert.match(await Deno.readTextFile(`${folder}/report.md`), /Nothing has been measured yet/);
    await Deno.mkdir(`${folder}/taken`);
    await Deno.writeTextFile(`${folder}/taken/file`, "");
    const bad = await cli(folder, ["report", "tuned.yaml", "--out", "taken/file"]);
    assert.equal(bad.code, 1);
    assert.match(bad.err, /^error: Cannot write taken\/file\/report\.md: /);
  }));
