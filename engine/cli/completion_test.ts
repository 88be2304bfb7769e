import assert from "node:assert/strict";
import { completionScript } from "./completion.ts";
import { COMMANDS } from "./table.ts";

// What bash offers for a command line whose last word is being typed.
async function bash(cwd: string, ...words: string[]): Promise<string[]> {
  const script = `${completionScript("bash")}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _spanloop; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, success } = await new Deno.Command("bash", {
    args: ["--norc", "-c", script, "bash", "spanloop", ...words],
    cwd,
  }).output();
  const text = new TextDecoder();
  assert.ok(success, text.decode(stderr));
  assert.equal(text.decode(stderr), "");
  return text.decode(stdout).split("\n").filter((line) => line !== "").sort();
}

Deno.test("bash completes commands, options, choices, files and runs", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/my flow.yaml`, "");
    await Deno.writeTextFile(`${folder}/notes.txt`, "");
    await Deno.mkdir(`${folder}/sub`);
    assert.deepEqual(await bash(folder, "r"), [
      "receive",
      "report",
      "rerun",
      "resume",
      "run",
      "runs",
    ]);
    assert.deepEqual(
      await bash(folder, ""),
      [...COMMANDS.map(({ name }) => name), "--help", "--version"].sort(),
    );
    assert.deepEqual(await bash(folder, "run", "--d"), ["--drain", "--dry-run", "--durability"]);
    assert.deepEqual(await bash(folder, "run", "--durability", ""), ["full", "normal"]);
    assert.deepEqual(await bash(folder, "runs", "-s", "s"), ["skipped", "succeeded"]);
    assert.deepEqual(await bash(folder, "run", ""), ["my flow.yaml", "sub"]);
    assert.deepEqual(await bash(folder, "run", "--params", "n"), ["notes.txt"]);
    assert.deepEqual(await bash(folder, "report", "--out", "s"), ["sub"]);
    assert.deepEqual(await bash(folder, "serve", ""), ["sub"]);
    assert.deepEqual(await bash(folder, "show", "l"), ["last"]);
    assert.deepEqual(await bash(folder, "completion", ""), ["bash", "fish", "zsh"]);
    assert.deepEqual(await bash(folder, "help", "dif"), ["diff"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("zsh and fish scripts name every command and option", () => {
  const [zsh, fish] = [completionScript("zsh"), completionScript("fish")];
  assert.match(zsh, /^#compdef spanloop\n/);
  for (const command of COMMANDS) {
    assert.ok(zsh.includes(`'${command.name}:`));
    assert.ok(fish.includes(`-a ${command.name} -d`));
    for (const { name } of command.options) {
      assert.ok(new RegExp(`'\\*?--${name}=?\\[`).test(zsh), `zsh: ${command.name} --${name}`);
      assert.ok(fish.includes(` -l ${name}`));
    }
  }
  // A quote or bracket of a summary must not end what encloses it.
  for (const line of zsh.split("\n").filter((text) => text.startsWith("      '"))) {
    assert.match(line, /^ {6}'(?:[^']|'\\'')*'( \\| ;;)$/);
  }
});
