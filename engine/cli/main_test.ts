// The command line as a person has it: real processes and a real store.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  canWithdraw,
  cli,
  decoder,
  inFolder,
  MAIN,
  settings,
  started,
  withoutRights,
} from "./_process_test.ts";

const runIdOf = (json: string): string => JSON.parse(json).run_id;

Deno.test("run: outputs on stdout, progress on stderr, the store's path once (R3), exit 0", () =>
  inFolder(async (folder) => {
    const { code, out, err } = await cli(folder, ["run", "one.yaml", "-p", "who=a b"]);
    assert.equal(code, 0, err);
    assert.equal(out, "said: hello a b\n");
    assert.match(
      err,
      /^store \.spanloop\/store\.db\nhello \| hello a b\nok hello [\d.]+ m?s\n✓ one succeeded in /,
    );
    assert.equal(err.split("store.db").length, 2);
    assert.ok(
      !err.includes("\u001b") && !out.includes("\u001b"),
      "no colour where there is no terminal",
    );
  }));

Deno.test("run --json prints one object on one line, whether the run succeeds or fails", () =>
  inFolder(async (folder) => {
    const good = await cli(folder, ["run", "one.yaml", "--json", "--quiet"]);
    assert.equal(good.code, 0, good.err);
    assert.match(good.out, /^\{.*\}\n$/);
    const report = JSON.parse(good.out);
    assert.equal(report.status, "succeeded");
    assert.equal(report.workflow, "one");
    assert.deepEqual(report.parameters, { who: "world", n: 1 });
    assert.match(report.run_id, /^[\da-f-]{36}$/);
    assert.match(report.trace_id, /^[\da-f]{32}$/);
    assert.equal(typeof report.duration_ms, "number");
    assert.deepEqual(Object.keys(report.steps[0]).slice(0, 6), [
      "id",
      "status",
      "attempts",
      "duration_ms",
      "outputs",
      "error",
    ]);
    assert.equal(good.err, "store .spanloop/store.db\n");

    const bad = await cli(folder, ["run", "failing.yaml", "--json"]);
    assert.equal(bad.code, 1);
    assert.equal(bad.out.split("\n").length, 2);
    assert.deepEqual(JSON.parse(bad.out).steps.map((step: { status: string }) => step.status), [
      "succeeded",
      "failed",
      "skipped",
    ]);
  }));

Deno.test("a failed run exits 1 and says why, with the last output made safe, and how to go on", () =>
  inFolder(async (folder) => {
    const { code, err } = await cli(folder, ["run", "failing.yaml"]);
    assert.equal(code, 1);
    assert.match(err, /\n {2}bad {2}.*code 1.*\n {4}│ first\n {4}│ last words\n/);
    assert.match(err, /spanloop show [\da-f]{8} --step bad/);
    assert.match(err, /spanloop rerun [\da-f]{8} --failed/);
    assert.ok(!err.includes("\u001b"));

    await Deno.writeTextFile(`${folder}/fixed`, "");
    const again = await cli(folder, ["rerun", "last", "--failed", "--json"]);
    assert.equal(again.code, 0, again.err);
    assert.match(again.err, /^reused good$/m);
    assert.equal(JSON.parse(again.out).steps[0].attempts, 0);
  }));

Deno.test("what is invalid or misused exits 2 with a sentence and no stack", () =>
  inFolder(async (folder) => {
    const misuses: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /Usage: spanloop COMMAND/],
      [["rn"], /no command `rn`; did you mean `run`\?/],
      [["run", "one.yaml", "--quite"], /no option --quite; did you mean `--quiet`\?/],
      [["run"], /`run` needs FILE/],
      [["run", "absent"], /Cannot read absent: there is no such file/],
      [["run", "none.yaml"], /no file `none\.yaml`; did you mean `one\.yaml`\?/],
      [["run", "."], /`\.` is a folder; `run` takes one workflow file, such as `\.\/bad\.yaml`/],
      [["one.yaml"], /no command `one\.yaml`; did you mean `run one\.yaml`\?/],
      [["run", "one"], /no file `one`; did you mean `one\.yaml`\?/],
      [["plan", "./oen.yaml"], /no file `\.\/oen\.yaml`; did you mean `\.\/one\.yaml`\?/],
      [["run", "last"], /did you mean `rerun last`\?/],
      [["run", "one.yaml", "who=x"], /what to do with `who=x`; did you mean `--param who=x`\?/],
      [["run", "one.yaml", "--who=x"], /no option --who; did you mean `--param who=x`\?/],
      [["serve", "one.yaml"], /^error: Cannot serve one\.yaml: it is not a folder\n$/],
      [["serve", "nowhere"], /^error: Cannot serve nowhere: there is no such folder\n$/],
      [["run", "bad.yaml"], /^bad\.yaml:2:1: error: .*stepps[^]*2 \| stepps:\n[^]*\^\^\^/],
      [["run", "one.yaml", "-p", "n=many"], /n must be an integer/],
      [["run", "one.yaml", "-p", "nn=1"], /nn/],
      [["run", "one.yaml", "-p", "who"], /--param takes NAME=VALUE/],
      [["run", "one.yaml", "--params", "none.json"], /none\.json: there is no such file/],
      [["run", "one.yaml", "--params", "one.yaml"], /name|steps/],
      [["run", "one.yaml", "--store", "file.db"], /sqlite:FILE/],
      [["show", "nothing"], /There are no runs in .*store\.db yet/],
      [["resume"], /either RUN or --all/],
      [["prune"], /--older-than/],
      [["prune", "--older-than", "soon"], /such as 30d/],
      [["completion", "bish"], /did you mean `bash`\?/],
      [["help", "shw"], /did you mean `show`\?/],
    ];
    for (const [args, message] of misuses) {
      const { code, out, err } = await cli(folder, args);
      assert.equal(code, 2, `${args.join(" ")}: ${err}`);
      assert.match(err, message, args.join(" "));
      assert.equal(out, "");
      assert.ok(!/^\s+at /m.test(err), `a stack for ${args.join(" ")}`);
    }
  }));

Deno.test("parameters: command line before file before environment before default (V3)", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/p.yaml`, "who: file\nn: 2\n");
    const values = async (args: string[], env = {}) =>
      JSON.parse((await cli(folder, ["run", "one.yaml", "--json", "-q", ...args], env)).out)
        .parameters;
    const env = { SPANLOOP_PARAM_WHO: "env", SPANLOOP_PARAM_N: "3" };
    assert.deepEqual(await values([], env), { who: "env", n: 3 });
    assert.deepEqual(await values(["--params", "p.yaml"], env), { who: "file", n: 2 });
    assert.deepEqual(await values(["--params=p.yaml", "--param", "who=line"], env), {
      who: "line",
      n: 2,
    });
  }));

Deno.test("the caller's folder is INIT_CWD, and --store goes before SPANLOOP_STORE (R3)", () =>
  inFolder(async (folder) => {
    const env = { INIT_CWD: folder, SPANLOOP_STORE: "sqlite:env.db" };
    const first = await cli("/", ["run", "one.yaml"], env);
    assert.equal(first.code, 0, first.err);
    assert.match(first.err, /^store env\.db\n/);
    const second = await cli("/", ["run", "one.yaml", "--store", "sqlite:flag.db"], env);
    assert.match(second.err, /^store flag\.db\n/);
    assert.ok((await Deno.stat(`${folder}/flag.db`)).isFile);
    const memory = await cli("/", ["run", "one.yaml", "--store", "memory:"], env);
    assert.match(memory.err, /^store memory:\n/);
    assert.equal(JSON.parse((await cli("/", ["runs", "--json"], env)).out).length, 1);
  }));

Deno.test("a step that calls spanloop means the store that was named, from its own folder (R3)", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/flows`);
    await Deno.writeTextFile(
      `${folder}/flows/one.yaml`,
      `name: one
steps: [{ id: ask, run: 'echo "\${SPANLOOP_STORE-none}"' }]
outputs: { said: "\${{ steps.ask.outputs.stdout }}" }
`,
    );
    const said = async (args: readonly string[], env = {}) =>
      (await cli(folder, ["run", "flows/one.yaml", "-q", ...args], env)).out;
    assert.equal(await said([]), "said: none\n");
    const file = `said: sqlite:${folder}/at.db\n`;
    assert.equal(await said(["--store", "sqlite:at.db"]), file);
    assert.equal(await said([], { SPANLOOP_STORE: "sqlite:at.db" }), file);
  }));

Deno.test("runs, show, diff and prune read the store that run wrote", () =>
  inFolder(async (folder) => {
    const a = runIdOf((await cli(folder, ["run", "one.yaml", "--json"])).out);
    const b = runIdOf((await cli(folder, ["run", "one.yaml", "--json", "-p", "who=you"])).out);
    await cli(folder, ["run", "items.yaml"]);

    const table = (await cli(folder, ["runs"])).out.trimEnd().split("\n");
    assert.equal(table.length, 4);
    assert.match(table[1], /items +✓ succeeded/);
    const listed = JSON.parse(
      (await cli(folder, ["runs", "--json", "-w", "one", "-s", "succeeded"])).out,
    );
    assert.deepEqual(listed.map((run: { run_id: string }) => run.run_id), [b, a]);
    assert.equal((await cli(folder, ["runs", "-s", "failed"])).out, "There are no such runs.\n");

    const shown = await cli(folder, ["show", a.slice(-8)]);
    assert.match(
      shown.out,
      new RegExp(`run +${a}[^]*who +world +default[^]*◆✓ hello .*█[^]*said: hello world`),
    );
    const step = await cli(folder, ["show", b, "--step", "hello"]);
    assert.match(step.out, /inputs\n +run: echo hello 'you'[^]*outputs\n +stdout: hello you/);
    const unknown = await cli(folder, ["show", b, "--step", "helo"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /did you mean `hello`\?/);
    const each = await cli(folder, ["show", "last"]);
    assert.match(each.out, /\[0,2\).*█[^]*\[2,4\).*█[^]*\[4,5\)/);
    const json = JSON.parse((await cli(folder, ["show", "last", "--json"])).out);
    assert.deepEqual(json.steps[0].tries.map((each: { range: number[] }) => each.range), [[0, 2], [
      2,
      4,
    ], [4, 5]]);

    const diff = await cli(folder, ["diff", a, b]);
    assert.equal(diff.code, 0, diff.err);
    assert.match(diff.out, /parameters\n {2}who {2}world -> you\n/);
    const compared = JSON.parse((await cli(folder, ["diff", a, b, "--json"])).out);
    assert.deepEqual(compared.parameters, [{ name: "who", a: "world", b: "you" }]);

    assert.equal(
      (await cli(folder, ["prune", "--older-than", "1h"])).out,
      "0 runs older than 1 h 00 m were deleted.\n",
    );
    assert.match(
      (await cli(folder, ["prune", "--older-than", "0s", "-n"])).out,
      /^3 runs .* would be deleted/,
    );
    assert.equal(
      (await cli(folder, ["prune", "--older-than", "0s", "--json"])).out,
      '{"pruned":3,"received_spans":0,"ledger_entries":0}\n',
    );
    assert.equal((await cli(folder, ["runs", "--json"])).out, "[]\n");
    assert.equal((await cli(folder, ["runs"])).out, "There are no runs yet.\n");
  }));

Deno.test("what only looks for runs makes no store that the next run would find (R3)", () =>
  inFolder(async (folder) => {
    const none = "There are no runs yet: there is no store at .spanloop/store.db\n";
    const far = `${folder}/not/there.db`;
    const looking: readonly (readonly [readonly string[], number, string])[] = [
      [["runs"], 0, none],
      [["runs", "-s", "failed"], 0, none],
      [["runs", "--json"], 0, "[]\n"],
      [["runs", "--store", `sqlite:${far}`], 0, none.replace(".spanloop/store.db", "not/there.db")],
      [
        ["prune", "--older-than", "1s", "--json"],
        0,
        '{"pruned":0,"received_spans":0,"ledger_entries":0}\n',
      ],
      [["prune", "--older-than", "1s", "-n", "--json"], 0, '{"would_prune":0}\n'],
      [["resume", "--all", "--json"], 0, '{"runs":[]}\n'],
      [["show", "last"], 2, ""],
      [["show", "01a1fd9b-11b5-75d1-b0c7-c061965a46c4"], 2, ""],
      [["diff", "last", "last"], 2, ""],
      [["cancel", "last"], 2, ""],
      [["resume", "last"], 2, ""],
      [["rerun", "last"], 2, ""],
      [["serve", "nowhere"], 2, ""],
    ];
    const before = [...Deno.readDirSync(folder)].length;
    for (const [args, code, out] of looking) {
      const done = await cli(folder, args);
      assert.deepEqual([done.code, done.out], [code, out], `${args.join(" ")}: ${done.err}`);
      if (code === 2 && args[0] !== "serve") {
        assert.match(done.err, /There are no runs in .* yet\n$/);
      }
      assert.equal([...Deno.readDirSync(folder)].length, before, args.join(" "));
    }
  }));

Deno.test({
  name: "runs, show and diff read a store that they may not write, also one that a kill left",
  ignore: !canWithdraw,
  fn: () =>
    inFolder(async (folder) => {
      await cli(folder, ["run", "one.yaml"]);
      await cli(folder, ["run", "one.yaml", "-p", "who=you"]);
      const store = `${folder}/.spanloop`;
      const lock = () => {
        for (const { name } of Deno.readDirSync(store)) Deno.chmodSync(`${store}/${name}`, 0o444);
        Deno.chmodSync(store, 0o555);
      };
      const reads = async () => {
        const listed = JSON.parse((await withoutRights(folder, ["runs", "--json"])).out);
        const shown = await withoutRights(folder, ["show", "last"]);
        assert.match(shown.out, /said: hello/, shown.err);
        const compared = await withoutRights(folder, ["diff", listed.at(-1).run_id, "last"]);
        assert.match(compared.out, /^A .*\n^B /m, compared.err);
        return listed.length;
      };
      lock();
      try {
        assert.equal(await reads(), 2);
        const refused = await withoutRights(folder, ["run", "one.yaml"]);
        assert.equal(refused.code, 1);
        assert.match(refused.err, /Cannot .* the store .*cannot be written/);
        // What a killed engine leaves: a WAL that was not merged, and its index.
        Deno.chmodSync(store, 0o755);
        for (const { name } of Deno.readDirSync(store)) Deno.chmodSync(`${store}/${name}`, 0o644);
        const copy = `${folder}/copy`;
        const db = new DatabaseSync(`${store}/store.db`);
        db.exec("DELETE FROM runs WHERE id = (SELECT max(id) FROM runs)");
        await Deno.mkdir(copy);
        for (const { name } of Deno.readDirSync(store)) {
          await Deno.copyFile(`${store}/${name}`, `${copy}/${name}`);
        }
        db.close();
        await Deno.remove(store, { recursive: true });
        await Deno.rename(copy, store);
        assert.ok(Deno.statSync(`${store}/store.db-wal`).size > 0);
        lock();
        assert.equal(await reads(), 1, "what stands in the WAL counts");
        Deno.chmodSync(store, 0o755);
        await Deno.remove(`${store}/store.db-shm`);
        lock();
        const unmerged = await withoutRights(folder, ["runs"]);
        assert.equal(unmerged.code, 1);
        assert.match(
          unmerged.err,
          /store\.db-wal, and SQLite can read those only where it may write/,
        );
      } finally {
        Deno.chmodSync(store, 0o755);
      }
    }),
});

Deno.test("resume last names the newest unfinished run when the last one has ended", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/cut.yaml`,
      "name: cut\nsteps:\n  - id: nap\n    run: test -e go || { echo napping; exec sleep 60; }\n",
    );
    const cut = started(folder, ["run", "cut.yaml"]);
    await cut.until("napping");
    cut.child.kill("SIGKILL");
    await cut.end();
    await cli(folder, ["run", "one.yaml"]);
    const { code, err } = await cli(folder, ["resume", "last"]);
    assert.equal(code, 2);
    const id = /has ended \(succeeded\)\. .* of cut: resume ([\da-f]{8})\n$/.exec(err)?.[1];
    assert.ok(id !== undefined, err);
    await Deno.writeTextFile(`${folder}/go`, "");
    assert.equal((await cli(folder, ["resume", id])).code, 0);
    const none = await cli(folder, ["resume", "last"]);
    assert.equal(none.code, 2);
    assert.match(none.err, /no unfinished run; rerun starts one anew/);
  }));

Deno.test("a step whose if cannot be evaluated is told as failed, on a pipe too (S2)", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/if.yaml`,
      "name: if\nsteps:\n  - id: a\n    run: echo x\n  - id: b\n" +
        "    if: int(steps.a.outputs.stdout) > 0\n    run: echo never\n",
    );
    const { code, err } = await cli(folder, ["run", "if.yaml"]);
    assert.equal(code, 1);
    assert.match(err, /^failed b: int\(\) cannot read "x"/m);
    assert.ok(!err.includes("reused"), err);
  }));

Deno.test("a dry run and a plan start nothing", () =>
  inFolder(async (folder) => {
    const dry = await cli(folder, ["run", "one.yaml", "--dry-run", "-p", "who=me"]);
    assert.equal(dry.code, 0, dry.err);
    assert.match(dry.out, /who +me +command line[^]*run: echo hello 'me'[^]*Nothing was run\.\n$/);
    assert.match((await cli(folder, ["plan", "failing.yaml"])).out, /● {3}good {3}shell\n {2}│\n/);
    assert.match(
      (await cli(folder, ["plan", "failing.yaml", "-f", "mermaid"])).out,
      /^flowchart TD\n[^]*s0 --> s1\n/,
    );
    const plan = JSON.parse((await cli(folder, ["plan", "failing.yaml", "--format=json"])).out);
    assert.equal(plan.steps.length, 3);
    assert.equal((await cli(folder, ["runs", "--json"])).out, "[]\n");
  }));

Deno.test("validate lists every mistake of a folder and exits 2, and 0 when there is none", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/raw.yaml`,
      "name: raw\nparams: { flags: { type: string, default: -l } }\nsteps:\n  - id: a\n    run: ls ${{ raw(params.flags) }}\n",
    );
    const one = await cli(folder, ["validate", "raw.yaml"]);
    assert.equal(one.code, 0, one.err);
    assert.match(
      one.out,
      /✓ raw\.yaml {2}raw\n {2}raw\(\) lets a value into the shell unquoted at .*:5:/,
    );
    await Deno.writeTextFile(
      `${folder}/wrong.yaml`,
      "name: wrong\nsteps:\n  - id: a\n    runn: ls\n",
    );
    const all = await cli(folder, ["validate", "."]);
    assert.equal(all.code, 2);
    assert.match(all.err, /wrong\.yaml:4:5: error: [^]*runn/);
    const json = await cli(folder, ["validate", ".", "--json"]);
    assert.equal(json.code, 2);
    assert.equal(JSON.parse(json.out).valid, false);
  }));

Deno.test("a reader that goes away ends it quietly, and a run with its own exit code", () =>
  inFolder(async (folder) => {
    for (const [line, code] of [["schema", "0"], ["run failing.yaml -q --json", "1"]]) {
      const script =
        `"$0" run -A --no-prompt --no-check "$1" ${line} | true; echo "\${PIPESTATUS[0]}"`;
      const { stdout, stderr } = await new Deno.Command("bash", {
        args: ["-c", script, Deno.execPath(), MAIN],
        ...settings(folder, {}),
      }).output();
      assert.ok(!/^\s+at |a bug/m.test(decoder.decode(stderr)), decoder.decode(stderr));
      assert.equal(decoder.decode(stdout), `${code}\n`);
    }
  }));

Deno.test({
  name:
    "on a terminal there are colours and a cursor that comes back; NO_COLOR, dumb and CI are obeyed",
  // `script` gives a program a terminal; its options differ elsewhere.
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(
        `${folder}/nap.yaml`,
        "name: nap\nsteps:\n  - id: nap\n    run: sleep 0.5\n",
      );
      const onTerminal = async (env: Record<string, string>) => {
        const line = `'${Deno.execPath()}' run -A --no-prompt --no-check '${MAIN}' run nap.yaml`;
        const { code, stdout } = await new Deno.Command("script", {
          args: ["-qec", line, "/dev/null"],
          ...settings(folder, { TERM: "xterm-256color", SHELL: "/bin/sh", ...env }),
        }).output();
        assert.equal(code, 0);
        return decoder.decode(stdout);
      };
      const [hide, show, green] = ["\u001b[?25l", "\u001b[?25h", "\u001b[32m"];
      const full = await onTerminal({});
      assert.ok(full.includes(hide) && full.includes(green));
      assert.ok(full.lastIndexOf(show) > full.lastIndexOf(hide));
      const plain = await onTerminal({ NO_COLOR: "1" });
      assert.ok(plain.includes(hide) && !plain.includes(green));
      const dumb = await onTerminal({ TERM: "dumb" });
      assert.ok(!dumb.includes("\u001b"), dumb);
      const ci = await onTerminal({ CI: "true" });
      assert.ok(!ci.includes(hide) && ci.includes("ok nap"));
    }),
});

Deno.test("--help, help and --version answer on stdout with exit 0", () =>
  inFolder(async (folder) => {
    for (const args of [["--help"], ["-h"], ["help"]]) {
      const { code, out } = await cli(folder, args);
      assert.equal(code, 0);
      assert.match(out, /Usage: spanloop COMMAND/);
    }
    const { out } = await cli(folder, ["run", "--help"]);
    assert.equal((await cli(folder, ["help", "run"])).out, out);
    assert.match(out, /Usage: spanloop run FILE/);
    assert.match((await cli(folder, ["--version"])).out, /^spanloop \d+\.\d+\.\d+ \(deno /);
    assert.equal(JSON.parse((await cli(folder, ["schema"])).out).type, "object");
    const settings = JSON.parse((await cli(folder, ["schema", "--settings"])).out);
    assert.deepEqual(Object.keys(settings.properties), ["store", "durability", "plugins"]);
  }));
