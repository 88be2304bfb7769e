import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { RunReport } from "../../engine/core/report.ts";
import { assertKept } from "../chaos/checks.ts";
import { commandLine, kill } from "../chaos/engine_process.ts";
import { Scene } from "../chaos/scene.ts";
import { spansOf } from "../chaos/snapshot.ts";

// What goes wrong around a run: processes that are stopped, compete or are interrupted, disks and store files
// that fail, files and secrets that are not what they were. All by the command line, in processes of its own.

const LONG = `
name: long
steps:
  - { id: long, run: echo begin >> log; test -e short || sleep 300 }
  - { id: next, run: echo next >> log }
finally:
  - { id: tidy, run: echo tidy >> log }
`;

/** Asserts that a command failed with words for a person, and not with a stack. */
function assertTold(end: { code: number; err: string }, code: number, ...words: RegExp[]): void {
  assert.equal(end.code, code, end.err);
  for (const word of words) assert.match(end.err, word);
  assert.doesNotMatch(end.err, /^\s+at .*:\d+:\d+/m);
  assert.doesNotMatch(end.err, /bug in Spanloop/);
}

function reportOf(out: string): RunReport {
  return JSON.parse(out.trim().split("\n").at(-1)!);
}

Deno.test("a process that slept past its lease writes nothing when it wakes; of two that resume one runs (R7)", () =>
  Scene.play({
    "w.yaml": LONG.replace(
      "finally",
      "  - { id: each, needs: [], for_each: { list: [1, 2, 3] }, run: 'sleep 0.5; echo item >> log' }\nfinally",
    ),
  }, async (scene) => {
    const sleeper = scene.command(["run", "w.yaml"]);
    await scene.untilSaid("log", "begin");
    // Between two commits: one that is stopped inside a transaction keeps everybody from writing.
    await new Promise((resolve) => setTimeout(resolve, 250));
    kill(sleeper.pid, "SIGSTOP");
    const before = await scene.state();
    scene.write("short", "");
    const runId = before.runs[0].summary.runId;
    const resumers = [scene.command(["resume", runId]), scene.command(["resume", runId])];
    const ends = await Promise.all(resumers.map(({ end }) => end));
    assert.deepEqual(ends.map(({ code }) => code).sort(), [0, 2], ends.map((e) => e.err).join());
    assertTold(ends.find(({ code }) => code === 2)!, 2, /is under way in|has ended/);
    for (const { err } of ends) assert.match(err, /waiting for its lease/);
    const after = await scene.state();
    assertKept(before, after);
    kill(sleeper.pid, "SIGCONT");
    assertTold(await sleeper.end, 1, /taken over by another process/);
    assert.deepEqual((await scene.state()).runs, after.runs, "nothing was written");
    assert.equal(scene.count("log", "next"), 1);
    assert.equal(scene.count("log", "tidy"), 1);
    await scene.assertSound();
  }));

Deno.test("of two processes that resume a dead engine's run one runs it (R7)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - { id: a, run: . ./die.sh; die here; echo a >> log; sleep 1 }
  - { id: b, run: echo b >> log }
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    const ends = await Promise.all(
      [1, 2].map(() => scene.command(["resume", "last"])).map(({ end }) => end),
    );
    assert.deepEqual(ends.map(({ code }) => code).sort(), [0, 2], ends.map((e) => e.err).join());
    assertTold(ends.find(({ code }) => code === 2)!, 2, /is under way in|has ended/);
    assert.equal(scene.read("log"), "a\nb\n");
    await scene.assertSound();
  }));

Deno.test("resume of a run that is under way says by whom and refuses (R7)", () =>
  Scene.play({ "w.yaml": LONG }, async (scene) => {
    const running = scene.command(["run", "w.yaml"]);
    await scene.untilSaid("log", "begin");
    const before = await scene.state();
    const refused = await scene.command(["resume", "last"]).end;
    assertTold(refused, 2, new RegExp(`under way in process ${running.pid} on`), /cancel it/);
    assert.deepEqual((await scene.state()).runs[0].records, before.runs[0].records);
    await scene.cancel();
    assert.equal((await running.end).code, 130);
    await scene.assertSound();
  }));

Deno.test("a cancel by another process ends attempts, sub-workflows included, and runs finally (R8, S6)", () =>
  Scene.play({
    "w.yaml":
      "name: w\nsteps:\n  - { id: call, uses: workflow, with: { file: ./long.yaml } }\n  - { id: after, run: echo after >> log }\nfinally:\n  - { id: tidy, run: echo outer tidy >> log }\n",
    "long.yaml": LONG,
  }, async (scene) => {
    const running = scene.command(["run", "w.yaml", "--json"]);
    await scene.untilSaid("log", "begin");
    const cancel = await scene.command(["cancel", "last"]).end;
    assertTold(cancel, 0);
    const end = await running.end;
    assert.equal(end.code, 130, end.err);
    assert.equal(reportOf(end.out).status, "cancelled");
    assert.equal(scene.read("log"), "begin\ntidy\nouter tidy\n");
    const { runs } = await scene.state();
    assert.deepEqual(runs.map(({ summary }) => summary.status), ["cancelled", "cancelled"]);
    const db = new DatabaseSync(scene.store, { readOnly: true });
    const statement = db.prepare("SELECT at FROM signals");
    statement.setReadBigInts(true);
    const { at } = statement.get() as { at: bigint };
    db.close();
    const [attempt] = spansOf(runs[1].records).filter(({ start }) => start.key === "long");
    // Seen within 500 ms; a busy machine is given more to end the shell and write it down.
    assert.ok(attempt.end!.end.endTime - at < 5_000_000_000n);
    await scene.assertSound();
  }));

for (const [name, signal] of [["Ctrl-C", "SIGINT"], ["SIGTERM", "SIGTERM"]] as const) {
  Deno.test(`${name} cancels gently: finally runs, exit 130`, () =>
    Scene.play({ "w.yaml": LONG }, async (scene) => {
      const running = scene.command(["run", "w.yaml", "--json"]);
      await scene.untilSaid("log", "begin");
      kill(running.pid, signal);
      const end = await running.end;
      assertTold(end, 130);
      assert.equal(reportOf(end.out).status, "cancelled");
      assert.equal(scene.read("log"), "begin\ntidy\n");
      await scene.assertSound();
    }));
}

Deno.test("a second Ctrl-C ends finally as well, and the shell that ignores the first", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - { id: deaf, run: "trap '' INT TERM; echo begin >> log; sleep 300 & wait; sleep 300" }
finally:
  - { id: tidy, run: "echo tidy >> log; sleep 300" }
`,
  }, async (scene) => {
    const running = scene.command(["run", "w.yaml"]);
    await scene.untilSaid("log", "begin");
    kill(running.pid, "SIGINT");
    await scene.untilSaid("log", "tidy");
    kill(running.pid, "SIGINT");
    assertTold(await running.end, 130);
    assert.equal((await scene.state()).runs[0].summary.status, "cancelled");
    await scene.assertSound();
  }));

Deno.test("runs of a group queue, are skipped or cancel one another across processes", () =>
  Scene.play(
    Object.fromEntries(["queue", "skip", "cancel"].map((overlap) => [
      `${overlap}.yaml`,
      `
name: ${overlap}
group: { name: one, overlap: ${overlap} }
params: { go: { type: string } }
steps:
  - id: only
    run: |
      echo begin \${{ params.go }} >> log
      while ! test -e \${{ params.go }}; do sleep 0.02; done
      echo end \${{ params.go }} >> log
`,
    ])),
    async (scene) => {
      const run = (overlap: string, go: string) =>
        scene.command(["run", `${overlap}.yaml`, "--param", `go=${go}`]);
      const first = run("queue", "one");
      await scene.untilSaid("log", "begin one");
      const second = run("queue", "two");
      await scene.until(
        "the second waits",
        async () => (await scene.state()).runs.some(({ summary }) => summary.status === "queued"),
      );
      const skipped = await run("skip", "never").end;
      assertTold(skipped, 0, /skipped/);
      scene.write("one", "");
      assert.equal((await first.end).code, 0);
      await scene.untilSaid("log", "begin two");
      scene.write("three", "");
      const third = await run("cancel", "three").end;
      assert.equal(third.code, 0, third.err);
      assert.equal((await second.end).code, 130);
      assert.deepEqual(scene.read("log").trim().split("\n"), [
        "begin one",
        "end one",
        "begin two",
        "begin three",
        "end three",
      ]);
      await scene.assertSound();
    },
  ));

Deno.test("a run that died in its group's queue goes on from there (R7)", () =>
  Scene.play({
    "w.yaml": `
name: w
group: { name: one, overlap: queue }
params: { go: { type: string } }
steps:
  - { id: only, run: "echo begin \${{ params.go }} >> log; while ! test -e \${{ params.go }}; do sleep 0.02; done" }
`,
  }, async (scene) => {
    const first = scene.command(["run", "w.yaml", "--param", "go=one"]);
    await scene.untilSaid("log", "begin one");
    const second = scene.command(["run", "w.yaml", "--param", "go=two"]);
    const queued = async () =>
      (await scene.state()).runs.find(({ summary }) => summary.status === "queued");
    await scene.until(
      "the second waits and says so",
      () => /waiting for its turn in group one: run \S+ is under way/.test(second.errSoFar()),
    );
    kill(second.pid, "SIGKILL");
    await second.end;
    scene.write("one", "");
    scene.write("two", "");
    assert.equal((await first.end).code, 0);
    const { summary } = (await queued())!;
    const resumed = await scene.command(["resume", summary.runId]).end;
    assert.equal(resumed.code, 0, resumed.err);
    assert.equal(scene.read("log"), "begin one\nbegin two\n");
    await scene.assertSound();
  }));

Deno.test("a run that died in its group keeps it, and whoever waits is told to resume it", () =>
  Scene.play({
    "w.yaml": `
name: w
group: { name: one, overlap: queue }
steps:
  - id: only
    run: . ./die.sh; die here; echo ran >> log
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    const dead = (await scene.state()).runs[0].summary.runId;
    const told: string[] = [];
    const report = await scene.engine((engine) =>
      engine.run(`${scene.folder}/w.yaml`, {
        onEvent: (event) => {
          if (event.type !== "notice") return;
          told.push(event.message);
          scene.command(["resume", dead]);
        },
      })
    );
    assert.equal(report.status, "succeeded");
    assert.equal(told.length, 1);
    assert.ok(told[0].endsWith(`run ${dead} died in it; resume that run to let it end`), told[0]);
    assert.equal(scene.read("log"), "ran\nran\n");
    await scene.assertSound();
  }));

Deno.test("a secret that is missing at resume stops it with its name, and nothing is lost (V4, J6)", () =>
  Scene.play({
    "w.yaml": `
name: w
params:
  token: { type: secret, from: { env: CHAOS_TOKEN } }
steps:
  - id: a
    run: . ./die.sh; die here; echo \${{ params.token }} > used
`,
  }, async (scene) => {
    const env = { CHAOS_TOKEN: "a-very-secret-token" };
    assert.equal((await scene.command(["run", "w.yaml"], env).end).code, 137);
    const before = await scene.state();
    assertTold(await scene.command(["resume", "last"], { CHAOS_TOKEN: "" }).end, 2, /CHAOS_TOKEN/);
    assert.deepEqual((await scene.state()).runs[0].records, before.runs[0].records);
    const end = await scene.command(["resume", "last"], env).end;
    assert.equal(end.code, 0, end.err);
    assert.equal(scene.read("used"), "a-very-secret-token\n");
    assert.ok(!Deno.readFileSync(scene.store).toString().includes("a-very-secret-token"));
    await scene.assertSound();
  }));

Deno.test("a module that changed stops resume; --accept-changes goes on with it (R4)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - { id: one, run: . ./die.sh; die here }
  - { id: two, uses: script, with: { module: ./two.ts } }
outputs: { version: "\${{ steps.two.outputs.version }}" }
`,
    "two.ts": "export default () => ({ version: 1 });\n",
  }, async (scene) => {
    await scene.crash("w.yaml");
    scene.write("two.ts", "export default () => ({ version: 2 });\n");
    const refused = await scene.command(["resume", "last"]).end;
    assertTold(refused, 2, /two\.ts/, /--accept-changes/);
    const accepted = await scene.command(["resume", "last", "--accept-changes", "--json"]).end;
    assert.equal(accepted.code, 0, accepted.err);
    assert.deepEqual(reportOf(accepted.out).outputs, { version: 2 });
    await scene.assertSound();
  }));

Deno.test("a workflow file that changed or went does not change a run that is resumed (R4)", () =>
  Scene.play({
    "w.yaml":
      "name: w\nsteps:\n  - { id: a, run: . ./die.sh; die here }\n  - { id: b, run: echo old >> log }\n",
  }, async (scene) => {
    await scene.crash("w.yaml");
    scene.write("w.yaml", "not a workflow");
    const end = await scene.command(["resume", "last"]).end;
    assert.equal(end.code, 0, end.err);
    assert.equal(scene.read("log"), "old\n");
    await scene.assertSound();
  }));

Deno.test("a store that is truncated, foreign or of the future is named and left as it is", () =>
  Scene.play(
    { "w.yaml": "name: w\nsteps:\n  - { id: a, run: echo ran >> log }\n" },
    async (scene) => {
      assert.equal((await scene.command(["run", "w.yaml"]).end).code, 0);
      const whole = Deno.readFileSync(scene.store);
      const files: [Uint8Array, RegExp][] = [
        [whole.subarray(0, whole.length - 4096), /damaged/],
        [whole.subarray(0, 100), /damaged|not a store/],
        [new Uint8Array(0), /damaged/],
        [new TextEncoder().encode("hello"), /not a store|damaged/],
      ];
      for (const [bytes, words] of files) {
        Deno.writeFileSync(scene.store, bytes);
        for (const args of [["run", "w.yaml"], ["runs"], ["show", "last"], ["resume", "--all"]]) {
          assertTold(await scene.command(args).end, 1, words, /store\.db/);
        }
        assert.deepEqual(Deno.readFileSync(scene.store), bytes, "nothing is written into it");
      }
      Deno.writeFileSync(scene.store, whole);
      const db = new DatabaseSync(scene.store);
      db.exec("PRAGMA user_version = 999");
      db.close();
      for (const args of [["run", "w.yaml"], ["runs"]]) {
        assertTold(await scene.command(args).end, 1, /newer Spanloop/, /upgrade/);
      }
      assert.equal(scene.read("log"), "ran\n");
    },
  ));

/** Runs a script in a mount namespace of its own, in which it may mount. */
async function inNamespace(script: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: ["-rm", "sh", "-c", script, "sh", ...args],
    env: { NO_COLOR: "1", INIT_CWD: "" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

const canMount = await inNamespace("mount -t tmpfs tmpfs /mnt").then(
  ({ code }) => code === 0,
  () => false,
);

Deno.test({
  name: "a full disk stops a run clearly, spoils nothing, and it goes on once there is space",
  ignore: !canMount,
  fn: () =>
    Scene.play({
      "w.yaml": `
name: w
steps:
  - id: fill
    for_each: { list: "\${{ params.items }}", concurrency: 2 }
    run: echo "$SPANLOOP_IDEMPOTENCY_KEY" >> log; head -c 60000 /dev/urandom | base64 -w 0
  - { id: after, run: echo after >> log }
params:
  items: { type: list, default: [${Array.from({ length: 80 }, (_, i) => i).join()}] }
`,
    }, async (scene) => {
      const script = `
mkdir disk; mount -t tmpfs -o size=16m tmpfs disk
head -c 13000000 /dev/zero > disk/ballast
run="$*"
eval "$run run w.yaml --store sqlite:disk/store.db"; echo "run $?"
rm disk/ballast
eval "$run runs --store sqlite:disk/store.db"; echo "runs $?"
eval "$run resume last --store sqlite:disk/store.db"; echo "resume $?"
cp -r disk/store.db* .
`;
      const words = [Deno.execPath(), ...commandLine([])].map((word) => `'${word}'`);
      const { out, err } = await inNamespace(`cd '${scene.folder}'; ${script}`, ...words);
      assert.match(out, /^run 1$/m, err);
      assert.match(out, /^runs 0$/m, err);
      assert.match(out, /^resume 0$/m, err);
      assert.match(err, /the disk is full; free some space and resume/);
      assert.doesNotMatch(err, /bug in Spanloop|^\s+at .*:\d+:\d+/m);
      assert.equal(scene.count("log", "after"), 1);
      const { runs: [run] } = await scene.state();
      assert.equal(run.summary.status, "succeeded");
      const tries = Map.groupBy(
        spansOf(run.records).filter(({ start }) => start.range !== undefined),
        ({ start }) => start.key,
      );
      assert.equal(tries.size, 80);
      for (const [key, spans] of tries) {
        // A batch whose end was committed did not run again (J2).
        assert.ok(scene.count("log", `/${key}\n`) <= spans.length, key);
      }
      await scene.assertSound();
    }),
});

Deno.test({
  name: "a store that cannot be written stops a run before its first step, and can be read",
  ignore: !canMount,
  fn: () =>
    Scene.play(
      { "w.yaml": "name: w\nsteps:\n  - { id: a, run: echo ran >> log }\n" },
      async (scene) => {
        const script = `
mkdir disk; mount -t tmpfs tmpfs disk
run="$*"
eval "$run run w.yaml --store sqlite:disk/store.db"; echo "first $?"
mount -o remount,ro disk
eval "$run run w.yaml --store sqlite:disk/store.db"; echo "second $?"
eval "$run run w.yaml --store sqlite:disk/new/store.db"; echo "third $?"
eval "$run runs --store sqlite:disk/store.db"; echo "runs $?"
eval "$run show last --store sqlite:disk/store.db"; echo "show $?"
`;
        const words = [Deno.execPath(), ...commandLine([])].map((word) => `'${word}'`);
        const { out, err } = await inNamespace(`cd '${scene.folder}'; ${script}`, ...words);
        for (const line of ["first 0", "second 1", "third 1"]) {
          assert.ok(out.includes(line), out + err);
        }
        assert.match(err, /cannot be written/);
        assert.doesNotMatch(err, /bug in Spanloop|^\s+at .*:\d+:\d+/m);
        assert.equal(scene.read("log"), "ran\n");
        for (const line of ["runs 0", "show 0"]) {
          assert.ok(out.includes(line), out + err);
        }
      },
    ),
});

Deno.test("prune that is killed leaves a whole store, and unfinished runs stay", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - id: big
    run: head -c 200000 /dev/zero | tr '\\0' x
  - id: last
    run: test ! -e stop || { . ./die.sh; die here; }
`,
  }, async (scene) => {
    scene.write("stop", "");
    await scene.crash("w.yaml");
    Deno.removeSync(`${scene.folder}/stop`);
    const [unfinished] = (await scene.state()).runs;
    const spilled = () => Array.from(Deno.readDirSync(`${scene.store}.d`), ({ name }) => name);
    for (let round = 0; round < 3; round++) {
      await scene.engine(async (engine) => {
        for (let i = 0; i < 20; i++) {
          assert.equal((await engine.run(`${scene.folder}/w.yaml`)).status, "succeeded");
        }
      });
      const before = spilled().length;
      const prune = scene.command(["prune", "--older-than", "0s"]);
      let ended = false;
      prune.end.then(() => ended = true);
      // Killed when the rows are gone and the first of their files are.
      while (!ended && spilled().length === before) await new Promise(setImmediate);
      kill(prune.pid, "SIGKILL");
      await prune.end;
      const { runs } = await scene.state(); // reads every journal, and spilled outputs with their sums
      assert.deepEqual(runs[0].records, unfinished.records);
    }
    assert.equal((await scene.command(["prune", "--older-than", "0s"]).end).code, 0);
    const { runs } = await scene.state();
    assert.deepEqual(runs.map(({ summary }) => summary.runId), [unfinished.summary.runId]);
    assert.deepEqual(spilled(), [unfinished.summary.runId]);
    const end = await scene.command(["resume", "last"]).end;
    assert.equal(end.code, 0, end.err);
    await scene.assertSound();
  }));

Deno.test("a store that is deleted during a run stops it, and it says so", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - id: only
    run: |
      echo begin >> log
      while ! test -e short; do sleep 0.02; done
`,
  }, async (scene) => {
    const running = scene.command(["run", "w.yaml"]);
    await scene.untilSaid("log", "begin");
    for (const end of ["", "-wal", "-shm"]) Deno.removeSync(scene.store + end);
    scene.write("short", "");
    assertTold(await running.end, 1, /store\.db/);
  }));
