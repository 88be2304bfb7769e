import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { Json } from "../core/json.ts";
import { ParameterLedger } from "../parameters/ledger.ts";
import { loadWorkflow } from "../spec/load.ts";
import { openStore } from "../store/open.ts";
import { cli, type Ended, inFolder } from "./_process_test.ts";

const FILE = `# Tuned by the loop.
name: tuned
params:
  size:   { type: integer,  default:   20,  tune: { min: 1, max: 500, max_step: 4x, mode: auto } }  # rows
  shy:    { type: integer, default: 5, tune: { min: 0, max: 9 } }
  mode:   { type: enum, values: [fast, safe], default: 'fast', tune: { mode: auto } }
  plain:  { type: string, default: x }
steps:
  - id: say
    run: echo \${{ params.size }} \${{ params.mode }}
outputs: { said: "\${{ steps.say.outputs.stdout }}" }
`;

type Cli = (...args: string[]) => Promise<Ended>;

async function withFile(test: (cli: Cli, folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/tuned.yaml`, FILE);
    await test((...args) => cli(folder, args), folder);
  });
}

async function good(ended: Promise<Ended>): Promise<string> {
  const { code, out, err } = await ended;
  assert.equal(code, 0, err + out);
  return out;
}

async function refused(ended: Promise<Ended>, about: RegExp): Promise<void> {
  const { code, err } = await ended;
  assert.equal(code, 2, err);
  assert.match(err, about);
}

// What a plugin would propose.
async function propose(folder: string, changes: Record<string, Json>): Promise<string> {
  const { workflow } = loadWorkflow({
    bytes: await Deno.readFile(`${folder}/tuned.yaml`),
    file: `${folder}/tuned.yaml`,
    display: "tuned.yaml",
  });
  const store = await openStore(`sqlite:${folder}/.spanloop/store.db`, { durability: "normal" });
  try {
    const { version } = await store.snapshot("tuned");
    const ledger = new ParameterLedger({ store, machineZone: "UTC" });
    const { entry } = await ledger.propose(
      {
        id: crypto.randomUUID(),
        workflow: "tuned",
        author: { kind: "plugin", name: "tuner" },
        changes,
        reason: "rows come slowly",
        evidence: [{ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" }],
        version,
        at: BigInt(Date.now()) * 1_000_000n,
      },
      workflow!,
      { evidenceKnown: true },
    );
    return entry.decision.outcome;
  } finally {
    await store.close();
  }
}

async function ran(cli: Cli, ...args: string[]) {
  const report = JSON.parse(await good(cli("run", "tuned.yaml", "--json", "--quiet", ...args)));
  return { parameters: report.parameters, said: report.outputs.said, id: report.run_id };
}

Deno.test("a value that a person sets rules the next run, below what is given for it (V3, P3)", () =>
  withFile(async (cli, folder) => {
    assert.match(
      await good(cli("params", "list", "tuned.yaml")),
      /nothing has been changed yet[^]*size +20 +default +20 +1 to 500, at most 4x at once +auto/,
    );
    await assert.rejects(Deno.stat(`${folder}/.spanloop`), "looking makes no store");
    assert.equal((await ran(cli)).said, "20 fast");
    assert.equal(
      await good(
        cli("params", "set", "tuned.yaml", "size=400", "mode=safe", "--reason", "new disk"),
      ),
      "Change 1: size 20 \u2192 400; mode fast \u2192 safe (version 1)\n",
    );
    const { said, id } = await ran(cli);
    assert.equal(said, "400 safe");
    assert.equal((await ran(cli, "--param", "size=7")).said, "7 safe");
    const shown = JSON.parse(await good(cli("show", id, "--json")));
    assert.equal((shown.sources ?? shown.run?.sources).size, "tuned");
    assert.match(await good(cli("plan", "tuned.yaml")), /size +400 +tuned/);
    const explained = await good(cli("params", "explain", "tuned.yaml", "size"));
    assert.match(explained, /size is 400\n +tuned by change 1 of a person[^]*why: new disk/);
    assert.match(explained, /default 20, 1 to 500/);
  }));

Deno.test("what does not hold is told with exit code 2 and changes nothing", () =>
  withFile(async (cli) => {
    await refused(cli("params", "set", "tuned.yaml", "size=501"), /from 1 to 500, not 501/);
    await refused(cli("params", "set", "tuned.yaml", "size=many"), /size must be an integer/);
    await refused(cli("params", "set", "tuned.yaml", "plain=y"), /plain has no `tune`/);
    await refused(cli("params", "set", "tuned.yaml", "size"), /NAME=VALUE/);
    await refused(cli("params", "history", "tuned.yaml", "sise"), /did you mean `size`\?/);
    assert.equal(
      await good(cli("params", "history", "tuned.yaml", "size")),
      "Nothing has been proposed yet.\n",
    );
    await refused(cli("params", "explain", "tuned.yaml", "sise"), /did you mean `size`\?/);
    await refused(cli("params", "lisst", "tuned.yaml"), /did you mean `list`\?/);
    await refused(cli("params", "list", "tunde.yaml"), /did you mean `tuned.yaml`\?/);
    await refused(cli("params", "revert", "tuned.yaml", "one"), /number of one change/);
    await refused(cli("params", "revert", "tuned.yaml", "3"), /tuned has no change 3/);
    assert.deepEqual(JSON.parse(await good(cli("params", "history", "tuned.yaml", "--json"))), {
      changes: [],
    });
  }));

Deno.test("a change under measurement is shown, and ended by taking it back", () =>
  withFile(async (cli, folder) => {
    const measured = FILE.replace(
      "steps:",
      "tune: { objective: { minimize: duration, of: say } }\nsteps:",
    );
    await Deno.writeTextFile(`${folder}/tuned.yaml`, measured);
    await ran(cli);
    assert.equal(await propose(folder, { size: 40 }), "testing");
    assert.equal(await propose(folder, { mode: "safe" }), "waiting");
    const list = await good(cli("params", "list", "tuned.yaml"));
    assert.match(
      list,
      /change 1 by the plugin tuner is under measurement: size 20 \u2192 40: tried on 10 % of the work/,
    );
    assert.match(list, /why: rows come slowly\n +spanloop params revert tuned.yaml 1 +\(ends it\)/);
    assert.match(
      await good(cli("params", "revert", "tuned.yaml", "1")),
      /ended the test of change 1/,
    );
    await refused(cli("params", "revert", "tuned.yaml", "1"), /The test of change 1 is over/);
    const { tested, parameters } = JSON.parse(
      await good(cli("params", "list", "tuned.yaml", "--json")),
    );
    assert.deepEqual([tested, parameters[0].value], [null, 20]);
    const { changes } = JSON.parse(await good(cli("params", "history", "tuned.yaml", "--json")));
    assert.deepEqual(
      changes.map(({ outcome, rule, exposure, immediate, verdict }: Record<string, Json>) => [
        outcome,
        rule,
        exposure,
        immediate,
        verdict,
      ]),
      [
        ["ended", "person", null, false, null],
        ["waiting", "experiment", null, false, null],
        ["testing", "experiment", null, false, null],
      ],
    );
  }));

Deno.test("a held change is shown, accepted or rejected, and taken back", () =>
  withFile(async (cli, folder) => {
    await ran(cli);
    assert.equal(await propose(folder, { shy: 8 }), "held");
    assert.equal(await propose(folder, { shy: 9 }), "held");
    const list = await good(cli("params", "list", "tuned.yaml"));
    assert.match(list, /change 1 by the plugin tuner is held for you: shy 5 \u2192 8/);
    assert.match(list, /why: rows come slowly\n +spanloop params accept tuned.yaml 1/);
    assert.match(
      await good(cli("params", "accept", "tuned.yaml", "1")),
      /Change 3: shy 5 \u2192 8/,
    );
    assert.match(await good(cli("params", "reject", "tuned.yaml", "2")), /rejected change 2/);
    await refused(cli("params", "accept", "tuned.yaml", "2"), /rejected already, by change 4/);
    const { held, version, parameters } = JSON.parse(
      await good(cli("params", "list", "tuned.yaml", "--json")),
    );
    assert.deepEqual([held, version], [[], 1]);
    assert.deepEqual([parameters[1].value, parameters[1].source, parameters[1].change], [
      8,
      "tuned",
      3,
    ]);
    assert.match(
      await good(cli("params", "explain", "tuned.yaml", "shy")),
      /by change 3 of a person[^]*which answers change 1/,
    );
    assert.match(await good(cli("params", "revert", "tuned.yaml", "3")), /shy 8 \u2192 the file's/);
    const { value, source } = JSON.parse(
      await good(cli("params", "explain", "tuned.yaml", "shy", "--json")),
    );
    assert.deepEqual([value, source], [5, "default"]);
  }));

Deno.test("an order that is refused makes no store", () =>
  withFile(async (cli, folder) => {
    for (
      const [order, why] of [
        [["revert", "tuned.yaml", "3"], /has no change 3/],
        [["accept", "tuned.yaml", "2"], /has no change 2/],
        [["reject", "tuned.yaml", "2"], /has no change 2/],
        [["set", "tuned.yaml", "size=9999"], /size must be from 1 to 500/],
        [["set", "tuned.yaml", "size=many"], /size must be an integer/],
        [["set", "tuned.yaml", "none=3"], /none is not a parameter/],
        [["freeze", "tuned.yaml", "plain"], /plain has no `tune`/],
        [["unfreeze", "tuned.yaml", "size"], /size is unfrozen/],
      ] as const
    ) {
      await refused(cli("params", ...order), why);
      assert.ok(!existsSync(`${folder}/.spanloop`), order.join(" "));
    }
    await good(cli("params", "set", "tuned.yaml", "size=99"));
    const { changes } = JSON.parse(await good(cli("params", "history", "tuned.yaml", "--json")));
    assert.deepEqual(changes.map((one: Record<string, Json>) => one.values), [{ size: 99 }]);
  }));

Deno.test("a frozen parameter is left alone; explain says who changed it, and because of what", () =>
  withFile(async (cli, folder) => {
    await ran(cli);
    assert.equal(await propose(folder, { size: 500 }), "applied");
    assert.match(await good(cli("params", "freeze", "tuned.yaml", "size")), /frozen, at 80/);
    assert.equal(await propose(folder, { size: 40 }), "refused");
    assert.match(
      await good(cli("params", "list", "tuned.yaml")),
      /size +80 +tuned.*frozen, change 1/,
    );
    const text = await good(cli("params", "explain", "tuned.yaml", "size"));
    assert.match(text, /size is 80\n +tuned by change 1 of the plugin tuner, just now|s ago/);
    assert.match(text, /asked for 500, cut by max_step 4x from 20/);
    assert.match(text, /evidence: span b7ad6b7169203331 of trace 0af7651916cd43dd8448eb211c80319c/);
    assert.match(text, /3 +.*the plugin tuner +refused +frozen +size is frozen/);
    await good(cli("params", "unfreeze", "tuned.yaml", "size"));
    assert.equal(await propose(folder, { size: 40 }), "applied");
    const history = await good(cli("params", "history", "tuned.yaml", "size", "--limit", "1"));
    assert.match(history, /^change .*\n5 .*applied +accepted +size 80 \u2192 40\n$/);
  }));

Deno.test("pin writes tuned values over the defaults, byte for byte, and retires them (A5)", () =>
  withFile(async (cli, folder) => {
    await good(cli("params", "set", "tuned.yaml", "size=200", "mode=safe", "shy=6"));
    const asked = await cli("params", "pin", "tuned.yaml", "size");
    assert.equal(asked.code, 2);
    assert.match(asked.err, /writes with --yes/);
    assert.match(asked.out, /^- {2}size: .*default: {3}20, [^]*^\+ {2}size: .*default: {3}200, /m);
    assert.equal(await Deno.readTextFile(`${folder}/tuned.yaml`), FILE);

    await Deno.chmod(`${folder}/tuned.yaml`, 0o640);
    await good(cli("params", "pin", "tuned.yaml", "size", "mode", "--yes"));
    assert.equal(
      await Deno.readTextFile(`${folder}/tuned.yaml`),
      FILE.replace("default:   20,", "default:   200,").replace("'fast'", "'safe'"),
    );
    assert.equal((await Deno.stat(`${folder}/tuned.yaml`)).mode! & 0o777, 0o640);
    const { parameters } = JSON.parse(await good(cli("params", "list", "tuned.yaml", "--json")));
    assert.deepEqual(
      parameters.map((one: Record<string, Json>) => [one.value, one.source]),
      [[200, "default"], [6, "tuned"], ["safe", "default"]],
    );
    const [newest] =
      JSON.parse(await good(cli("params", "history", "tuned.yaml", "--json"))).changes;
    assert.deepEqual([newest.author, newest.values], [
      { kind: "file" },
      { size: null, mode: null },
    ]);
    await refused(cli("params", "pin", "tuned.yaml", "size"), /no tuned value/);
    assert.deepEqual(await ran(cli).then(({ said }) => said), "200 safe");
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.ok(!names.some((name) => name.endsWith(".tmp")), names.join(" "));
  }));

Deno.test("a run notices that the file was edited, and says so in the ledger (A5)", () =>
  withFile(async (cli, folder) => {
    await good(cli("params", "set", "tuned.yaml", "size=200", "shy=9"));
    await Deno.writeTextFile(
      `${folder}/tuned.yaml`,
      FILE.replace("default:   20,", "default: 30,").replace("max: 9", "max: 7"),
    );
    assert.match(await good(cli("params", "list", "tuned.yaml")), /size +30 +default/);
    const { said, parameters } = await ran(cli);
    assert.deepEqual([said, parameters.shy], ["30 fast", 7]);
    const { changes } = JSON.parse(await good(cli("params", "history", "tuned.yaml", "--json")));
    assert.deepEqual(changes[0].values, { size: null, shy: 7 });
    assert.deepEqual(changes[0].clamped, ["shy"]);
    assert.match(changes[0].reason, /default of size is 30 now, and was 20/);
    await ran(cli);
    const after = JSON.parse(await good(cli("params", "history", "tuned.yaml", "--json")));
    assert.equal(after.changes.length, 2, "once");
  }));

Deno.test("the environment rules over what is tuned, and list says so (V3)", () =>
  withFile(async (_, folder) => {
    await good(cli(folder, ["params", "set", "tuned.yaml", "size=200"]));
    const env = { SPANLOOP_PARAM_SIZE: "9" };
    const list = await good(cli(folder, ["params", "list", "tuned.yaml"], env));
    assert.match(list, /size +9 +environment +20/);
  }));
