// Logs of real runs: the command line as a process of its own, with its stderr in a pipe.
import assert from "node:assert/strict";
import { cli, command, type Ended } from "../../engine/cli/_process_test.ts";

/** A log record as it stands on stderr. */
interface Line {
  readonly time: string;
  readonly severity: string;
  readonly body: string;
  readonly event_name?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly workflow?: string;
  readonly run_id?: string;
  readonly step_id?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** What `show --json` says of a run. */
interface Shown {
  readonly run_id: string;
  readonly trace_id: string;
  readonly steps: readonly {
    readonly tries: readonly { readonly key: string; readonly span_id: string }[];
  }[];
}

async function inFolder(
  files: Readonly<Record<string, string>>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-logs-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Every line of stderr as a record: whatever is no JSON fails the test. */
function records({ err }: Pick<Ended, "err">): readonly Line[] {
  const lines = err.split("\n");
  assert.equal(lines.pop(), "", "the last line has its end");
  return lines.map((line) => {
    const record = JSON.parse(line) as Line;
    assert.match(record.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    assert.ok(["debug", "info", "warn", "error"].includes(record.severity), line);
    return record;
  });
}

const JSON_LOGS = ["--log-format", "json"];

const PARENT = `name: parent
steps:
  - id: one
    run: echo to-stdout; echo to-stderr >&2
  - id: each
    for_each: { list: [a, b, c], batch: 2 }
    run: cat
  - id: flaky
    run: echo try; test -e tried || { touch tried; exit 75; }
    retry: { attempts: 2, initial: 1ms, on: [transient] }
  - id: call
    uses: workflow
    with: { file: child.yaml }
outputs: { said: "\${{ steps.one.outputs.stdout }}" }
`;
const CHILD = `name: child
steps:
  - id: inner
    run: echo from-the-child
`;

Deno.test("run --log-format json: each line of output is a record under its attempt's span in the journal", () =>
  inFolder({ "parent.yaml": PARENT, "child.yaml": CHILD }, async (folder) => {
    const ended = await cli(folder, ["run", "parent.yaml", ...JSON_LOGS]);
    assert.equal(ended.code, 0, ended.err);
    assert.equal(ended.out, "said: to-stdout\n", "stdout is the command's result");
    const lines = records(ended);
    const shown = JSON.parse((await cli(folder, ["show", "last", "--json"])).out) as Shown;
    const { run_id, trace_id } = shown;
    const spans = new Map<string | undefined, string>();
    for (const { tries } of shown.steps) {
      tries.forEach(({ key, span_id }, i) => spans.set(span_id, i > 0 ? `${key} ${i}` : key));
    }
    const output = lines.filter((line) => line.event_name === "spanloop.step.output");
    const own = output.filter((line) => line.run_id === run_id);
    assert.deepEqual(
      own.map((
        line,
      ) => [spans.get(line.span_id), line.step_id, line.attributes["log.iostream"], line.body])
        .sort(),
      [
        ["each[0,2)", "each", "stdout", '"a"'],
        ["each[0,2)", "each", "stdout", '"b"'],
        ["each[2,3) 1", "each", "stdout", '"c"'],
        ["flaky 1", "flaky", "stdout", "try"],
        ["flaky", "flaky", "stdout", "try"],
        ["one", "one", "stderr", "to-stderr"],
        ["one", "one", "stdout", "to-stdout"],
      ].sort(),
    );
    assert.ok(own.every((line) => line.trace_id === trace_id && line.workflow === "parent"));
    const [inner, ...more] = output.filter((line) => line.run_id !== run_id);
    assert.equal(more.length, 0);
    assert.deepEqual([inner.body, inner.workflow, inner.step_id, inner.trace_id], [
      "from-the-child",
      "child",
      "inner",
      trace_id,
    ]);
    const child = JSON.parse(
      (await cli(folder, ["show", inner.run_id as string, "--json"])).out,
    ) as Shown;
    assert.equal(child.steps[0].tries[0].span_id, inner.span_id);
  }));

Deno.test("run --log-format json says how steps and the run end, and where the store is (R3)", () =>
  inFolder({ "parent.yaml": PARENT, "child.yaml": CHILD }, async (folder) => {
    const lines = records(await cli(folder, ["run", "parent.yaml", ...JSON_LOGS]));
    assert.equal(lines[0].body, "store .spanloop/store.db");
    assert.ok(lines.every((line) => line.run_id !== undefined));
    const told = lines.filter(({ event_name }) => /\.end$/.test(event_name ?? ""))
      .map(({ severity, event_name, body }) =>
        `${severity} ${event_name} ${body.replaceAll(/[\d.]+ (µs|ms|s)/g, "T")}`
      );
    assert.deepEqual(told, [
      "debug spanloop.step.end one succeeded after T",
      "debug spanloop.step.end each succeeded after T",
      "warn spanloop.step.end flaky failed after T, again in T: The command exited with code 75, which asks to try again later",
      "debug spanloop.step.end flaky succeeded after T",
      "debug spanloop.step.end inner succeeded after T",
      "debug spanloop.step.end call succeeded after T",
      "info spanloop.run.end succeeded after T",
    ]);
  }));

Deno.test("with --quiet only warnings are logged, and a run that fails says why", () =>
  inFolder({
    "bad.yaml": "name: bad\nsteps:\n  - id: a\n    run: echo out; exit 3\n",
  }, async (folder) => {
    const ended = await cli(folder, ["run", "bad.yaml", "-q", ...JSON_LOGS]);
    assert.equal(ended.code, 1);
    const told = records(ended).map(({ severity, event_name }) => `${severity} ${event_name}`);
    assert.deepEqual(told, [
      "info undefined", // the store's place (R3)
      "error spanloop.step.end",
      "error spanloop.run.end",
    ]);
  }));

Deno.test("what keeps a run from beginning is a record too; rerun and resume log as run does", () =>
  inFolder({
    "bad.yaml": "name: bad\nsteps:\n  - id: a\n    runn: echo\n",
    "good.yaml": "name: good\nsteps:\n  - id: a\n    run: echo out\n",
  }, async (folder) => {
    const bad = await cli(folder, ["run", "bad.yaml", ...JSON_LOGS]);
    assert.equal(bad.code, 2);
    assert.match(records(bad).map(({ body }) => body).join(), /bad\.yaml:4:5: error: /);
    const env = { SPANLOOP_LOG_FORMAT: "json" };
    assert.equal((await cli(folder, ["run", "good.yaml", "-q"])).code, 0);
    const rerun = records(await cli(folder, ["rerun", "last"], env));
    assert.ok(rerun.some(({ body }) => body === "out"));
    const none = await cli(folder, ["resume", "--all"], env);
    assert.match(records(none)[0].body, /nothing to resume/);
    const ended = await cli(folder, ["resume", "last"], env);
    assert.equal(ended.code, 2);
    assert.deepEqual(records(ended).map(({ severity }) => severity), ["error"]);
  }));

Deno.test("what a script throws when nobody waits for it any more is a record as well", () =>
  inFolder({
    "stray.yaml":
      "name: stray\nsteps:\n  - id: a\n    uses: script\n    with: { module: ./a.ts }\n",
    "a.ts": `export default () => {
  setTimeout(() => { throw new TypeError("astray"); }, 5);
  return new Promise(() => {});
};
`,
  }, async (folder) => {
    const ended = await cli(folder, ["run", "stray.yaml", ...JSON_LOGS]);
    assert.equal(ended.code, 1);
    const { severity, body } = records(ended).at(-1) as Line;
    assert.match(`${severity} ${body}`, /^error astray\n/);
  }));

const SECRET = "pa$$w/ord+ü-4711";

const LEAKS = `name: leaks
params:
  token: { type: secret, from: { env: TOKEN } }
steps:
  - id: shell
    run: |
      printf '%s\\n' "plain $TOKEN"
      printf '%s\\n' "to stderr $TOKEN" >&2
      printf '%s' "$TOKEN" | base64
  - id: script
    uses: script
    with: { module: ./leak.ts, token: "\${{ params.token }}" }
    continue_on_error: true
  - id: web
    uses: http
    with: { url: "http://127.0.0.1:9/\${{ params.token }}" }
    continue_on_error: true
  - id: fails
    run: printf '%s' "$TOKEN" >&2; exit 1
`;
const LEAK = `export default ({ with: { token }, log }) => {
  log("by log " + token);
  console.error("by console " + encodeURIComponent(token));
  throw new Error("no entry with " + JSON.stringify({ token }));
};
`;

Deno.test("no log record shows a secret, in whatever form a step writes it (V4, J6)", () =>
  inFolder({ "leaks.yaml": LEAKS, "leak.ts": LEAK }, async (folder) => {
    const ended = await cli(folder, ["run", "leaks.yaml", ...JSON_LOGS], { TOKEN: SECRET });
    assert.equal(ended.code, 1, ended.err);
    const bodies = records(ended).map(({ body }) => body);
    for (const text of ["plain ***", "to stderr ***", "by log ***", "by console ***", "no entry"]) {
      assert.ok(bodies.some((body) => body.includes(text)), `${text} in\n${bodies.join("\n")}`);
    }
    const utf8 = new TextEncoder().encode(SECRET);
    const forms = [
      SECRET,
      encodeURIComponent(SECRET),
      JSON.stringify(SECRET).slice(1, -1),
      utf8.toBase64(),
      utf8.toBase64({ alphabet: "base64url", omitPadding: true }),
    ];
    for (const form of forms) {
      for (const text of [ended.err, ended.out, ...bodies]) {
        assert.ok(!text.includes(form), `${form} in ${text}`);
      }
    }
  }));

Deno.test("serve --log-format json logs events and output to stderr, and nothing to stdout", () =>
  inFolder({
    "tick.yaml": `name: tick
on: { schedule: { cron: "* * * * * *", timezone: UTC } }
steps:
  - id: a
    run: echo tock
`,
  }, async (folder) => {
    const child = command(folder, ["serve", ".", ...JSON_LOGS]).spawn();
    const out = new Response(child.stdout).text();
    let err = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      err += text;
      if (/"spanloop\.run\.end"/.test(err)) break;
    }
    child.kill("SIGKILL");
    await child.status;
    assert.equal(await out, "");
    const lines = records({ err: err.slice(0, err.lastIndexOf("\n") + 1) });
    assert.ok(lines.some(({ body }) => body === "store .spanloop/store.db"));
    const started = lines.find(({ body }) => /^schedule: started/.test(body));
    assert.equal(started?.workflow, "tick");
    const tock = lines.find(({ body }) => body === "tock");
    assert.deepEqual([tock?.workflow, tock?.step_id, tock?.run_id], ["tick", "a", started?.run_id]);
  }));
