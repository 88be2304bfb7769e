import assert from "node:assert/strict";
import { assertKept } from "./checks.ts";
import { outputsOf, Scene, statusOf } from "./scene.ts";

// Crashes at places that matter, each by a step that kills its own engine, or while it is stopped.

Deno.test("a run that dies before its first step starts with it (J2)", () =>
  Scene.play(
    { "w.yaml": "name: w\nsteps:\n  - { id: a, run: echo a >> log }\n" },
    async (scene) => {
      assert.equal((await scene.start("w.yaml", { kill: "commit:1" }).end).code, 137);
      assert.equal((await scene.finish()).status, "succeeded");
      assert.equal(scene.read("log"), "a\n");
      await scene.assertSound();
    },
  ));

Deno.test("a cancelled run that dies with batches under way ends them when it is resumed (J3, R6)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - id: each
    for_each: { list: [1, 2, 3, 4, 5, 6], concurrency: 2 }
    run: |
      echo begin >> log
      test \${{ item }} -gt 1 || exit 0
      sleep 300
finally:
  - { id: tidy, run: echo tidy >> log }
`,
  }, async (scene) => {
    const running = scene.start("w.yaml");
    await scene.untilSaid("log", "begin", 3);
    await scene.until(
      "the first batch has ended",
      async () => (await scene.spans("each[0,1)"))[0]?.end !== undefined,
    );
    await scene.cancelAndKill(running);
    const report = await scene.finish();
    assert.equal(report.status, "cancelled");
    assert.equal(scene.count("log", "begin"), 3, "nothing new is started");
    assert.equal(scene.count("log", "tidy"), 1);
    const step = report.steps[0];
    assert.equal((step.items ?? 0) - (step.failed ?? 0), 1, "the batch that had ended counts (S5)");
    await scene.assertSound();
  }));

Deno.test("a cancelled run that dies in a sub-workflow cancels that when it is resumed (S6, J3)", () =>
  Scene.play({
    "w.yaml":
      "name: w\nsteps:\n  - { id: call, uses: workflow, with: { file: ./child.yaml } }\n  - { id: next, run: echo next >> log }\n",
    "child.yaml": `
name: child
steps:
  - id: long
    run: echo begin >> log; sleep 300
finally:
  - { id: tidy, run: echo tidy >> log }
`,
  }, async (scene) => {
    const running = scene.start("w.yaml");
    await scene.untilSaid("log", "begin");
    await scene.cancelAndKill(running);
    const report = await scene.finish();
    assert.equal(report.status, "cancelled");
    assert.equal(scene.read("log"), "begin\ntidy\n");
    const { runs } = await scene.state();
    assert.deepEqual(runs.map(({ summary }) => summary.status), ["cancelled", "cancelled"]);
    await scene.assertSound();
  }));

Deno.test("all batches that were handed out are settled on resume, though one had failed (S5, J3)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - id: each
    for_each: { list: [1, 2, 3, 4, 5, 6], concurrency: 3 }
    run: |
      echo begin >> log
      case \${{ item }} in
        1) exit 1 ;;
        2) exit 0 ;;
        *) . ./die.sh; while test "$(grep -c begin log)" -lt 3; do sleep 0.01; done; sleep 0.3; die here ;;
      esac
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    const report = await scene.finish();
    assert.equal(report.status, "failed");
    const [step] = report.steps;
    assert.deepEqual([step.items, step.failed, step.attempts], [3, 1, 3]);
    await scene.assertSound();
  }));

Deno.test("a run that timed out and dies in finally has timed out (R2)", () =>
  Scene.play({
    "w.yaml": `
name: w
timeout: 300ms
steps:
  - { id: long, run: sleep 300 }
  - { id: next, run: echo next >> log }
finally:
  - { id: tidy, run: . ./die.sh; die here; echo tidy >> log }
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    const report = await scene.finish();
    assert.equal(report.status, "timed_out");
    assert.equal(report.error?.code, "timeout");
    assert.equal(scene.read("log"), "tidy\n");
    await scene.assertSound();
  }));

Deno.test("a run whose steps were done in time has not timed out by dying in finally (R2)", () =>
  Scene.play({
    "w.yaml": `
name: w
timeout: 2s
steps:
  - { id: quick, run: echo quick >> log }
finally:
  - { id: tidy, run: . ./die.sh; sleep 2.5; die here; echo tidy >> log }
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    const report = await scene.finish();
    assert.equal(report.status, "succeeded");
    await scene.assertSound();
  }));

Deno.test("downtime does not count towards the run's timeout, crash after crash (R2)", () =>
  Scene.play({
    "w.yaml": `
name: w
timeout: 2s
steps:
  - { id: one, run: . ./die.sh; die one }
  - { id: two, run: . ./die.sh; die two }
  - { id: three, run: echo three >> log }
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal((await (await scene.resume()).end).code, 137);
    const report = await scene.finish();
    assert.equal(report.status, "succeeded", report.error?.message ?? "");
    await scene.assertSound();
  }));

Deno.test("a condition is not asked again of a step that has run (J2)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - id: one
    if: "!cancelled()"
    run: echo one >> log; echo from one
  - id: two
    run: echo two >> log; sleep 300
finally:
  - { id: tell, run: "echo \${{ steps.one.outputs.stdout }} >> told" }
`,
  }, async (scene) => {
    const running = scene.start("w.yaml");
    await scene.untilSaid("log", "two");
    await scene.cancelAndKill(running);
    const report = await scene.finish();
    assert.equal(report.status, "cancelled");
    assert.equal(statusOf(report, "one"), "succeeded");
    assert.match(scene.read("told"), /from one/);
    await scene.assertSound();
  }));

Deno.test("on_failure sees the same error before and after a crash (J1)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - { id: late, run: "sleep 0.4; echo late is broken >&2; exit 3" }
  - { id: early, needs: [], run: "exit 4" }
on_failure:
  - { id: first, run: "echo \${{ run.error.message }} >> log" }
  - { id: second, run: ". ./die.sh; die here; echo \${{ run.error.message }} >> log" }
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    const report = await scene.finish();
    const [one, two] = scene.read("log").trim().split("\n");
    assert.equal(one, two);
    assert.match(report.error?.message ?? "", /code 4/);
    await scene.assertSound();
  }));

Deno.test("a rerun that dies goes on with what it reuses (R5)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - { id: a, run: "echo a >> log; echo kept" }
  - { id: b, run: "test -e ready" }
  - { id: c, run: ". ./die.sh; die here; echo \${{ steps.a.outputs.stdout }} >> log" }
`,
  }, async (scene) => {
    const first = await scene.start("w.yaml").end;
    assert.equal(first.report?.status, "failed");
    scene.write("ready", "");
    const rerun = scene.rerun(first.report.run_id, "--failed");
    assert.equal((await rerun.end).code, 137);
    const { runs } = await scene.state();
    const again = await (await scene.resume({ runId: runs[1].summary.runId })).end;
    assert.equal(again.report?.status, "succeeded");
    assert.equal(scene.read("log"), "a\nkept\n", "a ran once, in the first run");
    await scene.assertSound();
  }));

Deno.test("an orphan of an interrupted shell step is ended before the step runs again (R6)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - id: leave
    run: |
      if test -e orphan && test -n "$(tr -d '\\0' 2> /dev/null < "/proc/$(cat orphan)/environ")"; then
        echo alive >> log
      fi
      setsid sleep 300 > /dev/null 2>&1 < /dev/null &
      echo $! > orphan
      echo begin >> log
      . ./die.sh
      die here
      kill -9 "$(cat orphan)"
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    const orphan = Number(scene.read("orphan"));
    assert.ok(Deno.readTextFileSync(`/proc/${orphan}/environ`).includes("SPANLOOP_SPAN_ID="));
    assert.equal((await scene.finish()).status, "succeeded");
    assert.equal(scene.read("log"), "begin\nbegin\n");
    await scene.assertSound();
  }));

Deno.test("a wait goes on to the deadline that it had (R2, R5)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - { id: pause, uses: wait, with: { for: 3s } }
  - { id: other, needs: [], run: ". ./die.sh; die here" }
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    assert.equal((await scene.finish()).status, "succeeded");
    const spans = await scene.spans("pause");
    assert.equal(spans.length, 1);
    const [{ start, end }] = spans;
    assert.ok(end!.end.endTime - start.span.startTime >= 3_000_000_000n);
    await scene.assertSound();
  }));

Deno.test("a file that changed stops resume and spoils no other step; put back, the run goes on (F3)", () =>
  Scene.play({
    "items.ndjson": "1\n2\n3\n",
    "w.yaml": `
name: w
steps:
  - id: each
    for_each: { file: items.ndjson }
    run: . ./die.sh; sleep 0.3; die here; cat >> items
  - { id: beside, needs: [], run: "test -e short || sleep 300" }
  # Takes its two seconds to end, in which the one beside it is told to.
  - { id: deaf, needs: [], run: "trap '' TERM; test -e short || sleep 300 & wait" }
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    const before = await scene.state();
    const { atime, mtime } = Deno.statSync(`${scene.folder}/items.ndjson`);
    scene.write("items.ndjson", "1\n2\n3\n4\n");
    const refused = await (await scene.resume()).end;
    assert.deepEqual([refused.code, refused.error?.code], [2, "resume.changed"], refused.stderr);
    assert.match(refused.error!.message, /items\.ndjson has changed/);
    assertKept(before, await scene.state());
    scene.write("items.ndjson", "1\n2\n3\n");
    Deno.utimeSync(`${scene.folder}/items.ndjson`, atime!, mtime!);
    scene.write("short", "");
    assert.ok((await scene.state()).runs[0].summary.lease?.holder === undefined, "given back");
    const report = await scene.finish();
    assert.equal(report.status, "succeeded", JSON.stringify(report.steps));
    assert.equal(scene.read("items"), "1\n2\n3\n");
    await scene.assertSound();
  }));

Deno.test("what stops the resume of a sub-workflow stops its caller and fails nothing (F3, S6)", () =>
  Scene.play({
    "items.ndjson": "1\n2\n",
    "w.yaml": "name: w\nsteps:\n  - { id: call, uses: workflow, with: { file: ./child.yaml } }\n",
    "child.yaml": `
name: child
steps:
  - id: each
    for_each: { file: items.ndjson }
    run: . ./die.sh; die here; cat >> items
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    const { atime, mtime } = Deno.statSync(`${scene.folder}/items.ndjson`);
    scene.write("items.ndjson", "1\n2\n3\n");
    const refused = await (await scene.resume()).end;
    assert.deepEqual([refused.code, refused.error?.code], [2, "resume.changed"], refused.stderr);
    scene.write("items.ndjson", "1\n2\n");
    Deno.utimeSync(`${scene.folder}/items.ndjson`, atime!, mtime!);
    assert.equal((await scene.finish()).status, "succeeded");
    assert.equal(scene.read("items"), "1\n2\n");
    await scene.assertSound();
  }));

Deno.test("a module of a sub-workflow that changed stops resume (R4, S6)", () =>
  Scene.play({
    "w.yaml": "name: w\nsteps:\n  - { id: call, uses: workflow, with: { file: ./child.yaml } }\n",
    "child.yaml": `
name: child
steps:
  - { id: one, run: . ./die.sh; die here }
  - { id: two, uses: script, with: { module: ./two.ts } }
`,
    "two.ts": "export default () => ({ version: 1 });\n",
  }, async (scene) => {
    await scene.crash("w.yaml");
    scene.write("two.ts", "export default () => ({ version: 2 });\n");
    const refused = await (await scene.resume()).end;
    assert.deepEqual([refused.code, refused.error?.code], [2, "resume.changed"], refused.stderr);
    assert.match(refused.error!.message, /two\.ts/);
    const accepted = await (await scene.resume({}, "--accept-changes")).end;
    assert.equal(accepted.report?.status, "succeeded", accepted.stderr);
    await scene.assertSound();
  }));

Deno.test("a step's timeout ends the sub-workflow that it calls (S6)", () =>
  Scene.play({
    "w.yaml":
      "name: w\nsteps:\n  - { id: call, uses: workflow, with: { file: ./child.yaml }, timeout: 500ms }\n",
    "child.yaml": `
name: child
steps:
  - { id: long, run: sleep 300 }
finally:
  - { id: tidy, run: echo tidy >> log }
`,
  }, async (scene) => {
    const { report } = await scene.start("w.yaml").end;
    assert.equal(report?.status, "failed");
    assert.equal(statusOf(report, "call"), "timed_out");
    const { runs } = await scene.state();
    assert.equal(runs[1].summary.status, "cancelled");
    assert.equal(scene.read("log"), "tidy\n");
    await scene.assertSound();
  }));

Deno.test("a step that was interrupted again and again keeps its number and its key (R5, R6)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - id: stubborn
    run: |
      . ./die.sh
      echo "$SPANLOOP_IDEMPOTENCY_KEY $SPANLOOP_ATTEMPT" >> log
      test "$SPANLOOP_ATTEMPT" = 2 || exit 75
      die one
      die two
      die three
      echo "value=42" >> "$SPANLOOP_OUTPUT"
    retry: { attempts: 2, initial: 10ms }
`,
  }, async (scene) => {
    await scene.crash("w.yaml");
    for (let i = 0; i < 2; i++) assert.equal((await (await scene.resume()).end).code, 137);
    const report = await scene.finish();
    assert.equal(report.status, "succeeded");
    assert.equal(report.steps[0].attempts, 2);
    assert.equal(outputsOf(report, "stubborn").value, "42");
    const key = `${report.run_id}/stubborn`;
    assert.deepEqual(
      scene.read("log").trim().split("\n"),
      [1, 2, 2, 2, 2].map((attempt) => `${key} ${attempt}`),
    );
    await scene.assertSound();
  }));
