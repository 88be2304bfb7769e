import type { Diagnostic } from "../core/diagnostic.ts";
import type { PluginUse } from "../core/plugin_use.ts";
import { compilePlugins } from "./compile_plugins.ts";
import { optional } from "./compile_steps.ts";
import { decode } from "./decode.ts";
import { folderOf, type Source } from "./load.ts";
import { parse } from "./parse.ts";
import { checkSettingsShape } from "./shape.ts";
import { Texts } from "./texts.ts";
import { textOf, wordOf } from "./tree.ts";

/** What spanloop.yaml says for all workflows in its folder and below. */
export interface Settings {
  /** `sqlite:FILE`, as it is written, or `memory:`. */
  readonly store?: string;
  /** How durable the store is. */
  readonly durability?: "full" | "normal";
  /** Plugins for all workflows, in the file's order. */
  readonly plugins: readonly PluginUse[];
}

/**
 * Reads and checks spanloop.yaml. Every mistake is in `diagnostics`, in the file's order; the settings are there if and
 * only if none of them is an error. Bad input never throws. An empty file is well-formed.
 */
export function loadSettings(
  source: Source,
): { settings?: Settings; diagnostics: Diagnostic[] } {
  const { text, report } = decode(source.bytes, source.display);
  const root = text === undefined ? undefined : parse(text, report, true);
  if (text === undefined || root === undefined) return { diagnostics: report.diagnostics() };
  if (root.kind !== "mapping") {
    report.add({
      from: root.from,
      to: root.from + 1,
      code: "root",
      message: "spanloop.yaml is a mapping with `store:`, `durability:` or `plugins:` at its top",
    });
    return { diagnostics: report.diagnostics() };
  }
  checkSettingsShape(root, text, report);
  const { file } = source;
  const texts = new Texts(text, report);
  const plugins = compilePlugins(root.get("plugins"), { file, folder: folderOf(file) }, texts);
  const diagnostics = report.diagnostics();
  if (report.failed) return { diagnostics };
  return {
    settings: {
      ...optional("store", textOf(root.get("store"))),
      ...optional("durability", wordOf(root.get("durability"), ["full", "normal"] as const)),
      plugins,
    },
    diagnostics,
  };
}
