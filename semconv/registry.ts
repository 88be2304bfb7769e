/**
 * Reads a registry: YAML files in the format of OpenTelemetry Weaver (its semconv.schema.json, version 1),
 * of which this understands attribute groups, spans, metrics, events, entities, and imports of
 * OpenTelemetry's own metrics, events and entities.
 */
import { type Item, readItem } from "./located.ts";
import {
  type Attribute,
  attributesOf,
  constantName,
  type Group,
  type Match,
  type Metric,
  type Reference,
  type Registry,
  type Signal,
  type Span,
} from "./model.ts";
import type { Facts, Instrument, Level, Levels } from "./opentelemetry.ts";

const SINGULAR = { metrics: "metric", events: "event", entities: "entity" };
const MATCHES: readonly string[] = [
  "attribute",
  "without",
  "name",
  "scope",
] satisfies (keyof Match)[];
const WITH_CONSTANTS: readonly string[] = ["attribute", "metric", "event"];
const LEVELS: readonly string[] = ["required", "conditionally_required", "recommended", "opt_in"];

/**
 * Reads the files' texts, given by their names. `base` is the registry that this one builds upon: its
 * attributes can be referred to. Throws RegistryError, with file and line, for what the format does not
 * know, a name that is defined twice, and a reference to what nobody defines.
 */
export function readRegistry(
  files: ReadonlyMap<string, string>,
  facts: Facts,
  base?: Registry,
): Registry {
  const tops = [...files].map(([file, text]) => readItem(file, text));
  const items = tops.flatMap((top) => top.items("groups"));
  for (const item of items) checkType(item);
  const names = new Map<string, Item>();
  const groups = ofType(items, "attribute_group").filter(definesAttributes)
    .map((item) => readGroup(item, names, facts, base));
  const attributes = new Map(attributesOf(groups).map((one) => [one.id, one]));
  const inherited = new Map(
    attributesOf(base?.groups ?? [])
      .map((one): [string, Attribute] => [one.id, { ...one, origin: "base" }]),
  );
  const byId = new Map(items.map((item) => [item.text("id"), item]));
  const foreign = new Map<string, Attribute>();

  function resolve(reference: Item): Reference {
    const id = reference.text("ref");
    const brief = reference.optional("brief");
    const known = attributes.get(id) ?? foreign.get(id) ?? inherited.get(id) ??
      foreignAttribute(id, facts);
    if (known === undefined) {
      throw reference.error(
        `refers to ${id}, which neither the registry nor OpenTelemetry defines: ${
          correction(id, [...attributes.keys(), ...inherited.keys(), ...keysOf(facts.attributes)])
        }`,
      );
    }
    if (known.deprecated !== undefined) {
      throw reference.error(
        `refers to ${id}, which is deprecated: ${
          known.deprecated === true ? "nothing replaces it" : `use ${known.deprecated}`
        }`,
      );
    }
    if (known.origin !== "own") {
      foreign.set(id, { ...known, brief: known.brief ?? brief });
    }
    return { id, brief: brief ?? known.brief, ...readLevel(reference) };
  }

  function signal(item: Item, id: string): Signal {
    unique(names, item.text("type"), id, item);
    return {
      id,
      brief: item.text("brief"),
      note: item.optional("note"),
      stability: item.text("stability"),
      ...readDeprecation(item),
      origin: "own",
      attributes: referencesOf(item, byId).map(resolve),
      ...readMatch(item),
    };
  }

  const spans = ofType(items, "span").map((item): Span => ({
    ...signal(item, item.text("id").replace(/^span\./, "")),
    kind: item.text("span_kind"),
  }));
  const metrics = ofType(items, "metric").map((item): Metric => ({
    ...signal(item, item.text("metric_name")),
    instrument: readInstrument(item),
    unit: item.text("unit"),
  }));
  const events = ofType(items, "event").map((item) => signal(item, item.text("name")));
  const entities = ofType(items, "entity").map((item) => signal(item, item.text("name")));
  // A group that nothing extends may be wrong, too.
  for (const item of ofType(items, "attribute_group")) {
    referencesOf(item, byId).filter((attribute) => !defines(attribute)).forEach(resolve);
  }

  function imported<T extends object>(
    kind: "metrics" | "events" | "entities",
    make: (name: string, signal: Signal) => T,
  ): readonly T[] {
    return tops.flatMap((top) => {
      const imports = top.item("imports");
      return (imports?.scalars(kind) ?? []).map((given) => {
        const name = String(given);
        const known = facts[kind][name];
        if (imports === undefined || known === undefined) {
          throw (imports ?? top).error(
            `imports ${name}, which is not among OpenTelemetry's ${kind}: ${
              correction(name, keysOf(facts[kind]))
            }`,
          );
        }
        unique(names, SINGULAR[kind], name, imports);
        for (const key of keysOf(known.attributes ?? {})) {
          const attribute = foreignAttribute(key, facts);
          if (attribute !== undefined && attribute.deprecated === undefined && !foreign.has(key)) {
            foreign.set(key, attribute);
          }
        }
        return make(name, foreignSignal(name, known));
      });
    });
  }

  return {
    groups,
    spans,
    metrics: [
      ...imported("metrics", (name, signal): Metric => {
        const { instrument, unit } = facts.metrics[name];
        return { ...signal, instrument, unit };
      }),
      ...metrics,
    ],
    events: [...imported("events", (_, signal) => signal), ...events],
    entities: [...imported("entities", (_, signal) => signal), ...entities],
    foreign: [...foreign.values()].sort((a, b) => a.id < b.id ? -1 : 1),
  };
}

/** OpenTelemetry's attribute of that key; undefined if it defines none. */
export function foreignAttribute(id: string, facts: Facts): Attribute | undefined {
  if (!Object.hasOwn(facts.attributes, id)) return undefined;
  const { type, values = {}, stability = "development", deprecated } = facts.attributes[id];
  return {
    id,
    type,
    examples: [],
    members: Object.entries(values).map(([id, value]) => ({ id, value }))
      .sort((a, b) => a.id < b.id ? -1 : 1),
    closed: false,
    stability,
    ...(deprecated === undefined ? {} : { deprecated }),
    origin: "opentelemetry",
  };
}

function foreignSignal(
  id: string,
  known: {
    readonly stability?: string;
    readonly deprecated?: string | true;
    readonly attributes?: Levels;
  },
): Signal {
  const { stability = "development", deprecated, attributes = {} } = known;
  return {
    id,
    stability,
    ...(deprecated === undefined ? {} : { deprecated }),
    origin: "opentelemetry",
    attributes: Object.entries(attributes).map(([id, level]) => ({ id, level })),
  };
}

function checkType(item: Item): void {
  const type = item.text("type");
  if (!["attribute_group", "span", "metric", "event", "entity"].includes(type)) {
    throw item.error(
      `${item.text("id")} is of type ${type}: use attribute_group, span, metric, event or entity`,
    );
  }
}

function ofType(items: readonly Item[], type: string): readonly Item[] {
  return items.filter((item) => item.get("type") === type);
}

// A group of references only is there to be extended.
function definesAttributes(item: Item): boolean {
  return item.items("attributes").some(defines);
}

function defines(attribute: Item): boolean {
  return attribute.get("id") !== undefined;
}

function referencesOf(
  item: Item,
  byId: ReadonlyMap<string, Item>,
  below: readonly Item[] = [],
): readonly Item[] {
  const own = item.items("attributes");
  const extended = item.optional("extends");
  if (extended === undefined) return own;
  if (below.includes(item)) throw item.error(`${item.text("id")} extends itself: break the circle`);
  const parent = byId.get(extended);
  if (parent === undefined) {
    throw item.error(
      `extends ${extended}, which no group of the registry is called: ${
        correction(extended, [...byId.keys()])
      }`,
    );
  }
  const keys = new Set(own.map((one) => one.get("ref")));
  const inherited = referencesOf(parent, byId, [...below, item]);
  return [...inherited.filter((one) => !keys.has(one.get("ref"))), ...own];
}

function readGroup(
  item: Item,
  names: Map<string, Item>,
  facts: Facts,
  base: Registry | undefined,
): Group {
  return {
    title: item.text("display_name"),
    brief: item.text("brief"),
    attributes: item.items("attributes").filter(defines).map((attribute) => {
      const read = readAttribute(attribute);
      unique(names, "attribute", read.id, attribute);
      const theirs = Object.hasOwn(facts.attributes, read.id)
        ? "OpenTelemetry"
        : base !== undefined && attributesOf(base.groups).some((one) => one.id === read.id)
        ? "the registry that this one builds upon"
        : undefined;
      if (theirs !== undefined) {
        throw attribute.error(
          `defines ${read.id}, which ${theirs} defines: refer to it with \`ref\``,
        );
      }
      return read;
    }),
  };
}

function readAttribute(item: Item): Attribute {
  const type = item.get("type");
  const members = typeof type === "string" ? [] : item.item("type")?.items("members") ?? [];
  if (typeof type !== "string" && members.length === 0) item.text("type");
  const examples = item.scalars("examples");
  if (examples.length === 0 && members.length === 0 && type !== "boolean") {
    throw item.error(`${item.text("id")} lacks \`examples\`: add at least one`);
  }
  return {
    id: item.text("id"),
    type: typeof type === "string"
      ? type
      : typeof members[0].get("value") === "number"
      ? "int"
      : "string",
    brief: item.text("brief"),
    note: item.optional("note"),
    examples: examples.map(String),
    members: members.map((member) => {
      const value = member.get("value");
      member.text("stability");
      return {
        id: member.text("id"),
        value: typeof value === "number" ? value : member.text("value"),
        brief: member.text("brief"),
      };
    }),
    closed: members.length > 0 && item.item("annotations")?.get("open") !== true,
    stability: item.text("stability"),
    ...readDeprecation(item),
    origin: "own",
  };
}

function readInstrument(item: Item): Instrument {
  const instrument = item.text("instrument");
  if (["counter", "updowncounter", "histogram", "gauge"].includes(instrument)) {
    return instrument as Instrument;
  }
  throw item.error(
    `${instrument} is no instrument: use counter, updowncounter, histogram or gauge`,
  );
}

function readDeprecation(item: Item): { readonly deprecated?: string | true } {
  const deprecated = item.item("deprecated");
  return deprecated === undefined ? {} : { deprecated: deprecated.optional("renamed_to") ?? true };
}

function readMatch(item: Item): { readonly match?: Match } {
  const given = item.item("annotations")?.item("live_check");
  if (given === undefined) return {};
  const unknown = given.keys().find((key) => !MATCHES.includes(key));
  if (unknown !== undefined || given.keys().length === 0) {
    throw given.error(
      `\`live_check\` takes ${MATCHES.join(", ")}, not ${unknown ?? "nothing"}`,
    );
  }
  return {
    match: Object.fromEntries(
      given.keys().map((key) => [
        key,
        key === "without" ? given.scalars(key).map(String) : given.text(key),
      ]),
    ),
  };
}

function readLevel(item: Item): { readonly level: Level; readonly condition?: string } {
  const given = item.get("requirement_level") ?? "recommended";
  const nested = typeof given === "string" ? undefined : item.item("requirement_level");
  const level = nested === undefined ? given : nested.keys()[0];
  if (typeof level !== "string" || !LEVELS.includes(level)) {
    throw item.error(`${String(level)} is no requirement level: use ${LEVELS.join(", ")}`);
  }
  const condition = nested?.optional(level);
  return { level: level as Level, ...(condition === undefined ? {} : { condition }) };
}

// Of a kind: a metric may be called as an attribute is.
function unique(names: Map<string, Item>, kind: string, name: string, item: Item): void {
  const first = names.get(`${kind} ${name}`);
  if (first !== undefined) {
    throw item.error(
      `${name} is defined twice, first at ${first.file}:${first.line}: remove one of the definitions`,
    );
  }
  names.set(`${kind} ${name}`, item);
  if (!WITH_CONSTANTS.includes(kind)) return;
  // No program could load a generated module that has one constant twice.
  const constant = constantName(name);
  const other = names.get(`${kind} = ${constant}`);
  if (other !== undefined) {
    throw item.error(
      `${name} makes the constant ${constant}, as what is defined at ${other.file}:${other.line} ` +
        "does: rename one of them",
    );
  }
  names.set(`${kind} = ${constant}`, item);
}

function correction(given: string, known: readonly string[]): string {
  const last = given.slice(given.lastIndexOf(".") + 1);
  const near = known.find((name) => name.replaceAll("_", ".") === given.replaceAll("_", ".")) ??
    known.find((name) => name.endsWith(`.${last}`) && name[0] === given[0]);
  return near === undefined ? "correct it or define it" : `is ${near} meant?`;
}

function keysOf(record: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(record);
}
