/** OpenTelemetry's own conventions as facts: what its registry defines, without its texts. */
import facts from "./opentelemetry.json" with { type: "json" };

/** The key, or name, that replaces a deprecated one; true if none does. */
export type Deprecation = string | true;

/** How firmly an attribute is to be expected. */
export type Level = "required" | "conditionally_required" | "recommended" | "opt_in";

/** A signal's attributes by their keys. */
export type Levels = Readonly<Record<string, Level>>;

/** How far one may rely on something. */
export interface Standing {
  /** Absent for `development`. */
  readonly stability?: string;
  /** Absent unless it is deprecated. */
  readonly deprecated?: Deprecation;
}

/** An attribute. */
export interface AttributeFacts extends Standing {
  /** As registries write it: `string`, `int[]`, `template[any]`; `string` or `int` for one with values. */
  readonly type: string;
  /** Its known values by their ids; it may take others. */
  readonly values?: Readonly<Record<string, string | number>>;
}

/** A metric, an event or an entity. */
export interface SignalFacts extends Standing {
  /** What it carries; absent for nothing. */
  readonly attributes?: Levels;
}

/** A metric. */
export interface MetricFacts extends SignalFacts {
  /** What records it. */
  readonly instrument: Instrument;
  /** In UCUM's notation. */
  readonly unit: string;
}

/** What records a metric. */
export type Instrument = "counter" | "updowncounter" | "histogram" | "gauge";

/** All that OpenTelemetry defines. */
export interface Facts {
  /** Where they come from. */
  readonly source: string;
  /** Its licence. */
  readonly licence: string;
  /** Which version: its schema URL. */
  readonly schema: string;
  /** By key. */
  readonly attributes: Readonly<Record<string, AttributeFacts>>;
  /** By name. */
  readonly metrics: Readonly<Record<string, MetricFacts>>;
  /** By name. */
  readonly events: Readonly<Record<string, SignalFacts>>;
  /** By name. */
  readonly entities: Readonly<Record<string, SignalFacts>>;
}

/** The facts of opentelemetry.json. */
export const OPENTELEMETRY = facts as unknown as Facts;
