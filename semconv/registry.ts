/**
 * Reads the registry: YAML files in the format of OpenTelemetry Weaver, of which this understands what the
 * registry uses: attribute groups that define attributes, and spans that refer to them.
 */
import { parse } from "yaml";

/** A value that an attribute is known to take. */
export interface Member {
  /** Its name in constants, in snake_case. */
  readonly id: string;
  /** What stands on the span. */
  readonly value: string;
  /** What it means; absent for OpenTelemetry's own. */
  readonly brief?: string;
}

/** One attribute that the engine writes. */
export interface Attribute {
  /** Its key. */
  readonly id: string;
  /** As the registry writes it: `string`, `int`, `template[any]`, or `enum` for one with members. */
  readonly type: string;
  /** What it says. */
  readonly brief: string;
  /** What else a reader must know. */
  readonly note?: string;
  /** Values as they may look. */
  readonly examples: readonly string[];
  /** The values it may take, if they are known. */
  readonly members: readonly Member[];
  /** Whether OpenTelemetry defines it. */
  readonly foreign: boolean;
}

/** Attributes that belong together. */
export interface Group {
  /** For people. */
  readonly title: string;
  /** What they are about. */
  readonly brief: string;
  /** In the order of the file. */
  readonly attributes: readonly Attribute[];
}

/** A span that the engine makes. */
export interface Span {
  /** Such as `spanloop.run.server`. */
  readonly id: string;
  /** OpenTelemetry's kind. */
  readonly kind: string;
  /** What it stands for. */
  readonly brief: string;
  /** What else a reader must know. */
  readonly note?: string;
  /** Its attributes, each with how firmly it is to be expected. */
  readonly attributes: readonly {
    readonly id: string;
    readonly brief: string;
    readonly requirement: string;
  }[];
}

/** The whole registry. */
export interface Registry {
  /** What is ours. */
  readonly groups: readonly Group[];
  /** What OpenTelemetry defines and our spans refer to, sorted by key. */
  readonly foreign: readonly Attribute[];
  /** Our spans. */
  readonly spans: readonly Span[];
}

/** OpenTelemetry's conventions by their constants' names, as its npm package exports them. */
export type Conventions = Readonly<Record<string, unknown>>;

type Node = Readonly<Record<string, unknown>>;

/** A mistake in the registry: which file, and what to do. */
export class RegistryError extends Error {
  /** A stable name. */
  readonly code = "semconv.registry";
}

/**
 * Reads the files' texts, given by their names. Throws RegistryError for a key that is defined twice, or
 * that neither the registry nor OpenTelemetry defines.
 */
export function readRegistry(
  files: ReadonlyMap<string, string>,
  conventions: Conventions,
): Registry {
  const nodes = [...files].flatMap(([file, text]) =>
    list(parse(text) as Node, "groups").map((node) => ({ file, node }))
  );
  const groups = nodes.filter(({ node }) => node.type === "attribute_group").map(readGroup);
  const own = new Map<string, Attribute>();
  for (const attribute of groups.flatMap((group) => group.attributes)) {
    if (own.has(attribute.id)) {
      throw new RegistryError(`${attribute.id} is defined twice: remove one of the definitions`);
    }
    own.set(attribute.id, attribute);
  }
  const foreign = new Map<string, Attribute>();
  const spans = nodes.filter(({ node }) => node.type === "span").map(({ file, node }): Span => ({
    id: text(node, "id", file).replace(/^span\./, ""),
    kind: text(node, "span_kind", file),
    brief: text(node, "brief", file),
    note: optional(node, "note"),
    attributes: list(node, "attributes").map((reference) => {
      const id = text(reference, "ref", file);
      const known = own.get(id) ?? foreign.get(id) ??
        readForeign(id, text(reference, "brief", file), conventions, file);
      if (known.foreign && !foreign.has(id)) foreign.set(id, known);
      return {
        id,
        brief: optional(reference, "brief") ?? known.brief,
        requirement: requirement(reference.requirement_level),
      };
    }),
  }));
  return {
    groups,
    foreign: [...foreign.values()].sort((a, b) => a.id < b.id ? -1 : 1),
    spans,
  };
}

/** The constant's name for a key: `cicd.pipeline.name` is CICD_PIPELINE_NAME, as in OpenTelemetry's packages. */
export function constantName(id: string): string {
  return id.replaceAll(/[^a-zA-Z0-9]/g, "_").toUpperCase();
}

function readGroup({ file, node }: { file: string; node: Node }): Group {
  return {
    title: text(node, "display_name", file),
    brief: text(node, "brief", file),
    attributes: list(node, "attributes").map((attribute): Attribute => {
      const type = attribute.type as string | Node;
      return {
        id: text(attribute, "id", file),
        type: typeof type === "string" ? type : "enum",
        brief: text(attribute, "brief", file),
        note: optional(attribute, "note"),
        examples: ((attribute.examples ?? []) as unknown[]).map(String),
        members: typeof type === "string" ? [] : list(type, "members").map((member) => ({
          id: text(member, "id", file),
          value: text(member, "value", file),
          brief: text(member, "brief", file),
        })),
        foreign: false,
      };
    }),
  };
}

// OpenTelemetry's package holds keys and known values, so a misspelt reference cannot pass.
function readForeign(id: string, brief: string, conventions: Conventions, file: string): Attribute {
  const name = constantName(id);
  if (conventions[`ATTR_${name}`] !== id) {
    throw new RegistryError(
      `${file} refers to ${id}, which neither the registry nor OpenTelemetry defines: correct it or define it`,
    );
  }
  const prefix = `${name}_VALUE_`;
  const members = Object.keys(conventions).filter((key) => key.startsWith(prefix)).sort()
    .map((key) => ({
      id: key.slice(prefix.length).toLowerCase(),
      value: String(conventions[key]),
    }));
  return {
    id,
    type: members.length === 0 ? "any" : "enum",
    brief,
    examples: [],
    members,
    foreign: true,
  };
}

function requirement(level: unknown): string {
  if (typeof level === "string") return level.replaceAll("_", " ");
  return (level as Node).conditionally_required as string;
}

function list(node: Node, key: string): readonly Node[] {
  return (node[key] ?? []) as readonly Node[];
}

function optional(node: Node, key: string): string | undefined {
  const value = node[key];
  return typeof value === "string" ? value.trim().replaceAll(/\s+/g, " ") : undefined;
}

function text(node: Node, key: string, file: string): string {
  const value = optional(node, key);
  if (value === undefined) {
    throw new RegistryError(
      `${file}: ${node.id ?? node.ref ?? "a group"} lacks \`${key}\`: add it`,
    );
  }
  return value;
}
