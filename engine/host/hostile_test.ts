// Plugins that mean harm, each in a sandbox: it is stopped alone, with one sentence, while another plugin hears
// everything and the engine's own memory stays as it was (H1, I2). They are in tests/hostile.
import assert from "node:assert/strict";
import type { Action, EmitAction } from "../core/action.ts";
import { ended, type Given, hostile, inFolder, start, type Started } from "./_test_sandbox.ts";
import type { Handled } from "./protocol.ts";
import { PluginError } from "./plugin_error.ts";

// For what never ends in any case, milliseconds.
const SOON = 500;
// What answers, garbage and a test's own lists may take of the engine; each bomb would take ten times as much.
const FLAT = 200 * 1024 * 1024;

interface Stopped {
  /** Which limit speaks first may depend on the machine; then there are several. */
  readonly code: string | readonly string[];
  readonly says: RegExp;
  readonly given?: Given;
}

const STOPPED: Readonly<Record<string, Stopped>> = {
  array_buffers: { code: "plugin.memory", says: /took \d+ MB of memory, may take 200 MB/ },
  web_assembly: { code: "plugin.memory", says: /took \d+ MB of memory/ },
  worker_memory: { code: "plugin.memory", says: /took \d+ MB of memory/ },
  allocation_bomb: {
    code: "plugin.memory",
    says: /ran out of the memory that its heap may take|took \d+ MB of memory/,
  },
  spin_handler: {
    code: "plugin.time",
    says: /did not handle an event within 0\.5 s/,
    given: { limits: { handle: SOON } },
  },
  spin_microtasks: {
    code: "plugin.time",
    says: /within 0\.5 s/,
    given: { limits: { handle: SOON } },
  },
  hang: { code: "plugin.time", says: /within 0\.5 s/, given: { limits: { handle: SOON } } },
  half_frame: { code: "plugin.time", says: /within 0\.5 s/, given: { limits: { handle: SOON } } },
  console_flood: {
    code: "plugin.time",
    says: /within 0\.5 s/,
    given: { limits: { handle: SOON } },
  },
  exit: { code: "plugin.exit", says: /ended with code 3; a plugin must neither exit/ },
  unhandled_rejection: {
    code: "plugin.exit",
    says: /nothing caught: TypeError: nobody waits \(unhandled_rejection\.ts:\d+:\d+\)/,
  },
  huge_message: {
    code: "plugin.frame",
    says: /a message of 1048\d+ bytes\), and was stopped/,
    given: { memory: { heap: 1_000, process: 2_000 } },
  },
  raw_stdout: { code: "plugin.frame", says: /wrote what is no message to its stdout/ },
  close_stdout: {
    code: ["plugin.exit", "plugin.frame"],
    says: /ended by an error that nothing caught|closed its stdout/,
  },
  close_stdin: {
    code: ["plugin.exit", "plugin.frame"],
    says: /ended by an error that nothing caught|closed its stdin/,
  },
  forged_loaded: { code: "plugin.protocol", says: /sent "loaded", which nobody asked for/ },
  log_flood: { code: "plugin.time", says: /within 0\.5 s/, given: { limits: { handle: SOON } } },
  frame_flood: { code: "plugin.protocol", says: /more than 10000 messages a second/ },
  question_flood: {
    code: ["plugin.frame", "plugin.protocol", "plugin.memory"],
    says: /10000 messages wait that it does not read|more than 10000 messages a second|memory/,
  },
};

for (const [name, { code, says, given = {} }] of Object.entries(STOPPED)) {
  Deno.test(`${name} is stopped alone, with one sentence (H1)`, () =>
    besideAnother(async (folder) => {
      const plugin = await start(hostile(name), folder, given);
      const untilStopped = async () => {
        for (;;) await plugin.link.handle([ended()]);
      };
      await assert.rejects(untilStopped(), (error) => isStop(error, code, says));
      const [why, ...more] = plugin.gone;
      assert.ok(isStop(why, code, says) && more.length === 0, "told once");
      await assert.rejects(plugin.link.handle([ended()]), why, "nothing is asked of it again");
      assert.ok(plugin.lines.length < 1_000, `${plugin.lines.length} lines in the log`);
      await plugin.link.close();
    }));
}

Deno.test("spin_import is stopped while it loads (H1)", () =>
  besideAnother(async (folder) => {
    const loading = start(hostile("spin_import"), folder, { limits: { load: SOON } });
    await assert.rejects(
      loading,
      (error) => isStop(error, "plugin.time", /load its module within/),
    );
  }));

Deno.test("a worker that computes when nothing is asked is stopped with its plugin (H1)", () =>
  besideAnother(async (folder) => {
    const plugin = await start(hostile("worker_spin"), folder);
    assert.equal((await plugin.link.handle([ended()])).count, 1);
    while (plugin.gone.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    isStop(plugin.gone[0], "plugin.time", /computed for 3 s while nothing was asked of it/);
    await plugin.link.close();
  }));

Deno.test("one that answers by itself gets what it said, and is stopped for what it says twice (H1)", () =>
  besideAnother(async (folder) => {
    const plugin = await start(hostile("forged_answer"), folder);
    const handled = await plugin.link.handle([ended()]);
    assert.deepEqual(handled, { count: 1, actions: [], state: { a: 1 } });
    while (plugin.gone.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    isStop(plugin.gone[0], "plugin.protocol", /sent "handled", which nobody asked for/);
    await plugin.link.close();
  }));

Deno.test("a million actions for one event are counted, and only a thousand of them read (H1)", () =>
  besideAnother(async (folder) => {
    const plugin = await start(hostile("million_actions"), folder);
    const actions = actionsOf(await plugin.link.handle([ended()]));
    assert.equal(actions.length, 1_000_000);
    assert.deepEqual(actions[999], { type: "emit", name: "many" });
    assert.equal(actions[1_000], null);
    await plugin.link.close();
  }));

Deno.test("a value that is nested too deeply spoils only its own action (H1)", () =>
  besideAnother(async (folder) => {
    const plugin = await start(hostile("deep_value"), folder);
    const [action] = actionsOf(await plugin.link.handle([ended()]));
    assert.match((action as unknown as { message: string }).message, /nested too deeply/);
    await plugin.link.close();
  }));

Deno.test("changed prototypes of a plugin's process are not those of the engine (H1)", () =>
  besideAnother(async (folder) => {
    // Its own messages are made of them, so it may well garble itself: at the start, or in its answer.
    let plugin: Started | undefined;
    try {
      plugin = await start(hostile("prototypes"), folder);
      await plugin.link.handle([ended()]);
    } catch (error) {
      assert.ok(error instanceof PluginError && /^plugin\./.test(error.code), String(error));
    }
    assert.equal(({} as { polluted?: true }).polluted, undefined);
    assert.equal(JSON.stringify([1]), "[1]");
    await plugin?.link.close();
  }));

Deno.test("what a plugin was not granted it does not reach, by any way (I2)", () =>
  besideAnother(async (folder) => {
    const outside = `${folder}/outside.js`;
    await Deno.writeTextFile(outside, "export default 1;");
    const plugin = await start(hostile("reach"), folder, {
      config: { outside, cache: `${folder}/cache` },
      memory: { heap: 64, process: 400 },
    });
    const [action] = actionsOf(await plugin.link.handle([ended()])) as EmitAction[];
    const list = action.attributes?.list as readonly string[];
    for (const way of list) {
      assert.match(way, /Requires \w+ access|prompt$|--no-|^\w+: NotCapable/);
    }
    assert.equal(list.length, 26);
    assert.equal(await Deno.readTextFile(outside), "export default 1;");
    await plugin.link.close();
  }));

Deno.test("what two plugins keep by localStorage is each one's own (I2)", () =>
  besideAnother(async (folder) => {
    const found = async (id: string, name: string) => {
      const plugin = await start(hostile("local_storage"), folder, { id });
      const [action] = actionsOf(await plugin.link.handle([ended(1, name)])) as EmitAction[];
      await plugin.link.close();
      return action.attributes?.word;
    };
    assert.equal(await found("one", "a secret"), "nothing");
    assert.equal(await found("two", "other"), "nothing");
    assert.equal(await found("one", "again"), "a secret");
  }));

const IMPORTS: Readonly<Record<string, { readonly text: string; readonly says: RegExp }>> = {
  "a file outside its folder": {
    text: 'import "../outside.js";',
    says: /may not use read of .*outside\.js/,
  },
  "a file outside as text": {
    text: 'import text from "../outside.js" with { type: "text" }; console.log(text);',
    says: /may not use read of .*outside\.js/,
  },
  "a module of the engine": {
    text: `import "${new URL("./sandbox.ts", import.meta.url).href}";`,
    says: /may not use read of .*sandbox\.ts/,
  },
  "remote code": { text: 'import "https://example.com/module.ts";', says: /--no-remote/ },
  "a package that nothing names": { text: 'import "npm:ms@2.1.3";', says: /--no-npm/ },
  "a file by a link that leaves its folder": { text: 'import "./link.js";', says: /is a link to/ },
};

for (const [what, { text, says }] of Object.entries(IMPORTS)) {
  Deno.test(`a plugin that imports ${what} is not loaded (I2)`, () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/plugin`);
      await Deno.writeTextFile(`${folder}/outside.js`, "export default 1;");
      await Deno.writeTextFile(`${folder}/plugin/plugin.ts`, text);
      if (text.includes("link.js")) {
        await Deno.symlink(`${folder}/outside.js`, `${folder}/plugin/link.js`);
      }
      const starting = start(`${folder}/plugin/plugin.ts`, folder);
      await assert.rejects(starting, (error) => isStop(error, "plugin.import", says));
    }));
}

Deno.test("a plugin's deno.json cannot put files into the bootstrap's own graph (I2)", () =>
  inFolder(async (folder) => {
    // What the bootstrap imports needs no permission: a name for it would open any module.
    await Deno.mkdir(`${folder}/plugin`);
    await Deno.writeTextFile(`${folder}/outside.js`, `throw new TypeError("outside was run");`);
    const library = new URL("../../mod.ts", import.meta.url).href;
    const to = `file://${folder}/outside.js`;
    const names = { [library]: to, [library.replace("mod.ts", "")]: `file://${folder}/` };
    await Deno.writeTextFile(
      `${folder}/plugin/deno.json`,
      JSON.stringify({ imports: names, scopes: { "file:///": names } }),
    );
    await Deno.copyFile(hostile("innocent"), `${folder}/plugin/plugin.ts`);
    const { link } = await start(`${folder}/plugin/plugin.ts`, folder);
    assert.equal((await link.handle([ended()])).count, 1);
    await link.close();
  }));

function isStop(error: unknown, code: Stopped["code"], says: RegExp): true {
  assert.ok(error instanceof PluginError, String(error));
  assert.match(error.message, says);
  assert.ok([code].flat().includes(error.code), error.code);
  assert.ok(!error.message.includes("\n"), `one line: ${error.message}`);
  return true;
}

function actionsOf(handled: Handled): readonly Action[] {
  assert.equal(handled.failure, undefined);
  return handled.actions.flatMap(({ actions }) => actions);
}

// Of this test's thread: the process has others, in which other files of tests run.
function memory(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

// Runs `body` while another plugin hears an event before, during and after it.
async function besideAnother(body: (folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const other = await start(hostile("innocent"), folder);
    const before = memory();
    let most = before;
    let over = false;
    const counting = (async () => {
      let count = 0;
      for (let last = false; !last;) {
        last = over;
        const [action] = actionsOf(await other.link.handle([ended()])) as EmitAction[];
        assert.deepEqual(action.attributes, { count: ++count });
        most = Math.max(most, memory());
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return count;
    })();
    try {
      await body(folder);
    } finally {
      over = true;
    }
    assert.ok(await counting > 1);
    assert.deepEqual(other.gone, []);
    await other.link.close();
    assert.ok(most - before < FLAT, `the engine grew by ${most - before} bytes`);
  });
}
