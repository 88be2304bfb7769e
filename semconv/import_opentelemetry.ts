/**
 * Writes semconv/opentelemetry.json: what OpenTelemetry's semantic conventions define, as facts (names,
 * types, known values, units, instruments, stability, deprecation, requirement levels), without their
 * texts. Takes the folder of a checkout of github.com/open-telemetry/semantic-conventions:
 *
 *     deno run -A semconv/import_opentelemetry.ts ../semantic-conventions
 *
 * Attributes that the published npm package names and the checkout does not, because it is older, are added
 * with what the package says of them: their keys and known values.
 */
import * as published from "@opentelemetry/semantic-conventions/incubating";
import { parse } from "yaml";
import type {
  AttributeFacts,
  Deprecation,
  Facts,
  Level,
  Levels,
  Standing,
} from "./opentelemetry.ts";

type Node = Readonly<Record<string, unknown>>;

interface Conventions {
  readonly attributes: Record<string, AttributeFacts>;
  readonly metrics: Record<string, Facts["metrics"][string]>;
  readonly events: Record<string, Facts["events"][string]>;
  readonly entities: Record<string, Facts["entities"][string]>;
}

/** The facts in a registry's texts. */
export function readModel(texts: readonly string[]): Conventions {
  const groups = texts.flatMap((text) => groupsOf(parse(text) as Node | null));
  const byId = new Map(groups.map((group) => [group.id as string, group]));
  const facts: Conventions = { attributes: {}, metrics: {}, events: {}, entities: {} };
  for (const group of groups) {
    for (const node of list(group, "attributes")) {
      if (typeof node.id === "string") facts.attributes[node.id] = attribute(node);
    }
    const about = { ...standing(group), ...levels(group, byId) };
    if (group.type === "metric") {
      facts.metrics[group.metric_name as string] = {
        instrument: group.instrument as Facts["metrics"][string]["instrument"],
        unit: group.unit as string,
        ...about,
      };
    } else if (group.type === "event") {
      facts.events[group.name as string] = about;
    } else if (group.type === "entity") {
      facts.entities[group.name as string] = about;
    }
  }
  return facts;
}

/** Adds to `facts` the attributes and values that a package of constants names and they lack; which keys. */
export function complement(
  facts: Conventions,
  constants: Readonly<Record<string, unknown>>,
): readonly string[] {
  const added: string[] = [];
  for (const [name, key] of Object.entries(constants)) {
    if (!name.startsWith("ATTR_") || typeof key !== "string") continue;
    const prefix = `${name.slice("ATTR_".length)}_VALUE_`;
    const known = Object.hasOwn(facts.attributes, key) ? facts.attributes[key] : undefined;
    const values = { ...known?.values };
    for (const [other, value] of Object.entries(constants)) {
      if (!other.startsWith(prefix) || Object.values(values).includes(value as string)) continue;
      values[other.slice(prefix.length).toLowerCase()] = value as string | number;
    }
    const all = Object.values(values);
    if (known === undefined) added.push(key);
    else if (all.length === Object.keys(known.values ?? {}).length) continue;
    const type = all.length === 0 ? "any" : typeof all[0] === "number" ? "int" : "string";
    facts.attributes[key] = { type, ...(all.length === 0 ? {} : { values }), ...rest(known) };
  }
  return added;
}

function rest(known: AttributeFacts | undefined): Standing {
  if (known === undefined) return {};
  const { stability, deprecated } = known;
  return {
    ...(stability === undefined ? {} : { stability }),
    ...(deprecated === undefined ? {} : { deprecated }),
  };
}

// Weaver's second format, to which the conventions are moving file by file, told in the words of the first.
function groupsOf(file: Node | null): readonly Node[] {
  if (file?.file_format !== "definition/2") return list(file, "groups");
  const attributes = list(file, "attributes").map((node) => ({ ...node, id: node.key }));
  return [
    { type: "attribute_group", attributes },
    ...list(file, "attribute_groups").map((node) => ({ ...node, type: "attribute_group" })),
    ...list(file, "metrics").map((node) => ({ ...node, type: "metric", metric_name: node.name })),
    ...list(file, "events").map((node) => ({ ...node, type: "event" })),
    ...list(file, "entities").map((node) => ({ ...node, type: "entity", name: node.type })),
  ];
}

/** The file's text: one line an item, so that an update shows what changed. */
export function render(source: Omit<Facts, keyof Conventions>, facts: Conventions): string {
  const lines = Object.entries(source).map(([key, value]) => line(key, value));
  for (const [section, items] of Object.entries(facts)) {
    const sorted = Object.entries(items).sort(([a], [b]) => a < b ? -1 : 1);
    lines.push(
      `${JSON.stringify(section)}: {\n${
        sorted.map(([key, item]) => `  ${line(key, item)}`).join(",\n")
      }\n}`,
    );
  }
  return `{\n${lines.join(",\n")}\n}\n`;
}

function line(key: string, value: unknown): string {
  return `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
}

function attribute(node: Node): AttributeFacts {
  const type = node.type as string | Node;
  if (typeof type === "string") return { type, ...standing(node) };
  const members = list(type, "members");
  return {
    type: typeof members[0]?.value === "number" ? "int" : "string",
    values: Object.fromEntries(
      members.map(({ id, value }) => [id as string, value as string | number]),
    ),
    ...standing(node),
  };
}

// What most items share is left out: `development`, not deprecated.
function standing(node: Node): { stability?: string; deprecated?: Deprecation } {
  const { stability, deprecated } = node;
  return {
    ...(stability === undefined || stability === "development"
      ? {}
      : { stability: stability as string }),
    ...(deprecated === undefined || deprecated === null
      ? {}
      : { deprecated: deprecation(deprecated as Node) }),
  };
}

function deprecation({ renamed_to }: Node): Deprecation {
  return typeof renamed_to === "string" ? renamed_to : true;
}

// A group has its own attributes, and those of the groups that it extends or refers to.
function levels(group: Node, byId: ReadonlyMap<string, Node>): { attributes?: Levels } {
  const all: Record<string, Level> = {};
  const seen = new Set<Node>();
  function add(from: Node | undefined): void {
    if (from === undefined || seen.has(from)) return;
    seen.add(from);
    for (const node of list(from, "attributes")) {
      if (node.ref_group !== undefined) add(byId.get(node.ref_group as string));
      else all[(node.ref ?? node.id) as string] ??= level(node.requirement_level);
    }
    if (from.extends !== undefined) add(byId.get(from.extends as string));
  }
  add(group);
  return Object.keys(all).length === 0 ? {} : { attributes: all };
}

function level(given: unknown): Level {
  if (given === undefined) return "recommended";
  return (typeof given === "string" ? given : Object.keys(given as Node)[0]) as Level;
}

function list(node: Node | null, key: string): readonly Node[] {
  return (node?.[key] ?? []) as readonly Node[];
}

async function texts(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await texts(path));
    else if (name.endsWith(".yaml") && name !== "manifest.yaml") {
      found.push(await Deno.readTextFile(path));
    }
  }
  return found;
}

if (import.meta.main) {
  const [folder] = Deno.args;
  if (folder === undefined) {
    console.error("Name the folder of a checkout of open-telemetry/semantic-conventions");
    Deno.exit(2);
  }
  const manifest = parse(await Deno.readTextFile(`${folder}/model/manifest.yaml`)) as Node;
  const facts = readModel(await texts(`${folder}/model`));
  const added = complement(facts, published);
  console.log(`${added.length} attributes are known by the package only: ${added.join(", ")}`);
  await Deno.writeTextFile(
    new URL("opentelemetry.json", import.meta.url),
    render({
      source: "https://github.com/open-telemetry/semantic-conventions",
      licence: "Apache-2.0",
      schema: manifest.schema_url as string,
    }, facts),
  );
}
