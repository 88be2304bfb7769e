// Signals, crashes and other processes, with real ones.
import assert from "node:assert/strict";
import { cli, command, decoder, FLOWS, inFolder, started } from "./_process_test.ts";

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

Deno.test("one SIGINT cancels gently: finally steps run, exit 130", () =>
  inFolder(async (folder) => {
    const run = await started(folder, ["run", "slow.yaml", "--json"]);
    await run.until("napping");
    run.child.kill("SIGINT");
    await run.until("cancelling; Ctrl-C again stops at once\n");
    run.child.kill("SIGINT"); // the echo that `deno task` makes of a Ctrl-C
    const { code, out, err } = await run.end();
    assert.equal(code, 130, err);
    assert.ok(!err.includes("stopping at once"));
    assert.equal(JSON.parse(out).status, "cancelled");
    assert.ok(await exists(`${folder}/tidied`));
  }));

Deno.test("a second SIGINT stops at once: finally steps are cut short, exit 130", () =>
  inFolder(async (folder) => {
    const slow = FLOWS["slow.yaml"].replace("sleep 0.4", "echo tidying; sleep 60");
    await Deno.writeTextFile(`${folder}/slow.yaml`, slow);
    const run = await started(folder, ["run", "slow.yaml"]);
    await run.until("napping");
    run.child.kill("SIGINT");
    await run.until("tidying");
    // The same key can arrive twice within a moment; only a later one is a second one.
    await new Promise((resolve) => setTimeout(resolve, 300));
    run.child.kill("SIGINT");
    const { code, err } = await run.end();
    assert.equal(code, 130, err);
    assert.match(err, /stopping at once\n/);
    assert.ok(!await exists(`${folder}/tidied`));
  }));

Deno.test("cancel from another process ends a run with 130", () =>
  inFolder(async (folder) => {
    const run = await started(folder, ["run", "slow.yaml"]);
    await run.until("napping");
    const cancel = await cli(folder, ["cancel", "last"]);
    assert.equal(cancel.code, 0, cancel.err);
    assert.match(cancel.out, /is being cancelled/);
    assert.equal((await run.end()).code, 130);
    const late = await cli(folder, ["cancel", "last"]);
    assert.equal(late.code, 1);
    assert.match(late.err, /has ended \(cancelled\)/);
  }));

Deno.test("resume goes on after kill -9 without running a completed step again (J2)", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/crash.yaml`,
      `name: crash
steps:
  - id: first
    run: echo ran >> first.txt
  - id: second
    run: test -e go || { echo waiting; exec sleep 60; }
`,
    );
    const run = await started(folder, ["run", "crash.yaml"]);
    await run.until("waiting");
    run.child.kill("SIGKILL");
    await run.end();
    await Deno.writeTextFile(`${folder}/go`, "");
    const resumed = await cli(folder, ["resume", "--all", "--json"]);
    assert.equal(resumed.code, 0, resumed.err);
    assert.deepEqual(JSON.parse(resumed.out).runs.map((each: { status: string }) => each.status), [
      "succeeded",
    ]);
    assert.equal(await Deno.readTextFile(`${folder}/first.txt`), "ran\n");
    const none = await cli(folder, ["resume", "--all"]);
    assert.equal(none.code, 0);
    assert.match(none.err, /nothing to resume/);
  }));

Deno.test("serve stops gently on SIGTERM with exit 0", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/flows`);
    await Deno.writeTextFile(
      `${folder}/flows/tick.yaml`,
      'name: tick\non: { schedule: { cron: "0 0 1 1 *" } }\nsteps:\n  - id: a\n    run: echo tick\n',
    );
    const child = command(folder, ["serve", "flows", "--json"]).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    const first = JSON.parse(decoder.decode(value).split("\n")[0]);
    assert.equal(first.level, "info");
    child.kill("SIGTERM");
    for (;;) if ((await reader.read()).done) break;
    const [{ code }, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
    assert.equal(code, 0, err);
  }));
