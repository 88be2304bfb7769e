import assert from "node:assert/strict";
import { environment, random, scope } from "./_fixture_test.ts";
import { compileShell, quoteWord } from "./shell.ts";

// V2 against the real shell: what a child receives is exactly the value, and no text that the compiler accepts
// lets a value run. Each property prints its seed when it fails.

const PIECES: readonly string[] = [
  "$(echo bad)",
  "`echo bad`",
  "$HOME",
  "${HOME}",
  "'",
  '"',
  "''",
  "\\",
  "\\\\",
  "\n",
  "\t",
  " ",
  "*",
  "?",
  "[a]",
  "~",
  "-n",
  "--",
  ";",
  "&",
  "|",
  ">x",
  "<x",
  "#",
  "!",
  "{a,b}",
  "=",
  "\u00e9",
  "\u{1F44D}",
  "\r",
  "\u2028",
  "%s",
  "\\n",
  "a",
  "EOF\n",
  "$((1))",
  "\x01",
  "\x7f",
  "",
];

const TEXTS = 60;

const decoder = new TextDecoder("utf-8", { fatal: true });

async function words(shell: string, text: string, cwd?: string): Promise<string[]> {
  const command = new Deno.Command(shell, {
    args: ["-c", text],
    cwd,
    stderr: "null",
    stdin: "null",
  });
  const { stdout } = await command.output();
  return decoder.decode(stdout).split("\0").slice(0, -1);
}

function value(next: (bound: number) => number): string {
  return Array.from({ length: next(8) }, () => PIECES[next(PIECES.length)]).join("");
}

async function shells(): Promise<string[]> {
  const found: string[] = [];
  for (const shell of ["sh", "bash"]) {
    try {
      if ((await new Deno.Command(shell, { args: ["-c", ":"] }).output()).success) {
        found.push(shell);
      }
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
    }
  }
  return found;
}

Deno.test("quoted words reach a child byte for byte (V2)", async () => {
  const seed = 7;
  const next = random(seed);
  for (const shell of await shells()) {
    for (let round = 0; round < 10; round++) {
      const values = Array.from({ length: 50 }, () => value(next)).concat(PIECES);
      const text = `printf '%s\\0' ${values.map(quoteWord).join(" ")}`;
      assert.deepEqual(await words(shell, text), values, `${shell}, seed ${seed}, round ${round}`);
    }
  }
});

Deno.test("every accepted place gives the child exactly the value (V2)", async () => {
  const seed = 11;
  const next = random(seed);
  const H = "${{ params.name }}";
  const show = (arg: string) => `printf '%s\\0' ${arg}`;
  const places: readonly (readonly [string, (value: string) => readonly string[]])[] = [
    [show(H), (v) => [v]],
    [show(`--x=${H}`), (v) => [`--x=${v}`]],
    [show(`"a "${H}'b c'${H}`), (v) => [`a ${v}b c${v}`]],
    [`x=${H}; ${show('"$x"')}`, (v) => [v]],
    [`${show("a#b")} ${H} # a comment ' "`, (v) => ["a#b", v]],
    [`cat >/dev/null <<EOF\n'"\nEOF\n${show(H)}`, (v) => [v]],
    [`cat >/dev/null <<-'E F' ; ${show(H)}\n\t'"$(\n\tE F\n${show(H)}`, (v) => [v, v]],
    [`f() { ${show('"$@"')}; }; f ${H} "\${x:-y}" ${H}`, (v) => [v, "y", v]],
    [`case x in (y) ;; x) ${show(H)};; esac; ${show(H)}`, (v) => [v, v]],
    [`(${show(`$((1 + (2)))`)}; ${show(H)})`, (v) => ["3", v]],
    [`x="$(printf '%s.' ${H}; : "(")"; ${show('"${x%.}"')} ${H}`, (v) => [v, v]],
    [`x="$(y=$(printf '%s.' ${H}); echo "$y" # )\n)"; ${show('"${x%.}"')}`, (v) => [v]],
    [`${show("\\\n")}${H} \\" \\' ${H}`, (v) => [v, '"', "'", v]],
    [`if [ ${H} = ${H} ]; then ${show("same")}; fi`, () => ["same"]],
  ];
  for (const shell of await shells()) {
    for (const [text, expected] of places) {
      const { template, problems } = compileShell(text, environment());
      assert.deepEqual(problems, [], text);
      for (let i = 0; i < 4; i++) {
        // `[` has operators of its own, and $( ) drops a final line end; both tests stay clear of these.
        const name = `v${value(next)}.`;
        const script = template!.evaluate(scope({}, { name })) as string;
        assert.deepEqual(
          await words(shell, script),
          expected(name),
          `${shell}, seed ${seed}: ${JSON.stringify({ text, name })}`,
        );
      }
    }
  }
});

Deno.test("no accepted text lets a value run (V2)", async () => {
  const seed = 13;
  const next = random(seed);
  const soup: readonly string[] = [
    "'",
    "'",
    '"',
    '"',
    "`",
    "$(",
    ")",
    "(",
    "${x:-",
    "${x#",
    "}",
    "$((",
    "))",
    "\\",
    "\n",
    "\n",
    " ",
    " ",
    ";",
    "#",
    "<<E\n",
    "<<'E'\n",
    "<<-E\n",
    "E\n",
    "\nE\n",
    "case a in ",
    " a) ",
    ";; ",
    " esac",
    "$'",
    "$",
    "|",
    "&&",
    " : ",
    " : ",
    "x=",
    "a",
    "{ ",
    "; }",
    "<",
    "\\\n",
    "$x",
    "if :; then ",
    "; fi",
    "H",
    "H",
    "H",
    "H",
    "H",
    "H",
  ];
  const directory = await Deno.makeTempDir();
  const canary = `${directory}/ran`;
  const touch = `: >'${canary}'`;
  // Each breaks out of one kind of context.
  const values = [
    `$(${touch})`,
    `\`${touch}\``,
    `'; ${touch}; '`,
    `"; ${touch}; "`,
    `\n${touch}\n`,
    `\nE\n${touch}\n`,
    `; ${touch} #`,
    `}; ${touch}; $(${touch})`,
    `)); ${touch}; x[$(${touch})]`,
    `'"$(${touch})"'`,
    `\\'; ${touch}; #`,
  ];
  const found = await shells();
  // Which of the values ran, of a text that the compiler has let through.
  const ran = async (shell: string, text: string): Promise<string> => {
    const { template } = compileShell(text, environment());
    const scripts = values.map((name) => template!.evaluate(scope({}, { name })) as string);
    const lines = scripts.map((script, i) =>
      `${shell} -c ${quoteWord(script)}; [ -e ran ] && echo ${i}`
    );
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `exec 3>&1 >/dev/null\n${lines.map((line) => `${line} >&3`).join("\n")}`],
      cwd: directory,
      stderr: "null",
      stdin: "null",
    }).output();
    await removeIfThere(canary);
    return new TextDecoder().decode(stdout);
  };
  let accepted = 0;
  try {
    for (const shell of found) {
      // The trap springs when it should.
      assert.notEqual(await ran(shell, ': "${{ raw(params.name) }}"'), "");
      assert.notEqual(await ran(shell, ": ${{ raw(params.name) }}"), "");
    }
    for (let i = 0; accepted < TEXTS && i < 100 * TEXTS; i++) {
      const pieces = Array.from({ length: 3 + next(12) }, () => soup[next(soup.length)]);
      if (!pieces.includes("H")) continue;
      const text = pieces.join("").replaceAll("H", " ${{ params.name }}");
      if (compileShell(text, environment()).problems.length > 0) continue;
      accepted++;
      for (const shell of found) {
        const where = `${shell}, seed ${seed}, case ${i}: ${JSON.stringify(text)}`;
        assert.equal(await ran(shell, text), "", where);
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  assert.equal(accepted, TEXTS);
});

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
  }
}
