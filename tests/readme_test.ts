// What the documents say is held against the code: each workflow in them is valid, the one to paste runs, and
// every command, option, task, key, function and link that they name is there.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { COMMANDS, HELP } from "../engine/cli/table.ts";
import { formatDiagnostic } from "../engine/core/diagnostic.ts";
import { isObject, type Json } from "../engine/core/json.ts";
import { createEngine } from "../engine/engine.ts";
import { FUNCTIONS, METHODS } from "../engine/expression/_functions.ts";
import config from "../deno.json" with { type: "json" };

const ROOT = decodeURI(new URL("..", import.meta.url).pathname);
const README = "README.md";
const REFERENCE = "engine/spec/README.md";
const WORKING = "CONTRIBUTING.md";
const OF_PLUGINS = [
  "",
  "_template/",
  "analyzer/",
  "backpressure/",
  "cycle_split/",
  "error_backoff/",
  "optimizer/",
  "queue_scaling/",
  "slow_step/",
  "success_priority/",
].map((folder) => `plugins/${folder}README.md`);
const SCHEMA = JSON.parse(read("engine/spec/schema.json")) as Json;

for (const document of [README, REFERENCE]) {
  const found = workflowsOf(read(document));

  Deno.test(`${document} holds workflows, of different names`, () => {
    assert.ok(found.length >= 3, `only ${found.length}`);
    const names = found.map(({ text }) => parse(text).name);
    assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
  });

  for (const { line, text } of found) {
    Deno.test(`${document}:${line} is a valid workflow`, async () => {
      assert.deepEqual(await faultsOf(text), []);
    });
  }

  Deno.test(`the links of ${document} lead somewhere`, () => {
    assert.deepEqual(brokenLinks(document), []);
  });
}

for (const document of OF_PLUGINS) {
  Deno.test(`the links and workflows of ${document} hold`, async () => {
    assert.deepEqual(brokenLinks(document), []);
    // That of my_plugin is run, with the plugin, by plugins_readme_test.ts.
    for (const { text } of workflowsOf(read(document))) {
      if (!text.includes("my_plugin")) assert.deepEqual(await faultsOf(text), [], text);
    }
  });
}

Deno.test("a workflow that does not hold is found out", async () => {
  const text = "name: x\nsteps:\n  - id: a\n    runs: echo\n";
  const [block] = workflowsOf("# T\n\n```yaml\n" + text + "```\n");
  assert.equal(block.line, 4);
  assert.match((await faultsOf(block.text)).join("\n"), /no key `runs`; did you mean `run`/);
});

Deno.test("the workflow to paste runs in an empty folder, and gives what the README shows", async () => {
  const text = read(README);
  const block = workflowsOf(text).find(({ text }) => text.startsWith("name: primes"));
  const shown = /^primes: (\d+)$/m.exec(text)?.[1];
  assert.ok(block !== undefined && shown !== undefined);
  const lines = block.text.trimEnd().split("\n").length;
  assert.ok(lines <= 21, `${lines} lines are too many to paste`);
  await inFolder(async (folder) => {
    const file = join(folder, "primes.yaml");
    await Deno.writeTextFile(file, block.text);
    const engine = await createEngine({ near: file });
    try {
      // The default counts for seconds; 1,100,000 takes the same steps, with two parts.
      const report = await engine.run(file, { given: { text: { below: "1100000" } } });
      assert.deepEqual([report.status, report.outputs], ["succeeded", { primes: 85714 }]);
      assert.deepEqual(report.steps.map(({ attempts }) => attempts), [1, 2, 1]);
      assert.equal(shown, "664579", "the number of primes below ten million");
      assert.equal((await engine.plan(file)).workflow, "primes");
    } finally {
      await engine.close();
    }
  });
});

Deno.test("the command that the README installs runs in another folder, plugins included", async () => {
  const block = codeBlocksOf(read(README)).find((text) => text.includes("~/.local/bin/spanloop"));
  const workflow = workflowsOf(read("plugins/optimizer/README.md"))[0].text.replace(
    "file: orders.ndjson",
    'list: ["a", "b"]',
  );
  assert.ok(block !== undefined && workflow.includes('"a"'));
  await inFolder(async (home) => {
    const folder = join(home, "elsewhere");
    await Deno.mkdir(folder);
    await Deno.writeTextFile(join(folder, "import.yaml"), workflow.replace("./load", "cat"));
    const packages = JSON.parse(await shell("deno info --json", ROOT)).denoDir;
    const env = { HOME: home, DENO_DIR: packages };
    await shell(block, ROOT, env);
    const improved = await shell("spanloop improve import.yaml --runs 1 2>&1", folder, env);
    assert.match(improved, /✓ import-orders ran 1 run/);
    assert.match(await shell("spanloop analyze", folder, env), /1 of 1 runs? succeeded/);
  });
});

Deno.test("the README's table has every command, and no other", () => {
  const rows = [...read(README).matchAll(/^\| `([a-z]+)[ `]/gm)].map(([, name]) => name);
  assert.deepEqual(rows.sort(), COMMANDS.map(({ name }) => name).sort());
});

Deno.test("every command line in the documents is one", () => {
  const faults: string[] = [];
  for (const document of [README, REFERENCE, WORKING, "workflows/README.md", ...OF_PLUGINS]) {
    const code = codeOf(read(document));
    for (const [, name, rest] of code.matchAll(/\bspanloop ([a-z]+)\b([^\n`|&>]*)/g)) {
      const command = COMMANDS.find((candidate) => candidate.name === name);
      if (command === undefined) {
        // `--name spanloop engine/cli/main.ts` and `uninstall --global spanloop` are Deno's.
        if (name !== "engine") faults.push(`${document}: spanloop ${name}`);
        continue;
      }
      const options = [...command.options, HELP];
      for (const [, dashes, option] of rest.matchAll(/ (--?)([a-z][a-z-]*)/g)) {
        const known = options.some((known) =>
          option === (dashes === "--" ? known.name : known.short)
        );
        if (!known) faults.push(`${document}: spanloop ${name} ${dashes}${option}`);
      }
    }
    for (const [, task] of code.matchAll(/\bdeno task (?:--config \S+ )?([a-z:]+)/g)) {
      if (!Object.hasOwn(config.tasks, task)) faults.push(`${document}: deno task ${task}`);
    }
  }
  assert.deepEqual(faults, []);
});

Deno.test("every task is named in a document", () => {
  const text = read(README) + read(WORKING);
  const missing = Object.keys(config.tasks).filter((task) =>
    !new RegExp(`\\bdeno task ${task}(?![\\w:])`).test(text)
  );
  assert.deepEqual(missing, []);
});

Deno.test("options that the README names by themselves belong to some command", () => {
  const known = new Set(COMMANDS.flatMap(({ options }) => options.map(({ name }) => name)));
  const named = [...read(README).matchAll(/`--([a-z][a-z-]*)/g)].map(([, name]) => name);
  assert.deepEqual(named.filter((name) => !known.has(name)), []);
  assert.ok(named.length > 8);
});

Deno.test("the reference explains every key of the schema", () => {
  const text = read(REFERENCE);
  const missing = [...keysOf(SCHEMA)].filter((key) => !text.includes(`\`${key}\``));
  assert.deepEqual(missing, []);
});

Deno.test("the reference names every word that the schema takes as a value", () => {
  const text = read(REFERENCE);
  const missing = [...wordsOf(SCHEMA)].filter((word) => !new RegExp(`\\b${word}\\b`).test(text));
  assert.deepEqual(missing, []);
});

Deno.test("the reference names every function and method of expressions", () => {
  const text = read(REFERENCE);
  const missing = [...FUNCTIONS.keys(), ...METHODS.keys()].filter((name) =>
    !new RegExp(`\`${name}[\`(]`).test(text)
  );
  assert.deepEqual(missing, []);
});

Deno.test("the changelog speaks of the version that deno.json has", () => {
  assert.ok(read("CHANGELOG.md").includes(`## [${config.version}]`));
});

function read(path: string): string {
  return Deno.readTextFileSync(join(ROOT, path));
}

/** The YAML blocks that begin with a name, each with its first line's number. */
function workflowsOf(markdown: string): { readonly line: number; readonly text: string }[] {
  return [...markdown.matchAll(/^```yaml\n(name:[\s\S]*?)^```$/gm)].map((match) => ({
    line: markdown.slice(0, match.index).split("\n").length + 1,
    text: match[1],
  }));
}

/** What is wrong with a workflow, the files that its steps name being there. */
async function faultsOf(text: string): Promise<string[]> {
  return await inFolder(async (folder) => {
    for (const path of filesOf(parse(text) as Json)) {
      const file = join(folder, path);
      await Deno.mkdir(dirname(file), { recursive: true });
      await Deno.writeTextFile(file, "export default () => ({});\n");
    }
    const file = join(folder, "workflow.yaml");
    await Deno.writeTextFile(file, text);
    const engine = await createEngine({ near: file, store: "memory:" });
    try {
      const { diagnostics } = await engine.validate(file, "workflow.yaml");
      return diagnostics.map((diagnostic) => formatDiagnostic(diagnostic));
    } finally {
      await engine.close();
    }
  });
}

/** The modules and workflows that steps name, and the plugins that are named by a path. */
function filesOf(workflow: Json): string[] {
  const listOf = (key: string) =>
    isObject(workflow) && Array.isArray(workflow[key]) ? workflow[key].filter(isObject) : [];
  const inputs = listOf("steps").map((step) => step.with).filter(isObject);
  return [
    ...inputs.flatMap((given) => [given.module, given.file]),
    ...listOf("plugins").map((plugin) => plugin.use).filter((use) => /\.ts$/.test(String(use))),
  ].filter((path) => typeof path === "string");
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-readme-" });
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a shell that has nothing else writes to stdout. */
async function shell(lines: string, cwd: string, env: Record<string, string> = {}) {
  const bin = [dirname(Deno.execPath()), join(env.HOME ?? "", ".local/bin")].join(":");
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-ec", lines],
    cwd,
    clearEnv: true,
    env: { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`, NO_COLOR: "1", ...env },
  }).output();
  const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, `${lines}\n${out}\n${said}`);
  return out;
}

function codeBlocksOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, text]) => text);
}

/** Blocks and spans of code, one a line. */
function codeOf(markdown: string): string {
  const blocks = codeBlocksOf(markdown);
  const rest = markdown.replaceAll(/^```\w*\n[\s\S]*?^```$/gm, "");
  return [...blocks, ...[...rest.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text)].join("\n");
}

function brokenLinks(document: string): string[] {
  const text = read(document);
  return [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].flatMap(
    ([whole, path, anchor]) => {
      const target = path === "" ? document : join(dirname(document), path);
      if (!existsSync(join(ROOT, target))) return [whole];
      if (anchor === undefined) return [];
      return anchorsOf(read(target)).includes(anchor) ? [] : [whole];
    },
  );
}

// As GitHub makes them of headings.
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-")
  );
}

function* keysOf(node: Json): Iterable<string> {
  if (Array.isArray(node)) { for (const item of node) yield* keysOf(item); }
  if (!isObject(node)) return;
  if (isObject(node.properties)) yield* Object.keys(node.properties);
  for (const [key, value] of Object.entries(node)) if (key !== "examples") yield* keysOf(value);
}

function* wordsOf(node: Json): Iterable<string> {
  if (Array.isArray(node)) { for (const item of node) yield* wordsOf(item); }
  if (!isObject(node)) return;
  if (Array.isArray(node.enum)) yield* node.enum.map(String);
  for (const value of Object.values(node)) yield* wordsOf(value);
}
