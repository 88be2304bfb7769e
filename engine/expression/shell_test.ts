import assert from "node:assert/strict";
import { ExpressionError } from "./error.ts";
import { environment, scope } from "./_fixture_test.ts";
import { compileShell, quoteWord } from "./shell.ts";

function problemsOf(text: string) {
  const { template, problems, raw } = compileShell(text, environment());
  assert.equal(template, undefined, text);
  assert.deepEqual(raw, []);
  return problems.map(({ from, to, code, message }) => ({
    at: text.slice(from, to),
    code,
    message,
  }));
}

const P = "${{ params.name }}";

Deno.test("an expression becomes one quoted word (V2)", () => {
  const cases: readonly (readonly [string, string])[] = [
    [`echo ${P}`, "echo 'orders'"],
    [`echo --x=${P}.txt`, "echo --x='orders'.txt"],
    [`echo "a b"${P}'c'`, "echo \"a b\"'orders''c'"],
    [`x=$(wc -l < ${P})`, "x=$(wc -l < 'orders')"],
    [`echo "$(cat "$(dirname ${P})")"`, 'echo "$(cat "$(dirname \'orders\')")"'],
    [`echo $((1 + 2)) \${x:-y} ${P}`, "echo $((1 + 2)) ${x:-y} 'orders'"],
    [`echo a#b ${P} # the end`, "echo a#b 'orders' # the end"],
    [`cat <<EOF\nbody\nEOF\necho ${P}`, "cat <<EOF\nbody\nEOF\necho 'orders'"],
    [`cat <<-'A' <<B ${P}\n\tA\nA\nB\n${P}`, "cat <<-'A' <<B 'orders'\n\tA\nA\nB\n'orders'"],
    [`case x in x) echo ${P};; esac`, "case x in x) echo 'orders';; esac"],
    [`(cd ${P} && f() { echo ${P}; })`, "(cd 'orders' && f() { echo 'orders'; })"],
    [`echo \\" ${P} \\'`, "echo \\\" 'orders' \\'"],
    ["echo ${{ params.list }} ${{ run.error }} ${{ params.ratio }}", "echo '[1,2,3]' '' '0.5'"],
    ["echo '$${{ x }}'", "echo '${{ x }}'"],
    ["no expression", "no expression"],
  ];
  for (const [text, expected] of cases) {
    const { template, problems, raw } = compileShell(text, environment());
    assert.deepEqual(problems, [], text);
    assert.deepEqual(raw, []);
    assert.equal(template!.evaluate(scope()), expected);
  }
});

Deno.test("an expression where no word can be is refused, and the right form shown (V2)", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [`echo "hello ${P}"`, "shell-double", `write "hello "${P}`],
    [`echo "${P}"`, "shell-double", `write ${P}`],
    [`echo "a ${P} b"`, "shell-double", `write "a "${P}" b"`],
    [`echo 'it is ${P}.'`, "shell-single", `write 'it is '${P}'.'`],
    [`echo "a\n${P}"`, "shell-double", `write "..."${P}"..."`],
    [`echo "$(echo "x ${P}")"`, "shell-double", `write "x "${P}`],
    [`cat <<EOF\nhello ${P}\nEOF\n`, "shell-heredoc", `write value=${P} on a line before`],
    [`cat <<'EOF'\nhello ${P}\nEOF\n`, "shell-heredoc", "with <<EOF unquoted"],
    [`cat <<EOF\n\${x:-${P}}\n`, "shell-heredoc", "$value in its place"],
    [`cat <<${P}\nx\n`, "shell-delimiter", "write a fixed word"],
    [`echo \`echo ${P}\``, "shell-backtick", `write $(... ${P} ...)`],
    [`echo "\`echo ${P}\`"`, "shell-backtick", `write $(... ${P} ...)`],
    [`echo $(( ${P} + 1 ))`, "shell-arithmetic", `write value=${P}`],
    [`echo \${x:-${P}}`, "shell-expansion", `write value=${P}`],
    [`echo "\${x:-${P}}"`, "shell-expansion", `write value=${P}`],
    [`echo a # ${P}`, "shell-comment", `write $${P}`],
    [`echo \\${P}`, "shell-escaped", `write ${P} without it`],
    [`echo "$(case a in a) echo ${P};; esac)"`, "shell-uncertain", `write value=${P}`],
    [`echo $'a\\'b' ${P}`, "shell-uncertain", `write value=${P}`],
    [`echo "\${x:-'}" ${P}`, "shell-uncertain", `write value=${P}`],
    [`cat <<A $(echo\n) ${P}\nA\n`, "shell-uncertain", `write value=${P}`],
    [`echo ${"$(".repeat(100)} ${P}`, "shell-uncertain", `write value=${P}`],
  ];
  for (const [text, code, form] of cases) {
    const [found, ...others] = problemsOf(text);
    assert.deepEqual(others, [], text);
    assert.deepEqual([found.at, found.code], [P, code], text);
    assert(found.message.includes(form), `${text}: ${found.message}`);
  }
});

Deno.test("the right form of a text with several expressions", () => {
  const found = problemsOf(`echo "a ${P}, ${P}!"`);
  assert.equal(found.length, 2);
  for (const { message } of found) assert(message.endsWith(`write "a "${P}", "${P}"!"`), message);
});

Deno.test("raw() opts out anywhere, and is listed (V2)", () => {
  const text = `echo "\${{ raw(params.name) }}" ${P} # \${{ raw( params.list ) }}`;
  const { template, problems, raw } = compileShell(text, environment());
  assert.deepEqual(problems, []);
  assert.deepEqual(raw.map(({ from, to }) => text.slice(from, to)), [
    "${{ raw(params.name) }}",
    "${{ raw( params.list ) }}",
  ]);
  assert.equal(template!.evaluate(scope()), `echo "orders" 'orders' # [1,2,3]`);
  const [nested] = problemsOf("echo ${{ 'x' + raw(params.name) }}");
  assert.equal(nested.code, "unknown-function");
});

Deno.test("mistakes of expressions and of their places are found together", () => {
  const found = problemsOf('echo ${{ params.nam }} "${{ env.HOM }}"');
  assert.deepEqual(found.map(({ code }) => code), [
    "unknown-parameter",
    "unknown-env",
    "shell-double",
  ]);
});

Deno.test("quoteWord() refuses NUL and says what to do (V2)", () => {
  assert.throws(() => quoteWord("a\0b"), (thrown) => {
    return thrown instanceof ExpressionError && /NUL.*remove it/.test(thrown.message);
  });
  assert.equal(quoteWord(null), "''");
  assert.equal(quoteWord("it's"), "'it'\\''s'");
  assert.equal(quoteWord({ a: [1, true] }), `'{"a":[1,true]}'`);
});
