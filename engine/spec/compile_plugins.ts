import type { ActionType } from "../core/action.ts";
import { nearest } from "../core/diagnostic.ts";
import type { JsonObject } from "../core/json.ts";
import type { Parameter } from "../core/parameter.ts";
import type { Grant, PluginUse } from "../core/plugin_use.ts";
import { optional } from "./compile_steps.ts";
import { mayHoldExpression, type Texts } from "./texts.ts";
import { asMapping, itemsOf, type Mapping, type Node, numberOf, textOf, toJson } from "./tree.ts";

// Used for every workflow with an objective, whatever its file names.
const ENGINES_OWN = "experiments";

/** The file that a list of plugins stands in. */
export interface PluginsFile {
  /** The file, absolute. */
  readonly file: string;
  /** Its folder. */
  readonly folder: string;
  /** The workflow that it is; absent: spanloop.yaml. */
  readonly workflow?: string;
  /** The workflow's parameters; without them `propose` is not held against any. */
  readonly params?: ReadonlyMap<string, Parameter>;
}

/** Compiles `plugins:`; those without a name are left out, with their mistakes reported. */
export function compilePlugins(
  node: Node | undefined,
  file: PluginsFile,
  texts: Texts,
): PluginUse[] {
  const plugins: PluginUse[] = [];
  const lines = new Map<string, number>();
  for (const item of itemsOf(node)) {
    if (texts.report.full()) break;
    const at = asMapping(item)?.get("use");
    const use = textOf(at);
    if (item.kind !== "mapping" || at === undefined || use === undefined || use === "") continue;
    refuseExpressions(item, file, texts);
    const grant = asMapping(item.get("grant"));
    const trust = isTrue(item.get("trust"));
    const permissions = grant?.entry("permissions");
    if (trust && permissions !== undefined) {
      texts.fault(
        permissions,
        "permissions",
        "a trusted plugin runs in the engine's process: permissions have no effect; " +
          "remove them, or `trust`",
      );
    }
    if (grant !== undefined) checkPropose(grant, file.params, texts);
    if (mayHoldExpression(at)) continue;
    const found = nameOf(use, file.folder);
    if ("problem" in found) {
      texts.fault(at, "use", found.problem);
      continue;
    }
    if (found.name === ENGINES_OWN) {
      texts.fault(
        at,
        "use",
        `\`${ENGINES_OWN}\` is the engine's own plugin, which measures; call yours something else`,
      );
      continue;
    }
    const before = lines.get(found.name);
    if (before !== undefined) {
      texts.fault(
        at,
        "duplicate",
        `two plugins have the name \`${found.name}\`, the other one on line ${before}; ` +
          "keep one of them",
      );
    }
    const line = texts.report.line(item.from);
    lines.set(found.name, before ?? line);
    plugins.push({
      name: found.name,
      use,
      ...optional("workflow", file.workflow),
      folder: file.folder,
      file: file.file,
      line,
      trust,
      ...optional("grant", grant && compileGrant(grant)),
      with: objectOf(item.get("with")),
    });
  }
  return plugins;
}

function checkPropose(
  grant: Mapping,
  params: ReadonlyMap<string, Parameter> | undefined,
  texts: Texts,
): void {
  if (params === undefined) return;
  const tunable = [...params.values()].filter((param) => param.tune !== undefined)
    .map((param) => param.name);
  for (const node of itemsOf(grant.get("propose"))) {
    if (texts.report.full()) return;
    const name = textOf(node);
    if (name === undefined || name === "" || name === "*" || mayHoldExpression(node)) continue;
    const param = params.get(name);
    if (param === undefined) {
      texts.unknown(node, `no parameter has the name \`${name}\``, [...tunable, ...params.keys()]);
    } else if (param.tune === undefined) {
      texts.fault(
        node,
        "tune",
        `the parameter \`${name}\` has no \`tune:\`, so nothing may change it; give it one, ` +
          "or propose another",
        nearest(name, tunable),
      );
    }
  }
}

function compileGrant(node: Mapping): Partial<Grant> {
  const names = (key: string) => {
    const list = node.get(key);
    if (list?.kind !== "list") return undefined;
    return list.items.map(textOf).filter((text) => text !== undefined);
  };
  const external = node.get("external");
  const permissions = node.get("permissions");
  return {
    ...optional("see", names("see")),
    ...optional("workflows", names("workflows")),
    ...optional("external", external && isTrue(external)),
    ...optional("propose", names("propose")),
    ...optional("command", names("command")),
    ...optional("actions", names("actions") as ActionType[] | undefined),
    ...optional("permissions", permissions && objectOf(permissions)),
    ...optional("rate", numberOf(node.get("rate"))),
  };
}

// A plugin lives longer than a run, so that no run's values can be in its configuration.
function refuseExpressions(node: Node, file: PluginsFile, texts: Texts): void {
  if (node.kind === "list") {
    for (const item of node.items) refuseExpressions(item, file, texts);
  } else if (node.kind === "mapping") {
    for (const entry of node.entries) refuseExpressions(entry.value, file, texts);
  } else if (mayHoldExpression(node)) {
    const secret = [...String(node.value).matchAll(/\bparams\s*\.\s*(\w+)/g)]
      .map(([, name]) => file.params?.get(name))
      .find((param) => param?.type === "secret");
    const variable = secret?.from !== undefined && "env" in secret.from ? secret.from.env : "NAME";
    texts.fault(
      node,
      "literal",
      "plugins are configured with plain values, without `${{ }}`" +
        (secret === undefined ? "" : `, and get no secret this way: a plugin with ` +
          `\`grant: { permissions: { env: [${variable}] } }\` reads the variable itself`),
    );
  }
}

/** Whether `use` is a name in plugins/, not a path or a package. */
export function isPluginName(use: string): boolean {
  return /^[a-z][a-z0-9_-]{0,99}$/.test(use);
}

/**
 * The name of the plugin that `use` means: the last part of it, without an ending, a scope or a version. A file
 * `plugin.ts` has its folder's name.
 */
function nameOf(
  use: string,
  folder: string,
): { name: string } | { problem: string } {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(use)?.[1];
  let last: string;
  if (scheme === "npm") {
    const parts = /^npm:\/?(?:@[^/@\s]+\/)?([^/@\s]+)(?:@[^/\s]+)?(?:\/\S+)?$/.exec(use);
    if (parts === null) {
      return {
        problem: `\`${use}\` names no package of npm; write npm:PACKAGE@VERSION, ` +
          "such as npm:@acme/spanloop-review@1.2.0",
      };
    }
    last = parts[1];
  } else if (scheme !== undefined) {
    return { problem: `plugins come from a path, npm: or plugins/, not from \`${scheme}:\`` };
  } else {
    const parts: string[] = [];
    for (const part of (use.startsWith("/") ? use : `${folder}/${use}`).split("/")) {
      if (part === "..") parts.pop();
      else if (part !== "" && part !== ".") parts.push(part);
    }
    last = (parts.at(-1) ?? "").replace(/\.m?[jt]s$/, "");
    if (parts.at(-1) === "plugin.ts") last = parts.at(-2) ?? "";
  }
  if (isPluginName(last)) return { name: last };
  return {
    problem: `the plugin's name, the last part of \`use\`, must be lower-case letters, digits, ` +
      `\`_\` and \`-\`, starting with a letter, not ${JSON.stringify(last)}`,
  };
}

function objectOf(node: Node | undefined): JsonObject {
  return node?.kind === "mapping" ? toJson(node) as JsonObject : {};
}

function isTrue(node: Node | undefined): boolean {
  return node?.kind === "scalar" && node.value === true;
}
