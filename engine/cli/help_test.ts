import assert from "node:assert/strict";
import { overview, page } from "./help.ts";
import { makeStyle } from "./style.ts";
import { COMMANDS } from "./table.ts";
import { width } from "./text.ts";

const plain = makeStyle(false);

Deno.test("every command is in the overview, and has usage, options and an example", () => {
  const all = overview(plain).join("\n");
  for (const command of COMMANDS) {
    assert.match(all, new RegExp(`^  ${command.name} .*${command.summary}`, "m"));
    const text = page(command, plain);
    assert.match(text.join("\n"), new RegExp(`Usage: spanloop ${command.name}`));
    assert.match(text.join("\n"), new RegExp(`Examples?:\n  spanloop ${command.name}`));
    for (const option of command.options) {
      assert.match(text.join("\n"), new RegExp(`--${option.name}\\b`));
    }
    const prose = text.filter((line) => !line.startsWith("  spanloop"));
    assert.deepEqual(prose.filter((line) => width(line) > 80), []);
  }
});

Deno.test("a command's notes name operands and values that it has", () => {
  for (const { name, operands, options, notes = [] } of COMMANDS) {
    const named = notes.join(" ").match(/\b(?:RUN|FILE|FOLDER)\b/g) ?? [];
    const known = [...operands.map(({ name }) => name), ...options.map(({ value }) => value ?? "")]
      .flatMap((word) => word.split("|"));
    assert.deepEqual(named.filter((word) => !known.includes(word)), [], name);
  }
  assert.match(
    page(COMMANDS.find(({ name }) => name === "serve")!, plain).join("\n"),
    /--json .*each event as one JSON line/,
  );
});

Deno.test("a command's page reads so", () => {
  const command = COMMANDS.find(({ name }) => name === "rerun")!;
  assert.deepEqual(page(command, plain, 100), [
    "Start a run that reuses the outcomes of an earlier one.",
    "",
    "Usage: spanloop rerun RUN [options]",
    "",
    "RUN is a run's id, the start or the end of one, or `last`.",
    "",
    "Options:",
    "      --from STEP        Reuse what came before this step",
    "      --failed           Reuse everything that did not fail",
    "      --json             Print one JSON document on stdout",
    "  -q, --quiet            Neither progress nor step output on stderr",
    "      --log-format KIND  json: log records on stderr, one a line (else SPANLOOP_LOG_FORMAT)",
    "      --drain TIME       How long plugins may go on after the run, such as 30s (default 5s)",
    "      --durability KIND  full: commits survive a power cut; normal: a killed process",
    "      --store STORE      sqlite:FILE or memory: (else SPANLOOP_STORE, else found near the workflow)",
    "  -h, --help             Show this help",
    "",
    "Examples:",
    "  spanloop rerun last --failed",
    "  spanloop rerun 9f31c2aa --from load",
  ]);
});

Deno.test("options of a command have names and letters of their own", () => {
  for (const { options } of COMMANDS) {
    const names = options.map(({ name }) => name);
    const letters = options.flatMap(({ short }) => short ?? []);
    assert.equal(new Set(names).size, names.length);
    assert.equal(new Set(letters).size, letters.length);
  }
});
