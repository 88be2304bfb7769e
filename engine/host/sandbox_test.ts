import assert from "node:assert/strict";
import { startRegistry } from "../../tests/npm_registry.ts";
import type { EmitAction } from "../core/action.ts";
import { clock, ended, type Given, hostile, inFolder, start } from "./_test_sandbox.ts";
import { inProcess } from "./in_process.ts";
import { PluginLink } from "./link.ts";

// A plugin whose handler gives, as attributes, what an expression comes to.
function giving(expression: string): string {
  return `import { definePlugin } from "spanloop";
    export default definePlugin({ name: "one", role: "analyzer", subscribe: {}, actions: ["emit"],
      async onSpan(event, context) {
        return [{ type: "emit", name: "given", attributes: { given: await (${expression}) } }];
      } });`;
}

// What the handler of a plugin of one file gives or throws.
async function given(folder: string, text: string, more: Given = {}): Promise<unknown> {
  await Deno.mkdir(`${folder}/plugin`, { recursive: true });
  await Deno.writeTextFile(`${folder}/plugin/plugin.ts`, text);
  const { link } = await start(`${folder}/plugin/plugin.ts`, folder, more);
  try {
    const { failure, actions } = await link.handle([ended()]);
    if (failure !== undefined) return failure.message;
    return (actions[0].actions[0] as EmitAction).attributes?.given;
  } finally {
    await link.close();
  }
}

Deno.test("a sandbox has exactly the permissions that were granted, relative to the file that grants", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/data`);
    await Deno.writeTextFile(`${folder}/data/a.txt`, "granted");
    const read = giving(`Deno.readTextFile("${folder}/data/a.txt")`);
    assert.equal(await given(folder, read, { permissions: { read: ["data"] } }), "granted");
    assert.match(
      String(await given(folder, read)),
      /The plugin may not use read of "?.*a\.txt"?; if it should, add `read: \[.*\]` under `grant\.permissions:`/,
    );
    const environment = { ...Deno.env.toObject(), ONE: "1", TWO: "2" };
    const env = giving(`Deno.env.get("ONE") + Deno.env.get("TWO")`);
    assert.match(
      String(await given(folder, env, { environment, permissions: { env: ["ONE"] } })),
      /may not use env of "?TWO/,
    );
    const all = { environment, permissions: { env: ["ONE", "TWO"] } };
    assert.equal(await given(folder, env, all), "12");
    await assert.rejects(given(folder, env, { permissions: { disk: true } }), {
      code: "plugin.import",
      message: /There is no permission `disk`; there are read, write/,
    });
  }));

Deno.test("the store and the caches are closed to a sandbox that may read and write everything (I2)", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/store.db`, "secret");
    await Deno.writeTextFile(`${folder}/open.txt`, "open");
    const permissions = { read: true, write: true };
    const attempt = (expression: string) => given(folder, giving(expression), { permissions });
    assert.equal(await attempt(`Deno.readTextFile("${folder}/open.txt")`), "open");
    const ways = [
      `Deno.readTextFile("${folder}/store.db")`,
      `Deno.writeTextFile("${folder}/store.db", "")`,
      `Deno.rename("${folder}/store.db", "${folder}/open.db")`,
      `Deno.copyFile("${folder}/store.db", "${folder}/open.db")`,
      `Deno.link("${folder}/store.db", "${folder}/open.db")`,
      `Deno.symlink("${folder}/store.db", "${folder}/open.db")`,
      `Array.fromAsync(Deno.readDir("${folder}/cache"))`,
      `Deno.writeTextFile("${folder}/cache/planted.js", "")`,
    ];
    for (const way of ways) {
      assert.match(String(await attempt(way)), /may not use|requires unscoped/, way);
    }
    assert.equal(await Deno.readTextFile(`${folder}/store.db`), "secret");
    // A denial does not hold for what a link points to, so there must be none.
    await Deno.symlink(`${folder}/store.db`, `${folder}/plugin/data.db`);
    await assert.rejects(attempt("1"), {
      code: "plugin.import",
      message: /data\.db is a link to .*store\.db, which belongs to the engine; remove the link/,
    });
  }));

Deno.test("a plugin reads its own folder, imports from it, and what it prints is its log", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/plugin/lib`, { recursive: true });
    await Deno.writeTextFile(`${folder}/plugin/lib/limit.ts`, "export const limit: number = 3;");
    await Deno.writeTextFile(`${folder}/plugin/data.json`, '{ "a": 4 }');
    await Deno.writeTextFile(
      `${folder}/plugin/plugin.ts`,
      `import { limit } from "./lib/limit.ts";
       import data from "./data.json" with { type: "json" };
       ${giving("[limit, data.a, (console.log('printed\\nin lines'), console.table([1]), 5)]")}`,
    );
    const { link, lines } = await start(`${folder}/plugin/plugin.ts`, folder);
    const { actions } = await link.handle([ended()]);
    assert.deepEqual((actions[0].actions[0] as EmitAction).attributes, { given: [3, 4, 5] });
    while (lines.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(lines.slice(0, 2), ["printed", "in lines"]);
    await link.close();
  }));

Deno.test("a failure in a sandbox has the place in the plugin's folder", () =>
  inFolder(async (folder) => {
    const text = `// one\n// two\n${giving("(() => { throw new RangeError('three') })()")}`;
    await Deno.mkdir(`${folder}/plugin`);
    await Deno.writeTextFile(`${folder}/plugin/plugin.ts`, text);
    const { link } = await start(`${folder}/plugin/plugin.ts`, folder);
    const { failure } = await link.handle([ended()]);
    assert.equal(failure?.name, "RangeError");
    assert.match(failure?.place ?? "", /^plugin\.ts:6:\d+$/);
    await link.close();
    await Deno.writeTextFile(`${folder}/plugin/plugin.ts`, "\nthrow new RangeError('at once');");
    await assert.rejects(start(`${folder}/plugin/plugin.ts`, folder), {
      code: "plugin.import",
      message: "Its module cannot be loaded: at once (plugin.ts:2:7)",
    });
  }));

Deno.test("a plugin's steps run in its sandbox, with their class of failure and their log (F1)", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/plugin`);
    await Deno.writeTextFile(
      `${folder}/plugin/plugin.ts`,
      `import { definePlugin, TransientError } from "spanloop";
       export default definePlugin({ name: "one", role: "agent", steps: { sum: { run(context) {
         context.log("sums");
         if (context.attempt === 1) throw new TransientError("busy");
         return { sum: context.items.reduce((a, b) => a + b, 0) };
       } } } });`,
    );
    const { link } = await start(`${folder}/plugin/plugin.ts`, folder);
    const lines: string[] = [];
    const run = (attempt: number) =>
      link.step(
        { step: "sum", with: {}, items: [1, 2, 3], attempt, idempotencyKey: "k", now: 1 },
        {
          signal: new AbortController().signal,
          onLine: (line) => lines.push(line),
          answer: () => Promise.resolve(null),
        },
      );
    await assert.rejects(run(1), { code: "plugin.transient", errorClass: "transient" });
    assert.deepEqual(await run(2), { sum: 6 });
    assert.deepEqual(lines, ["sums", "sums"]);
    await link.close();
  }));

Deno.test("packages that a deno.json names are fetched before a plugin starts, once, and so is a plugin that is one", () =>
  inFolder(async (folder) => {
    const registry = await startRegistry(`${folder}/registry`, "answer", {
      "index.js":
        `module.exports = { name: "answer", role: "agent", subscribe: {}, onSpan() {}, n: undefined };`,
    });
    try {
      const environment = { ...Deno.env.toObject(), NPM_CONFIG_REGISTRY: registry.origin };
      const { link, description } = await start("npm:answer@1", folder, { environment });
      assert.equal(description.name, "answer");
      assert.equal((await link.handle([ended()])).count, 1);
      await link.close();
      const before = registry.asked();
      assert.ok(before > 0);
      await (await start("npm:answer@1", folder, { environment })).link.close();
      assert.equal(registry.asked(), before);

      const using = `import answer from "answer"; ${giving("answer.name")}`;
      await assert.rejects(given(folder, using, { environment }), {
        code: "plugin.import",
        message: /"answer" not a dependency|not in import map|name the package in a deno\.json/,
      });
      assert.equal(registry.asked(), before, "what nothing names is not fetched");
      const imports = { answer: "npm:answer@1.0.0" };
      await Deno.writeTextFile(`${folder}/plugin/deno.json`, JSON.stringify({ imports }));
      assert.equal(await given(folder, using, { environment }), "answer");
      const more = `${using}; await import("npm:other@1");`;
      await assert.rejects(given(folder, more, { environment }), { code: "plugin.import" });
    } finally {
      await registry.stop();
    }
  }));

Deno.test("a package that cannot be fetched is said so", () =>
  inFolder((folder) =>
    assert.rejects(
      start("npm:answer@1", folder, {
        environment: { ...Deno.env.toObject(), NPM_CONFIG_REGISTRY: "http://127.0.0.1:1" },
      }),
      { code: "plugin.import", message: /npm:answer@1 cannot be fetched: .*is the registry reach/ },
    )
  ));

Deno.test("closing ends a plugin that spins, and what it asked is rejected (H1)", () =>
  inFolder(async (folder) => {
    const { link, gone } = await start(hostile("spin_handler"), folder);
    const handling = link.handle([ended()]);
    handling.catch(() => {
      // Awaited below.
    });
    await link.close();
    await assert.rejects(handling, { code: "plugin.closed" });
    await link.close();
    assert.deepEqual(gone, [], "whoever closes it knows");
  }));

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  Deno.test(`a plugin that spins does not outlive an engine that ends by ${signal} (H1)`, () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/plugin`);
      await Deno.writeTextFile(
        `${folder}/plugin/plugin.ts`,
        giving(
          "(context.log(String(Deno.pid)), new Promise((go) => setTimeout(go, 100))).then(() => { for (;;); })",
        ),
      );
      const engine = `
        const { start, ended } = await import("${new URL("./_test_sandbox.ts", import.meta.url)}");
        const { link, lines } = await start("${folder}/plugin/plugin.ts", "${folder}");
        link.handle([ended()]);
        while (lines.length === 0) await new Promise((go) => setTimeout(go, 5));
        console.log(lines[0]);
        await new Promise((go) => setTimeout(go, 60_000));`;
      await Deno.writeTextFile(`${folder}/engine.ts`, engine);
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--quiet", `${folder}/engine.ts`],
        stdout: "piped",
        stdin: "null",
      }).spawn();
      const reader = child.stdout.getReader();
      const pid = Number(new TextDecoder().decode((await reader.read()).value));
      assert.ok(pid > 1);
      const stat = () => Deno.readTextFileSync(`/proc/${pid}/stat`);
      assert.match(stat(), /deno/);
      child.kill(signal);
      await child.status;
      await reader.cancel();
      for (;;) {
        try {
          // A zombie has ended; whoever took it over has not looked yet.
          if (/\) Z /.test(stat())) break;
        } catch (error) {
          assert.ok(
            error instanceof Deno.errors.NotFound || /ESRCH|os error 3/.test(String(error)),
          );
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }));
}

Deno.test("a rejection that a trusted plugin forgets is a line of its log, and nothing ends (I1)", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/plugin.ts`,
      giving(
        "(Promise.reject(new TypeError('forgotten')), setTimeout(() => { throw new Error('late') }), console.log('printed'), 1)",
      ),
    );
    const lines: string[] = [];
    const link = new PluginLink(inProcess({ monotonic: clock.monotonic }), {
      clock,
      answer: () => Promise.resolve([]),
      onLog: (line) => lines.push(line),
    });
    await link.load(`file://${folder}/plugin.ts`);
    link.start({}, {});
    assert.equal((await link.handle([ended()])).count, 1);
    while (lines.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.match(lines.join("\n"), /^printed$/m);
    assert.match(lines.join("\n"), /nothing caught: forgotten \(plugin\.ts:4:\d+\)/);
    assert.match(lines.join("\n"), /nothing caught: late \(plugin\.ts:4:\d+\)/);
    assert.equal((await link.handle([ended()])).count, 1);
    await link.close();
  }));
