import assert from "node:assert/strict";
import { StepError } from "../core/errors.ts";
import type { AttemptContext, StepResult } from "../core/step.ts";
import { attempt, batchOf, clock, inFolder, testPorts } from "./_test_context.ts";
import { marked } from "./_process.ts";
import type { StepPorts } from "./ports.ts";
import { shellStep } from "./shell.ts";

interface Ran {
  result?: StepResult;
  error?: StepError;
  lines: string[];
  context: AttemptContext;
}

/** Runs a script as a shell step would; `during` may abort it. */
async function shell(
  folder: string,
  text: string,
  options: Parameters<typeof attempt>[2] & {
    ports?: Partial<StepPorts>;
    during?: (abort: (reason?: unknown) => void, lines: string[]) => Promise<void> | void;
  } = {},
): Promise<Ran> {
  const { ports, during, ...changes } = options;
  const { context, lines, abort } = attempt(folder, { run: text }, changes);
  const running = shellStep(testPorts(folder, ports)).run(context).then(
    (result) => ({ result, lines, context }),
    (error) => {
      assert.ok(error instanceof StepError, String(error?.stack));
      return { error, lines, context };
    },
  );
  await during?.(abort, lines);
  return await running;
}

function alive(context: AttemptContext): number {
  return marked(context.span.spanId, Deno.pid, true).length;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const abortOnce = (line: string) => async (abort: (reason?: unknown) => void, lines: string[]) => {
  await until(() => lines.includes(line));
  abort(new Error("cancelled by a person"));
};

Deno.test("shell gives stdout without one final newline, and exit_code (S5)", () =>
  inFolder(async (folder) => {
    const { result, lines } = await shell(folder, "echo one; echo; echo two >&2; printf 'x\\n\\n'");
    assert.deepEqual(result?.outputs, { stdout: "one\n\nx\n", exit_code: 0 });
    assert.equal(result?.items, undefined);
    assert.deepEqual(lines.toSorted(), ["err: two", "out: ", "out: ", "out: one", "out: x"]);
    assert.deepEqual((await shell(folder, "true")).result, {
      outputs: { stdout: "", exit_code: 0 },
      items: undefined,
      tail: undefined,
      attributes: { "process.exit.code": 0 },
    });
    const failed = await shell(folder, "exit 3");
    assert.deepEqual(failed.error?.attributes, { "process.exit.code": 3 });
    const killed = await shell(folder, "kill -9 $$");
    assert.equal(killed.error?.attributes, undefined, "a signal leaves no exit code");
  }));

Deno.test("shell runs in cwd with the engine's, the declared and the attempt's environment (R3, R6)", () =>
  inFolder(async (folder) => {
    const { result, context } = await shell(folder, "pwd; env", {
      env: { GREETING: "hi there", TRACEPARENT: "wrong" },
      traceState: "v=1",
      baggage: "team=data",
      attempt: 3,
      ports: {
        environment: {
          PATH: Deno.env.get("PATH")!,
          INIT_CWD: "/x",
          FROM_ENGINE: "1",
          BAGGAGE: "old",
        },
      },
    });
    const lines = String(result?.outputs.stdout).split("\n");
    assert.equal(lines[0], folder);
    for (
      const line of [
        "FROM_ENGINE=1",
        "GREETING=hi there",
        `TRACEPARENT=00-${context.span.traceId}-${context.span.spanId}-01`,
        "TRACESTATE=v=1",
        "BAGGAGE=team=data",
        `SPANLOOP_OUTPUT=${context.outputFile}`,
        "SPANLOOP_IDEMPOTENCY_KEY=0190f5a0/load",
        `SPANLOOP_RUN_ID=${context.runId}`,
        "SPANLOOP_STEP_ID=load",
        "SPANLOOP_ATTEMPT=3",
        `SPANLOOP_SPAN_ID=${context.span.spanId}`,
      ]
    ) assert.ok(lines.includes(line), `${line} is missing`);
    assert.ok(!lines.some((line) => line.startsWith("INIT_CWD")));
    const bare = await shell(folder, "echo ${BAGGAGE-none} ${TRACESTATE-none}", {
      ports: { environment: { PATH: Deno.env.get("PATH")!, BAGGAGE: "old", TRACESTATE: "old" } },
    });
    assert.equal(bare.result?.outputs.stdout, "none none");
  }));

Deno.test("shell reads SPANLOOP_OUTPUT as lines, as several lines and as JSON", () =>
  inFolder(async (folder) => {
    const lines = await shell(
      folder,
      'printf "rows=12\\nempty=\\nnote<<END\\na=1\\n\\nb\\nEND\\nlast=a=b" > "$SPANLOOP_OUTPUT"; echo hi',
    );
    assert.deepEqual(lines.result?.outputs, {
      stdout: "hi",
      exit_code: 0,
      rows: "12",
      empty: "",
      note: "a=1\n\nb",
      last: "a=b",
    });
    const json = await shell(folder, `echo '{"rows": [1, {"a": null}]}' > "$SPANLOOP_OUTPUT"`);
    assert.deepEqual(json.result?.outputs.rows, [1, { a: null }]);
  }));

Deno.test("shell refuses an output file that is bad, large or no file, and shows the line", () =>
  inFolder(async (folder) => {
    const cases: [string, RegExp][] = [
      ['printf "a=1\\nwhat is this\\n" > "$SPANLOOP_OUTPUT"', /Line 2 .*"what is this"/],
      ['echo "a<<END" > "$SPANLOOP_OUTPUT"', /Line 1 .*"END" closes it/],
      ['echo "{broken" > "$SPANLOOP_OUTPUT"', /no valid JSON.*broken/],
      ['mkfifo "$SPANLOOP_OUTPUT"', /not a file/],
      ['ln -s /dev/zero "$SPANLOOP_OUTPUT"', /not a file/],
      ['head -c 1100000 /dev/zero > "$SPANLOOP_OUTPUT"', /more than 1048576/],
      ['echo processed=-1 > "$SPANLOOP_OUTPUT"', /`processed` is reserved/],
    ];
    for (const [text, message] of cases) {
      const { error } = await shell(folder, text);
      assert.match(error?.message ?? "", message);
    }
  }));

Deno.test("shell hands a batch to stdin as NDJSON and takes its counts (S5)", () =>
  inFolder(async (folder) => {
    const batch = batchOf([{ n: 1 }, { n: 2 }, { n: 3 }]);
    const ran = await shell(folder, 'cat; echo failed=1 > "$SPANLOOP_OUTPUT"', { batch });
    assert.equal(ran.result?.outputs.stdout, '{"n":1}\n{"n":2}\n{"n":3}');
    assert.deepEqual(ran.result?.items, { processed: 2, failed: 1 });
    const over = await shell(folder, 'echo processed=4 > "$SPANLOOP_OUTPUT"', { batch });
    assert.match(over.error?.message ?? "", /4 processed.*batch has 3/);
  }));

Deno.test("shell neither blocks on a large stdin nor on one that is not read", () =>
  inFolder(async (folder) => {
    const batch = batchOf(
      Array.from({ length: 20_000 }, (_, n) => ({ n, text: "x".repeat(200) })),
    );
    const read = await shell(folder, "cat | wc -c", { batch });
    assert.equal(Number(read.result?.outputs.stdout), batch.ndjson().length);
    // Both pipes are full at once: output must be read while input is written.
    const both = await shell(folder, "cat; head -c 300000 /dev/zero >&2", { batch });
    assert.equal(both.result?.outputs.truncated, true);
    const unread = await shell(folder, "exec 0<&-; echo done", { batch });
    assert.equal(unread.result?.outputs.stdout, "done");
    const partly = await shell(folder, "head -n 1 | wc -l", { batch });
    assert.equal(Number(partly.result?.outputs.stdout), 1);
  }));

Deno.test("shell keeps the first MiB of 10 MB of output and reports all its lines", () =>
  inFolder(async (folder) => {
    const { result, lines } = await shell(folder, "seq 1 1400000");
    assert.equal(lines.filter((line) => line.startsWith("out: ")).length, 1_400_000);
    assert.match(lines.at(-1) ?? "", /^err: .*first 1048576/);
    const stdout = String(result?.outputs.stdout);
    assert.ok(stdout.length <= 1 << 20 && stdout.length > 1_000_000);
    assert.ok(stdout.startsWith("1\n2\n3\n"));
    assert.equal(result?.outputs.truncated, true);
    assert.ok(result?.tail?.endsWith("1399999\n1400000"));
  }));

Deno.test("shell decodes UTF-8 that is split over writes, and survives binary output", () =>
  inFolder(async (folder) => {
    const split = await shell(
      folder,
      "printf '\\342'; sleep 0.05; printf '\\202'; sleep 0.05; printf '\\254 ok'",
    );
    assert.equal(split.result?.outputs.stdout, "\u20ac ok");
    assert.deepEqual(split.lines, ["out: \u20ac ok"]);
    const binary = await shell(folder, "printf '\\000\\377\\376a'");
    assert.equal(binary.result?.outputs.stdout, "\0\ufffd\ufffda");
    await shell(folder, "head -c 300000 /dev/urandom");
  }));

Deno.test("shell reports lines while the process runs, progress as a terminal would be left with it", () =>
  inFolder(async (folder) => {
    const { error } = await shell(folder, "printf '10%%\\r90%%\\r\\ndone\\r\\n'; sleep 60", {
      during: abortOnce("out: done"),
    });
    assert.match(error?.message ?? "", /cancelled by a person/);
    assert.equal(error?.tail, "90%\ndone");
  }));

Deno.test("shell cuts a line without end, but no secret in it (V4)", () =>
  inFolder(async (folder) => {
    const secret = "s3cr3t-of-some-length";
    const { result, lines } = await shell(
      folder,
      `i=0; while [ $i -lt 12000 ]; do printf '%s' "$TOKEN"; i=$((i+1)); done`,
      { secrets: [secret], env: { TOKEN: secret } },
    );
    assert.equal(result?.outputs.stdout, "***".repeat(12_000));
    assert.equal(lines.map((line) => line.slice(5)).join(""), "***".repeat(12_000));
    const plain = await shell(folder, "head -c 200000 /dev/zero | tr '\\0' x");
    assert.ok(plain.lines.length >= 3);
    assert.equal(plain.lines.map((line) => line.slice(5)).join(""), "x".repeat(200_000));
    const cut = await shell(folder, `yes "$TOKEN" | head -n 100000`, {
      secrets: [secret],
      env: { TOKEN: secret },
    });
    assert.match(String(cut.result?.outputs.stdout), /^(\*\*\*\n)+\**$/);
  }));

Deno.test("shell classes exit codes, names signals, and keeps the last lines masked (F1, V4)", () =>
  inFolder(async (folder) => {
    const failed = await shell(folder, "seq 1 30; echo $TOKEN >&2; exit 3", {
      secrets: ["hush-hush"],
      env: { TOKEN: "hush-hush" },
    });
    assert.equal(failed.error?.code, "shell.exit");
    assert.equal(failed.error?.errorClass, "error");
    assert.match(failed.error?.message ?? "", /code 3: (30|\*\*\*)$/);
    const tail = failed.error?.tail?.split("\n") ?? [];
    assert.equal(tail.length, 20);
    assert.ok(tail.includes("***") && tail.includes("30") && !tail.includes("1"));
    const later = await shell(folder, "exit 75");
    assert.equal(later.error?.errorClass, "transient");
    const killed = await shell(folder, "kill -9 $$");
    assert.equal(killed.error?.code, "shell.signal");
    assert.match(killed.error?.message ?? "", /SIGKILL/);
    assert.match((await shell(folder, "no_such_program_x")).error?.message ?? "", /127.*not found/);
    assert.match((await shell(folder, "/etc/passwd")).error?.message ?? "", /126.*chmod/);
  }));

Deno.test("shell says why a process cannot be started", () =>
  inFolder(async (folder) => {
    const start = async (text: string, changes: Parameters<typeof attempt>[2] = {}) =>
      (await shell(folder, text, changes)).error?.message ?? "";
    assert.match(await start("true", { cwd: `${folder}/nope` }), /nope is not a folder/);
    assert.match(await start("echo 'a\0b'"), /NUL/);
    assert.match(await start("true", { env: { A: "x\0y" } }), /NUL/);
    assert.match(await start(`: ${"x".repeat(3_000_000)}`), /longer than the system allows/);
    const windows = await shell(folder, "true", { ports: { platform: "windows" } });
    assert.equal(windows.error?.code, "shell.unsupported");
  }));

Deno.test("cancel ends children that ignore SIGTERM, setsid'd and orphaned ones too (R6)", () =>
  inFolder(async (folder) => {
    const { error, context } = await shell(
      folder,
      `setsid sh -c 'trap "" TERM; echo deaf; while :; do sleep 60; done' &
       (setsid sleep 60 >/dev/null 2>&1 </dev/null &)
       sh -c 'sh -c "sleep 60; :"; :' &
       wait`,
      { during: abortOnce("out: deaf") },
    );
    assert.equal(error?.code, "step.ended");
    assert.equal(alive(context), 0);
  }));

Deno.test("cancel lets a process that heeds SIGTERM finish its work (R6)", () =>
  inFolder(async (folder) => {
    const { error } = await shell(
      folder,
      // The signal goes to the sleep as well, which may be gone by then.
      `trap 'echo bye; kill $! 2>/dev/null; exit 0' TERM; sleep 60 & echo up; wait`,
      { during: abortOnce("out: up") },
    );
    assert.equal(error?.tail, "up\nbye");
  }));

Deno.test("a second interrupt, even a later one, kills without the grace", () =>
  inFolder(async (folder) => {
    const reason = { force: false, message: "interrupted" };
    const { context } = await shell(folder, `trap '' TERM; echo up; while :; do sleep 60; done`, {
      // On this clock the grace never ends, so only force can.
      ports: { clock: { ...clock, monotonic: () => 0 } },
      during: async (abort, lines) => {
        await until(() => lines.includes("out: up"));
        abort(reason);
        await new Promise((resolve) => setTimeout(resolve, 50));
        reason.force = true;
      },
    });
    assert.equal(alive(context), 0);
  }));

Deno.test("an attempt that is cancelled before it starts starts nothing", () =>
  inFolder(async (folder) => {
    const { context, abort } = attempt(folder, { run: "touch started" });
    abort(new StepError("attempt.timeout", "time is up", { errorClass: "timeout" }));
    await assert.rejects(
      shellStep(testPorts(folder)).run(context),
      { code: "step.ended", errorClass: "timeout" },
    );
    await assert.rejects(Deno.stat(`${folder}/started`), Deno.errors.NotFound);
  }));

Deno.test("a background process that holds the pipe is ended with its step (R6)", () =>
  inFolder(async (folder) => {
    const { result, lines, context } = await shell(folder, "sleep 60 & echo started");
    assert.equal(result?.outputs.stdout, "started");
    assert.match(lines.at(-1) ?? "", /^err: 1 background/);
    assert.equal(alive(context), 0);
  }));

Deno.test("output that comes shortly after the shell's end still counts", () =>
  inFolder(async (folder) => {
    const { result, lines } = await shell(folder, "(sleep 0.2; echo late) & echo early");
    assert.equal(result?.outputs.stdout, "early\nlate");
    assert.deepEqual(lines, ["out: early", "out: late"]);
  }));

Deno.test("a process that hides its environment cannot hang the step", () =>
  inFolder(async (folder) => {
    const { result } = await shell(
      folder,
      `env -i "$(command -v sleep)" 60 & echo $! > ${folder}/pid; echo on`,
    );
    assert.equal(result?.outputs.stdout, "on");
    Deno.kill(Number(await Deno.readTextFile(`${folder}/pid`)), "SIGKILL");
  }));

Deno.test("a detached process without the pipes lives on; cleanUp ends it (R6)", () =>
  inFolder(async (folder) => {
    const { context, result } = await shell(folder, "sleep 60 >/dev/null 2>&1 & echo on");
    assert.equal(result?.outputs.stdout, "on");
    assert.equal(alive(context), 1);
    await shellStep(testPorts(folder)).cleanUp?.(context.span);
    assert.equal(alive(context), 0);
  }));

Deno.test("what an inner engine started is killed with the outer attempt (R6)", () =>
  inFolder(async (folder) => {
    const outer = "00f067aa0ba902b7";
    const environment = { ...Deno.env.toObject(), SPANLOOP_SPAN_ID: outer };
    const { context } = await shell(folder, "sleep 60 >/dev/null 2>&1 & :", {
      ports: { environment },
    });
    assert.equal(marked(outer, Deno.pid, false).length, 0);
    assert.equal(marked(outer, Deno.pid, true).length, 1);
    await shellStep(testPorts(folder)).cleanUp?.(context.span);
  }));

Deno.test("with a process group, as on macOS, cancel ends the group", () =>
  inFolder(async (folder) => {
    const { error, context } = await shell(folder, "sh -c 'sleep 60; :' & echo up; wait", {
      ports: { platform: "darwin" },
      during: abortOnce("out: up"),
    });
    assert.equal(error?.code, "step.ended");
    assert.equal(alive(context), 0);
    const left = await shell(folder, "sleep 60 & echo on", { ports: { platform: "darwin" } });
    assert.equal(left.result?.outputs.stdout, "on");
    assert.equal(alive(left.context), 0);
  }));
