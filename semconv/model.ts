/** A registry as it was read: what it defines, and what it refers to. */
import type { Instrument, Level } from "./opentelemetry.ts";

/** A value that an attribute is known to take. */
export interface Member {
  /** Its name in constants, in snake_case. */
  readonly id: string;
  /** What stands on the span. */
  readonly value: string | number;
  /** What it means; absent for OpenTelemetry's own. */
  readonly brief?: string;
}

/** Who defines something: the registry that was read, the one it builds upon, or OpenTelemetry. */
export type Origin = "own" | "base" | "opentelemetry";

/** One attribute. */
export interface Attribute {
  /** Its key. */
  readonly id: string;
  /** As the registry writes it: `string`, `int`, `template[any]`; for one with members, the members' type. */
  readonly type: string;
  /** What it says; absent for OpenTelemetry's own if no reference says it. */
  readonly brief?: string;
  /** What else a reader must know. */
  readonly note?: string;
  /** Values as they may look. */
  readonly examples: readonly string[];
  /** The values it may take, if they are known. */
  readonly members: readonly Member[];
  /** Whether it takes its members' values only; OpenTelemetry's and those with `annotations: {open: true}` take others. */
  readonly closed: boolean;
  /** `development`, `stable` and so on. */
  readonly stability: string;
  /** What replaces it, or true; absent unless it is deprecated. */
  readonly deprecated?: string | true;
  /** Who defines it. */
  readonly origin: Origin;
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

/** An attribute as a signal carries it. */
export interface Reference {
  /** The attribute's key. */
  readonly id: string;
  /** What it says here. */
  readonly brief?: string;
  /** How firmly it is to be expected. */
  readonly level: Level;
  /** When it is there, if that depends. */
  readonly condition?: string;
}

/** Which telemetry the live check takes for a span or an entity; all that is given must hold. */
export interface Match {
  /** It carries the attribute. */
  readonly attribute?: string;
  /** It carries none of these attributes. */
  readonly without?: readonly string[];
  /** It is called so. */
  readonly name?: string;
  /** An instrumentation scope of that name wrote it. */
  readonly scope?: string;
}

/** What all signals have. */
export interface Signal {
  /** The name: a metric's, an event's, an entity's; a span's id without `span.`. */
  readonly id: string;
  /** What it stands for; absent for OpenTelemetry's own. */
  readonly brief?: string;
  /** What else a reader must know. */
  readonly note?: string;
  /** `development`, `stable` and so on. */
  readonly stability: string;
  /** What replaces it, or true; absent unless it is deprecated. */
  readonly deprecated?: string | true;
  /** Who defines it. */
  readonly origin: Origin;
  /** Its attributes. */
  readonly attributes: readonly Reference[];
  /** `annotations: {live_check: …}`, by which the live check knows spans and entities; absent: it knows none. */
  readonly match?: Match;
}

/** A span. */
export interface Span extends Signal {
  /** OpenTelemetry's kind. */
  readonly kind: string;
}

/** A metric. */
export interface Metric extends Signal {
  /** What records it. */
  readonly instrument: Instrument;
  /** In UCUM's notation. */
  readonly unit: string;
}

/** A registry, with what it refers to. */
export interface Registry {
  /** What it defines. */
  readonly groups: readonly Group[];
  /** What others define and its signals refer to, sorted by key. */
  readonly foreign: readonly Attribute[];
  /** Its spans. */
  readonly spans: readonly Span[];
  /** Its metrics, with those that it imports. */
  readonly metrics: readonly Metric[];
  /** Its events, with those that it imports. */
  readonly events: readonly Signal[];
  /** Its entities, with those that it imports. */
  readonly entities: readonly Signal[];
}

/** The constant's name for a key: `cicd.pipeline.name` is CICD_PIPELINE_NAME, as in OpenTelemetry's packages. */
export function constantName(id: string): string {
  return id.replaceAll(/[^a-zA-Z0-9]/g, "_").toUpperCase();
}

/** All attributes of the groups, in their order. */
export function attributesOf(groups: readonly Group[]): readonly Attribute[] {
  return groups.flatMap((group) => group.attributes);
}
