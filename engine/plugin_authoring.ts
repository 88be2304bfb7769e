/** What the authors of plugins are helped with: a folder to begin with, and its tests. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, SpanloopError } from "./core/errors.ts";
import { projectFolder } from "./locate_store.ts";
import { isPluginName } from "./spec/compile_plugins.ts";

const TEMPLATE = new URL("../plugins/_template/", import.meta.url);
const FILES = ["plugin.ts", "plugin_test.ts", "README.md"];
const TEMPLATE_NAME = "my_plugin";
const ALLOW_ALL = ["-A", "--allow-all", "--allow-read", "-R"];
const CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));
const LOCK = fileURLToPath(new URL("../deno.lock", import.meta.url));

/** A mistake of whoever asked; exit code 2. */
class AuthoringError extends SpanloopError {
  constructor(message: string, cause?: unknown) {
    super("plugin.folder", message, { exitCode: 2, cause });
  }
}

/**
 * Makes `plugins/NAME` beside the nearest spanloop.yaml or deno.json at or above `near`, else in `near`: a plugin that
 * passes its own test. Gives the folder, absolute. Throws SpanloopError `plugin.folder`.
 */
export async function newPlugin(name: string, near: string): Promise<string> {
  if (!isPluginName(name)) {
    throw new AuthoringError(
      `A plugin's name is lower-case letters, digits, \`_\` and \`-\`, starting with a letter, not ${
        JSON.stringify(name)
      }`,
    );
  }
  const folder = resolve(pluginsFolder(near), name);
  if (existsSync(folder)) {
    throw new AuthoringError(`There is ${folder} already; choose another name, or delete it first`);
  }
  try {
    await Deno.mkdir(folder, { recursive: true });
    for (const file of FILES) {
      const text = await Deno.readTextFile(new URL(file, TEMPLATE));
      await Deno.writeTextFile(resolve(folder, file), text.replaceAll(TEMPLATE_NAME, name));
    }
  } catch (error) {
    throw new AuthoringError(`Cannot make ${folder}: ${messageOf(error)}`, error);
  }
  return folder;
}

/**
 * The folders of plugins to test, absolute: of names in plugins/ or of paths, as `near` means them; without any all in
 * plugins/ that have tests. Throws SpanloopError `plugin.folder`.
 */
export async function testedPlugins(
  names: readonly string[],
  near: string,
): Promise<readonly string[]> {
  const plugins = pluginsFolder(near);
  if (names.length === 0) {
    const folders = (await entriesOf(plugins)).filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => resolve(plugins, name)).sort();
    const tested: string[] = [];
    for (const folder of folders) if (await hasTests(folder)) tested.push(folder);
    if (tested.length > 0) return tested;
    throw new AuthoringError(`No plugin in ${plugins} has tests; \`plugins new NAME\` makes one`);
  }
  const folders = names.map((name) => resolve(isPluginName(name) ? plugins : near, name));
  for (const folder of folders) {
    if (await hasTests(folder)) continue;
    throw new AuthoringError(`There are no tests of a plugin in ${folder}: no file *_test.ts`);
  }
  return folders;
}

/**
 * Runs a plugin's tests in its folder; gives the exit code of `deno test`. They know `spanloop` and `spanloop/testing`
 * wherever the folder is, and may read the folder, and nothing else but what `flags` allow.
 */
export async function runPluginTests(folder: string, flags: readonly string[]): Promise<number> {
  // A copy: what the plugin itself imports is not Spanloop's, and without any the registry would be asked.
  const temporary = await Deno.makeTempDir({ prefix: "spanloop-plugin-test-" });
  const lock = resolve(temporary, "deno.lock");
  try {
    await Deno.copyFile(LOCK, lock);
    return await runTests(folder, flags, lock);
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

async function runTests(folder: string, flags: readonly string[], lock: string): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--no-prompt",
      "--quiet",
      `--lock=${lock}`,
      "--frozen=false",
      `--config=${CONFIG}`,
      // Deno takes no list of folders beside a flag that allows all of them.
      ...flags.some((flag) => ALLOW_ALL.includes(flag)) ? [] : [`--allow-read=${folder}`],
      ...flags,
      folder,
    ],
    cwd: folder,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
}

function pluginsFolder(near: string): string {
  return resolve(projectFolder(near) ?? near, "plugins");
}

async function hasTests(folder: string): Promise<boolean> {
  return (await entriesOf(folder)).some(({ name, isFile }) =>
    isFile && /_test\.m?[jt]s$/.test(name)
  );
}

async function entriesOf(folder: string): Promise<readonly Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw new AuthoringError(`Cannot read ${folder}: ${messageOf(error)}`, error);
  }
}
