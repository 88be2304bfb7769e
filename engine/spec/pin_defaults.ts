import { InvalidError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { parse } from "./parse.ts";
import { Report } from "./report.ts";
import { asMapping, type Mapping, type Node, type Scalar, toJson } from "./tree.ts";

/**
 * A workflow file's text with other defaults of its parameters: the characters of these values change, and nothing
 * else does. Throws InvalidError where that cannot be: a parameter without a default, or one whose default is
 * shared with something else by an anchor.
 */
export function pinDefaults(text: string, values: Readonly<Record<string, Json>>): string {
  const before = parsed(text);
  const edits = Object.entries(values).map(([name, value]) => {
    const node = defaultOf(before, name);
    if (node === undefined) {
      throw new InvalidError(
        `Cannot pin ${name}: the file gives it no default to write over; write \`default: ${
          plain(value)
        }\` in it`,
      );
    }
    return { name, from: node.from, to: node.to, written: written(value, node) };
  });
  let after = text;
  for (const { from, to, written } of edits.toSorted((a, b) => b.from - a.from)) {
    after = after.slice(0, from) + written + after.slice(to);
  }
  check(before, after, values);
  return after;
}

// An anchor's value stands elsewhere too: what else the file says must be as it was.
function check(before: Mapping, after: string, values: Readonly<Record<string, Json>>): void {
  const wanted = replaced(toJson(before), values);
  let found: Json;
  try {
    found = toJson(parsed(after));
  } catch {
    found = null;
  }
  if (JSON.stringify(found) === JSON.stringify(wanted)) return;
  throw new InvalidError(
    `Cannot pin ${
      Object.keys(values).join(", ")
    }: more than the default would change, as where an anchor ` +
      "shares it; write it into the file by hand",
  );
}

function replaced(root: Json, values: Readonly<Record<string, Json>>): Json {
  const copy = structuredClone(root) as { params: Record<string, { default: Json }> };
  for (const [name, value] of Object.entries(values)) copy.params[name].default = value;
  return copy as Json;
}

function parsed(text: string): Mapping {
  const report = new Report(text, "");
  const root = parse(text, report);
  if (root?.kind === "mapping" && !report.failed) return root;
  throw new InvalidError("Cannot read the workflow file: it is no YAML mapping");
}

function defaultOf(root: Mapping, name: string): Scalar | undefined {
  const params = asMapping(root.get("params"));
  const node: Node | undefined = asMapping(params?.get(name))?.get("default");
  return node?.kind === "scalar" && node.to > node.from ? node : undefined;
}

// As the value before it is quoted.
function written(value: Json, { style }: Scalar): string {
  if (typeof value !== "string") return plain(value);
  if (style === "single") return `'${value.replaceAll("'", "''")}'`;
  return style === "plain" ? plain(value) : JSON.stringify(value);
}

const WORD = /^[A-Za-z_][\w.-]*$/;
const NO_TEXT = /^(null|true|false|yes|no|on|off)$/i;

function plain(value: Json): string {
  if (typeof value === "string" && WORD.test(value) && !NO_TEXT.test(value)) return value;
  return JSON.stringify(value);
}
