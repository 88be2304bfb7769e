import assert from "node:assert/strict";
import { commandOf, parseArguments, UsageError } from "./arguments.ts";

const parse = (name: string, ...args: string[]) => parseArguments(commandOf(name), args);
const usage = (message: RegExp) => (error: unknown) =>
  error instanceof UsageError && error.exitCode === 2 && message.test(error.message);

Deno.test("options are understood in each of their spellings", () => {
  for (const given of [["-p", "a=1"], ["-pa=1"], ["--param", "a=1"], ["--param=a=1"]]) {
    assert.deepEqual(parse("run", "f.yaml", ...given).all("param"), ["a=1"]);
  }
  const args = parse("run", "-qn", "--param=a=1", "f.yaml", "-p", "b=--x");
  assert.deepEqual(args.operands, ["f.yaml"]);
  assert.ok(args.flag("quiet") && args.flag("dry-run") && !args.flag("json"));
  assert.deepEqual(args.all("param"), ["a=1", "b=--x"]);
  assert.equal(args.value("store"), undefined);
});

Deno.test("-- ends the options", () => {
  assert.deepEqual(parse("run", "--", "--odd.yaml").operands, ["--odd.yaml"]);
  assert.deepEqual(parse("run", "-").operands, ["-"]);
});

Deno.test("mistakes name the nearest thing that exists", () => {
  assert.throws(() => commandOf("valdate"), usage(/did you mean `validate`\? See/));
  assert.throws(
    () => commandOf("zzzzzz"),
    usage(/^There is no command `zzzzzz`; see `spanloop --help`$/),
  );
  assert.throws(() => commandOf("--json"), usage(/before a command/));
  assert.throws(() => parse("run", "f", "--dryrun"), usage(/did you mean `--dry-run`\?/));
  assert.throws(() => parse("prune", "--older-then", "3d"), usage(/did you mean `--older-than`\?/));
  assert.throws(() => parse("run", "f", "-x"), usage(/no option -x/));
  assert.throws(
    () => parse("plan", "f", "--format", "mermaidd"),
    usage(/did you mean `mermaid`\?/),
  );
});

Deno.test("missing, extra and doubled things are refused", () => {
  assert.throws(() => parse("run"), usage(/needs FILE/));
  assert.throws(() => parse("diff", "a"), usage(/needs B/));
  assert.throws(() => parse("run", "a", "b"), usage(/does not know what to do with `b`/));
  assert.throws(() => parse("run", "a", "--store"), usage(/--store needs a value: STORE/));
  assert.throws(() => parse("run", "a", "--json=yes"), usage(/--json takes no value/));
  assert.throws(() => parse("run", "a", "--store=x", "--store=y"), usage(/given twice/));
  assert.deepEqual(parse("validate", "a", "b", "c").operands, ["a", "b", "c"]);
  assert.deepEqual(parse("resume", "--all").operands, []);
});

Deno.test("--help needs nothing else", () => {
  assert.ok(parse("run", "--help").flag("help"));
  assert.ok(parse("diff", "-h").flag("help"));
});
