import assert from "node:assert/strict";
import { StepError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { StepResult } from "../core/step.ts";
import { attempt, batchOf, inFolder, testPorts } from "./_test_context.ts";
import { marked } from "./_process.ts";
import { startRegistry } from "../../tests/npm_registry.ts";
import { importsOf } from "../sandbox/modules.ts";
import { scriptStep } from "./script.ts";

type Changes = Parameters<typeof attempt>[2];

interface Ran {
  result: StepResult | undefined;
  error: StepError | undefined;
  lines: string[];
}

/** Writes `text` as a module and runs it, in process unless `inputs` has permissions. */
async function script(
  folder: string,
  text: string,
  inputs: JsonObject = {},
  changes: Changes = {},
): Promise<Ran> {
  const name = `script_${crypto.randomUUID().slice(0, 8)}.ts`;
  await Deno.writeTextFile(`${folder}/${name}`, text);
  return await run(folder, { module: `./${name}`, ...inputs }, changes);
}

async function run(folder: string, inputs: JsonObject, changes: Changes = {}): Promise<Ran> {
  const { context, lines } = attempt(folder, inputs, changes);
  return await scriptStep(testPorts(folder)).run(context).then(
    (result) => ({ result, error: undefined, lines }),
    (error) => {
      assert.ok(error instanceof StepError, error);
      return { result: undefined, error, lines };
    },
  );
}

const SHOW = `export default (c) => {
  const { items, log, path } = c;
  log("one\\ntwo");
  return { items, with: c.with, params: c.params, attempt: c.attempt, key: c.idempotencyKey, cwd: c.cwd,
    path: path("a/b"), aborted: c.signal.aborted };
}`;

for (const [where, inputs] of [["in process", {}], ["apart", { permissions: {} }]] as const) {
  Deno.test(`a script ${where} gets the context of S5`, () =>
    inFolder(async (folder) => {
      const batch = batchOf([{ n: 1 }]);
      const { result, lines, error } = await script(folder, SHOW, { ...inputs, limit: 2 }, {
        batch,
        attempt: 2,
      });
      assert.equal(error, undefined, error?.message ?? "");
      assert.deepEqual(result?.outputs, {
        items: [{ n: 1 }],
        with: { limit: 2 },
        params: { limit: 3 },
        attempt: 2,
        key: "0190f5a0/load",
        cwd: folder,
        path: `${folder}/a/b`,
        aborted: false,
      });
      assert.deepEqual(lines, ["out: one", "out: two"]);
      assert.equal(result?.tail, "one\ntwo");
    }));

  Deno.test(`a script ${where} reports item counts, or nothing (S5)`, () =>
    inFolder(async (folder) => {
      const batch = batchOf([{}, {}, {}]);
      const counted = await script(folder, "export default () => ({ failed: 1 })", inputs, {
        batch,
      });
      assert.deepEqual(counted.result?.items, { processed: 2, failed: 1 });
      const silent = await script(folder, "export default async () => {}", inputs, { batch });
      assert.deepEqual(silent.result?.outputs, {});
      assert.equal(silent.result?.items, undefined);
      assert.equal(
        silent.result?.attributes?.["process.exit.code"],
        where === "apart" ? 0 : undefined,
        "a script in process has no process of its own",
      );
      const over = await script(folder, "export default () => ({ processed: 9 })", inputs, {
        batch,
      });
      assert.match(over.error?.message ?? "", /9 processed/);
    }));

  Deno.test(`a script ${where} fails with its message and place, and its class (F1)`, () =>
    inFolder(async (folder) => {
      const thrown = await script(
        folder,
        "export default () => {\n  throw new Error('no hush-hush rows');\n}",
        inputs,
        { secrets: ["hush-hush"] },
      );
      assert.equal(thrown.error?.code, "script.threw");
      assert.equal(thrown.error?.errorClass, "error");
      assert.match(thrown.error?.message ?? "", /^no \*\*\* rows \(script_\w+\.ts:2:9\)$/);
      const transient = await script(
        folder,
        "class TransientError extends Error { name = 'TransientError' }\n" +
          "export default async () => { throw new TransientError('later') }",
        inputs,
      );
      assert.equal(transient.error?.errorClass, "transient");
      assert.match(transient.error?.message ?? "", /^later \(/);
      const odd = await script(folder, "export default () => { throw 'text' }", inputs);
      assert.match(odd.error?.message ?? "", /^text/);
    }));

  Deno.test(`a module ${where} that cannot be loaded says why`, () =>
    inFolder(async (folder) => {
      const message = async (text: string) =>
        (await script(folder, text, inputs)).error?.message ?? "";
      assert.match(await message("export const x = 1;"), /no function as its default export/);
      assert.match(
        await message("export default () => { return { a: 1 ; }"),
        /Expected ','.*:1:\d+/s,
      );
      assert.match(await message("import './nope.ts'; export default () => {}"), /nope\.ts/);
      assert.match(
        await message("throw new Error('at the top'); export default () => {}"),
        /at the top/,
      );
      const missing = await run(folder, { module: "nope.ts", ...inputs });
      assert.match(missing.error?.message ?? "", /nope\.ts: there is no such file/);
      assert.match(
        (await run(folder, { module: ".", ...inputs })).error?.message ?? "",
        /not a file/,
      );
      assert.match((await run(folder, inputs)).error?.message ?? "", /needs `module`/);
    }));
}

Deno.test("a script may return only what JSON can carry, and hears which value is not", () =>
  inFolder(async (folder) => {
    for (
      const [value, message] of [
        ["[1]", /returned a list/],
        ["'x'", /returned text/],
        ["new Map()", /returned a Map/],
        ["{ a: { b: [new Date(0)] } }", /outputs\.a\.b\[0\] is a Date/],
        ["{ n: NaN }", /outputs\.n is NaN/],
        ["{ n: 1n }", /outputs\.n is a bigint/],
        ["{ f() {} }", /outputs\.f is a function/],
        ["(() => { const a = {}; a.a = a; return a; })()", /holds itself/],
      ] as [string, RegExp][]
    ) {
      const { error } = await script(folder, `export default () => (${value})`);
      assert.equal(error?.code, "script.outputs");
      assert.match(error?.message ?? "", message);
    }
    const kept = await script(
      folder,
      "const o = { list: [1, undefined], gone: undefined, no: null };\n" +
        "export default () => { setTimeout(() => o.list.push(2)); return o; }",
    );
    assert.deepEqual(kept.result?.outputs, { list: [1, null], no: null });
    const apart = await script(folder, "export default () => ({ n: 1n })", { permissions: {} });
    assert.match(apart.error?.message ?? "", /BigInt/i);
  }));

Deno.test("a script that changed is loaded anew by a later run", () =>
  inFolder(async (folder) => {
    const file = `${folder}/changing.ts`;
    let now = 0;
    const ports = testPorts(folder);
    const step = scriptStep({ ...ports, clock: { ...ports.clock, monotonic: () => now } });
    const value = async (runId: string) =>
      (await step.run(attempt(folder, { module: "changing.ts" }, { runId }).context)).outputs.v;
    await Deno.writeTextFile(file, "export default () => ({ v: 1 })");
    assert.equal(await value("a"), 1);
    await Deno.writeTextFile(file, "export default () => ({ v: 22 })");
    now = 1_000;
    assert.equal(await value("a"), 1);
    assert.equal(await value("b"), 22);
  }));

Deno.test("what a script prints by console are lines of its own step, masked (V4)", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/chatty.ts`,
      `export default async ({ with: { name } }) => {
        console.log("%s has %d", name, 7, { a: 1 });
        await new Promise((resolve) => setTimeout(resolve, 5));
        console.error(name + " hush-hush\\nsecond");
      }`,
    );
    const step = scriptStep(testPorts(folder));
    const runs = ["a", "b"].map((name) =>
      attempt(folder, { module: "chatty.ts", name }, { secrets: ["hush-hush"] })
    );
    const results = await Promise.all(runs.map(({ context }) => step.run(context)));
    for (const [index, name] of ["a", "b"].entries()) {
      assert.deepEqual(runs[index].lines, [
        `out: ${name} has 7 { a: 1 }`,
        `err: ${name} ***`,
        "err: second",
      ]);
      assert.match(results[index].tail ?? "", /\*\*\*\nsecond$/);
    }
  }));

Deno.test("a script that heeds its signal ends gently", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/gentle.ts`,
      `export default ({ signal, log }) => new Promise((resolve) => {
        log("up");
        signal.addEventListener("abort", () => { log("bye"); resolve({}); });
      })`,
    );
    const gentle = attempt(folder, { module: "gentle.ts" });
    const running = scriptStep(testPorts(folder)).run(gentle.context);
    while (gentle.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    gentle.abort(new Error("cancelled"));
    await running;
    assert.deepEqual(gentle.lines, ["out: up", "out: bye"]);
  }));

Deno.test("a script apart is ended with all that it started (R6)", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/busy.ts`,
      `export default ({ log }) => {
        new Deno.Command("sleep", { args: ["60"] }).spawn();
        log("up");
        for (;;);
      }`,
    );
    const busy = attempt(folder, { module: "busy.ts", permissions: { run: ["sleep"] } });
    const running = scriptStep(testPorts(folder)).run(busy.context);
    running.catch(() => {
      // awaited below
    });
    while (busy.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    busy.abort(new Error("cancelled"));
    await assert.rejects(running, { code: "step.ended" });
    assert.equal(marked(busy.context.span.spanId, Deno.pid, true).length, 0);
  }));

Deno.test("a script with permissions may do what they list, and is told what is missing", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/data`);
    await Deno.writeTextFile(`${folder}/data/a.txt`, "rows");
    await Deno.writeTextFile(`${folder}/secret.json`, "{}");
    await Deno.mkdir(`${folder}/.spanloop`);
    await Deno.writeTextFile(`${folder}/.spanloop/store.db`, "others' outputs");
    await Deno.writeTextFile(`${folder}/.spanloop/notes`, "mine");
    const outside = await Deno.makeTempFile();
    const cases: [string, JsonObject, Json | RegExp][] = [
      ["Deno.readTextFileSync(c.path('data/a.txt'))", {}, "rows"],
      [`Deno.readTextFileSync("${outside}")`, {}, /`read: \[.*\]` under `permissions:`/],
      [`Deno.readTextFileSync("${outside}")`, { read: [outside] }, ""],
      ["Deno.readTextFileSync(c.path('.spanloop/notes'))", {}, "mine"],
      [
        "Deno.readTextFileSync(c.path('.spanloop/store.db'))",
        { read: true },
        /belongs to the store/,
      ],
      [
        "Deno.writeTextFileSync(c.path('.spanloop/store.db'), '')",
        { write: true },
        /belongs to the store/,
      ],
      ["Deno.writeTextFileSync(c.path('data/b'), 'x')", {}, /`write: \[/],
      ["(Deno.writeTextFileSync(c.path('data/b'), 'x'), 'ok')", { write: ["data"] }, "ok"],
      ["Deno.env.get('GREETING')", {}, /`env: \[/],
      ["Deno.env.get('GREETING')", { env: ["GREETING"] }, "hi"],
      ["Object.keys(Deno.env.toObject()).length", {}, /`env: true`/],
      ["(await fetch('http://127.0.0.1:18999/')).status", {}, /`net: \[/],
      ["new Deno.Command('true').outputSync().code", {}, /`run: \[/],
      ["new Deno.Command('true').outputSync().code", { run: ["true"] }, 0],
      [`(await import("file://${outside}.ts")).default`, {}, /`read: \[/],
      ["(await import('https://127.0.0.1:9/x.ts')).default", {}, /remote|import/i],
      ["(await import('npm:left-pad@1.3.0')).default", {}, /cache/],
    ];
    for (const [expression, permissions, expected] of cases) {
      const { result, error } = await script(
        folder,
        `export default async (c) => ({ v: ${expression} })`,
        { permissions },
        { env: { GREETING: "hi" } },
      );
      if (expected instanceof RegExp) {
        assert.match(error?.message ?? "passed", expected, expression);
      } else assert.equal(result?.outputs.v, expected, error?.message ?? "");
    }
    await Deno.remove(outside);
  }));

Deno.test("static imports of a script with permissions cannot read outside its folder (I2)", () =>
  inFolder((outer) =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${outer}/keys.ts`, "export default 'stolen'");
      for (
        const specifier of [
          `"${outer}/keys.ts"`,
          `"/etc/passwd" with { type: "text" }`,
          `"${import.meta.url}"`,
        ]
      ) {
        const { error } = await script(
          folder,
          `import x from ${specifier}; export default () => ({ x })`,
          { permissions: {} },
        );
        assert.equal(error?.code, "script.permission", specifier);
      }
      await Deno.symlink(outer, `${folder}/link`);
      await Deno.symlink("nowhere", `${folder}/broken`);
      const through = 'import x from "./link/keys.ts"; export default () => ({ x })';
      const refused = await script(folder, through, { permissions: {} });
      assert.equal(refused.error?.code, "script.permission");
      assert.match(refused.error?.message ?? "", /link is a link to .*may not read/);
      const granted = await script(folder, through, { permissions: { read: [outer] } });
      assert.deepEqual(granted.result?.outputs, { x: "stolen" }, granted.error?.message ?? "");
    })
  ));

Deno.test("a script's deno.json cannot put files into the graph of its process's own module (I2)", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/steps`);
    await Deno.writeTextFile(`${folder}/outside.js`, "throw new TypeError('outside was run')");
    const to = `file://${folder}/outside.js`;
    const own = new URL("./script_child.ts", import.meta.url).href;
    await Deno.writeTextFile(
      `${folder}/steps/deno.json`,
      JSON.stringify({ imports: { "node:path": to, [own]: to } }),
    );
    await Deno.writeTextFile(`${folder}/steps/a.ts`, "export default () => ({ v: 1 })");
    const step = scriptStep(testPorts(folder));
    const inputs = { module: "steps/a.ts", permissions: {} };
    assert.equal((await step.run(attempt(folder, inputs).context)).outputs.v, 1);
  }));

Deno.test("permissions that are none are refused", () =>
  inFolder(async (folder) => {
    const text = "export default () => {}";
    const message = async (permissions: Json) =>
      (await script(folder, text, { permissions })).error?.message ?? "";
    assert.match(await message({ nett: true }), /no permission `nett`/);
    assert.match(await message({ net: 5 }), /`permissions\.net` must be/);
    assert.match(await message("all"), /must be a map/);
  }));

Deno.test("a script's process that ends early, writes rubbish or much is understood", () =>
  inFolder(async (folder) => {
    const permissions = {};
    const exits = await script(folder, "export default () => Deno.exit(3)", { permissions });
    assert.equal(exits.error?.code, "script.exit");
    assert.match(exits.error?.message ?? "", /code 3/);
    const loose = await script(
      folder,
      `export default async () => {
        Deno.stdout.writeSync(new TextEncoder().encode("no line end"));
        console.error("to stderr");
        setInterval(() => {}, 1000);
        return { big: "x".repeat(3_000_000) };
      }`,
      { permissions },
    );
    assert.equal(String(loose.result?.outputs.big).length, 3_000_000);
    assert.deepEqual(loose.lines.toSorted(), ["err: to stderr", "out: no line end"]);
  }));

Deno.test("a script may import spanloop, whichever way it runs", () =>
  inFolder(async (folder) => {
    const text = `import { TransientError } from "spanloop";
      import type { StepContext } from "spanloop";
      export default (_: StepContext) => { throw new TransientError("later"); }`;
    for (const inputs of [{}, { permissions: {} }] as JsonObject[]) {
      const { error } = await script(folder, text, inputs);
      assert.equal(error?.errorClass, "transient", error?.message ?? "");
      assert.match(error?.message ?? "", /^later/);
    }
  }));

Deno.test("a script with names of its own deno.json runs with them", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/deno.jsonc`,
      `{ // names of ours\n "imports": { "greet": "./lib/greet.ts", "lib/": "./lib/", }, }`,
    );
    await Deno.mkdir(`${folder}/lib`);
    await Deno.writeTextFile(`${folder}/lib/greet.ts`, "export default 'hi'");
    const text = `import a from "greet"; import b from "lib/greet.ts";
      import { TransientError } from "spanloop";
      export default () => ({ v: a + b + new TransientError("!").message })`;
    for (const inputs of [{}, { permissions: {} }] as JsonObject[]) {
      const { result, error } = await script(folder, text, inputs);
      assert.equal(result?.outputs.v, "hihi!", error?.message ?? "");
    }
  }));

Deno.test("npm packages are fetched before a script with permissions starts, and only then", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/steps`);
    const registry = await startRegistry(`${folder}/registry`, "answer", {
      "index.js": "module.exports = 42;",
    });
    try {
      const environment = { ...Deno.env.toObject(), NPM_CONFIG_REGISTRY: registry.origin };
      const step = scriptStep(testPorts(folder, { environment }));
      await Deno.writeTextFile(
        `${folder}/steps/a.ts`,
        "import v from 'npm:answer@1.0.0'; export default () => ({ v })",
      );
      const inputs = { module: "steps/a.ts", permissions: {} };
      assert.equal((await step.run(attempt(folder, inputs).context)).outputs.v, 42);
      const before = registry.asked();
      assert.ok(before > 0);
      assert.equal((await step.run(attempt(folder, inputs).context)).outputs.v, 42);
      assert.equal(registry.asked(), before);
      await Deno.writeTextFile(
        `${folder}/steps/b.ts`,
        "export default async () => ({ v: await import('npm:' + 'other@1') })",
      );
      const dynamic = { module: "steps/b.ts", permissions: {} };
      await assert.rejects(step.run(attempt(folder, dynamic).context), /not found in cache/);
      assert.equal(registry.asked(), before);
    } finally {
      await registry.stop();
    }
  }));

Deno.test("the imports of a module are found through its relative imports", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/a.ts`,
      `import type { T } from "types-only";\nimport { x } from './b.ts'; import "npm:side";`,
    );
    await Deno.writeTextFile(`${folder}/b.ts`, `export * from "bare"; import("./a.ts");`);
    assert.deepEqual(importsOf(`${folder}/a.ts`), ["./b.ts", "npm:side", "bare", "./a.ts"]);
  }));
