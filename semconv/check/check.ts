/**
 * The live check: holds telemetry against registries and OpenTelemetry's own conventions, as `weaver
 * registry live-check` does. It knows a span's group by `annotations: {live_check: …}`.
 */
import type { Facts } from "../opentelemetry.ts";
import type { Attribute, Registry, Signal } from "../model.ts";
import type { Advice, AdviceLevel } from "./advice.ts";
import { isSame, Known, matches, type Owned } from "./known.ts";
import { type Carried, type Sample, samplesOf } from "./otlp.ts";

/** What to hold telemetry against. */
export interface CheckOptions {
  /** The engine's registry: its signals carry no more of its attributes than it lists for them. */
  readonly own: Registry;
  /** Registries of authors; of those that define a name the first one rules. */
  readonly others?: readonly Registry[];
  /** OpenTelemetry's own conventions. */
  readonly facts: Facts;
  /** Whether an attribute of a span, an event or a resource that no registry has is a violation; else it is advice. */
  readonly strict?: boolean;
}

type Of = Pick<Advice, "signal" | "name">;
type Said = Omit<Advice, "file" | "line">;

/** Checks lines, each an export request of OTLP's JSON encoding, as the file exporter writes them. */
export class TelemetryCheck {
  readonly #known: Known;
  readonly #strict: boolean;

  /** Against registries. */
  constructor({ own, others = [], facts, strict = false }: CheckOptions) {
    this.#known = new Known(own, others, facts);
    this.#strict = strict;
  }

  /** What there is to say of a line; `file` and `line` are handed through. */
  check(text: string, file: string, line: number): readonly Advice[] {
    if (text.trim() === "") return [];
    try {
      return [...samplesOf(JSON.parse(text))].flatMap((sample) =>
        [...this.#sample(sample)].map((said) => ({ ...said, file, line }))
      );
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      return [{
        level: "violation",
        id: "invalid_request",
        signal: "request",
        name: "",
        message: `This is no export request in OTLP's JSON encoding: ${error.message}`,
        file,
        line,
      }];
    }
  }

  #sample(sample: Sample): Generator<Said> {
    switch (sample.signal) {
      case "resource":
        return this.#resource(sample);
      case "span":
        return this.#span(sample);
      case "metric":
        return this.#metric(sample);
      case "log":
        return this.#log(sample);
    }
  }

  *#resource(sample: Sample & { signal: "resource" }): Generator<Said> {
    const of: Of = { signal: "resource", name: "" };
    yield* this.#attributes(of, sample.attributes, "information");
    const keys = keysOf(sample.attributes);
    const telemetry = { scopes: sample.scopes, has: (key: string) => keys.has(key) };
    for (const entity of this.#known.entities) {
      if (matches(entity.match, telemetry)) yield* this.#signal(of, entity, sample.attributes);
    }
  }

  *#span(sample: Sample & { signal: "span" }): Generator<Said> {
    const { name, scope, kind, attributes, events, links } = sample;
    const of: Of = { signal: "span", name };
    yield* this.#attributes(of, attributes, "information");
    const keys = keysOf(attributes);
    const telemetry = { scopes: [scope], name, has: (key: string) => keys.has(key) };
    const matched = this.#known.spans.filter(({ match }) => matches(match, telemetry));
    const groups = matched.filter((group) => group.kind === kind);
    for (const { id, kind: expected, match } of matched) {
      // One of several groups that are known by the same.
      if (groups.some((group) => isSame(group.match, match))) continue;
      yield {
        ...of,
        level: "violation",
        id: "unexpected_kind",
        message: `A span of ${id} is of kind ${expected}, not ${kind}`,
      };
    }
    for (const group of groups) yield* this.#signal(of, group, attributes, sample.cut);
    if (matched.length === 0) {
      yield {
        ...of,
        level: this.#strict ? "violation" : "information",
        id: "missing_span",
        message: "No registry has a span group that this span belongs to",
      };
    }
    for (const event of events) {
      yield* this.#event({ signal: "span_event", name: event.name }, event);
    }
    for (const link of links) {
      yield* this.#attributes({ signal: "span_link", name }, link.attributes, "information");
    }
  }

  *#metric(sample: Sample & { signal: "metric" }): Generator<Said> {
    const { name, unit, instrument, points } = sample;
    const of: Of = { signal: "metric", name };
    const metric = this.#known.metric(name);
    if (metric === undefined) {
      yield {
        ...of,
        level: "violation",
        id: "missing_metric",
        message: "No registry has this metric: define it, or correct its name",
      };
    } else {
      if (metric.unit !== unit) {
        yield {
          ...of,
          level: "violation",
          id: "unit_mismatch",
          message: `Its unit is \`${metric.unit}\`, not \`${unit}\``,
        };
      }
      if (metric.instrument !== instrument) {
        yield {
          ...of,
          level: "violation",
          id: "unexpected_instrument",
          message: `It is recorded by a ${metric.instrument}, not a ${instrument}`,
        };
      }
    }
    for (const attributes of points) {
      yield* this.#attributes(of, attributes, "violation");
      if (metric !== undefined) yield* this.#signal(of, metric, attributes);
    }
  }

  *#log(sample: Sample & { signal: "log" }): Generator<Said> {
    if (sample.name === undefined) {
      yield* this.#attributes({ signal: "log", name: "" }, sample.attributes, "information");
    } else {
      yield* this.#event({ signal: "log", name: sample.name }, sample);
    }
  }

  *#event(
    of: Of,
    { attributes, cut }: { readonly attributes: readonly Carried[]; readonly cut: boolean },
  ): Generator<Said> {
    yield* this.#attributes(of, attributes, "information");
    const event = this.#known.event(of.name);
    if (event !== undefined) return yield* this.#signal(of, event, attributes, cut);
    yield {
      ...of,
      level: "violation",
      id: "missing_event",
      message: "No registry has an event of this name: define it, or correct the name",
    };
  }

  // What the definition of a signal says of the attributes that it carries.
  *#signal(
    of: Of,
    signal: Owned<Signal>,
    attributes: readonly Carried[],
    cut = false,
  ): Generator<Said> {
    if (signal.deprecated !== undefined) {
      yield {
        ...of,
        level: "violation",
        id: "deprecated",
        message: deprecation(signal.id, signal.deprecated),
      };
    }
    const keys = keysOf(attributes);
    for (const { id, level, condition } of signal.attributes) {
      // Whether a condition holds only the author knows.
      const expected = condition === undefined && (level === "required" || level === "recommended");
      if (cut || !expected || keys.has(id) || this.#known.isTemplate(id)) continue;
      if (this.#known.attribute(id)?.deprecated !== undefined) continue;
      yield {
        ...of,
        key: id,
        level: level === "required" ? "violation" : "improvement",
        id: `${level}_attribute_not_present`,
        message: `It lacks ${id}, which is ${level} for ${signal.id}`,
      };
    }
    const listed = new Set(signal.attributes.map(({ id }) => id));
    for (const { key } of attributes) {
      const id = this.#known.attribute(key)?.id ?? key;
      // The engine's own keys only: whatever an author adds may stand on any span.
      if (listed.has(id) || !signal.keys.has(id)) continue;
      yield {
        ...of,
        key,
        level: "violation",
        id: "unexpected_attribute",
        message: `It carries ${key}, which the registry does not list for ${signal.id}`,
      };
    }
  }

  *#attributes(of: Of, attributes: readonly Carried[], unknown: AdviceLevel): Generator<Said> {
    for (const carried of attributes) {
      const known = this.#known.attribute(carried.key);
      if (known === undefined) yield this.#unknown(of, carried.key, unknown);
      else yield* attribute(of, carried, known);
    }
  }

  #unknown(of: Of, key: string, level: AdviceLevel): Said {
    const [namespace] = key.split(".");
    if (this.#known.namespaces.has(namespace) && key.includes(".")) {
      const message = `No registry has ${key}, and \`${namespace}.\` is a registry's own: ` +
        "define it there, or correct it";
      return { ...of, key, level: "violation", id: "missing_attribute", message };
    }
    if (this.#known.inForeignNamespace(key)) {
      return {
        ...of,
        key,
        level: this.#strict || level === "violation" ? "violation" : "improvement",
        id: "illegal_namespace",
        message: `OpenTelemetry does not define ${key}, and \`${namespace}.\` is its own: ` +
          "begin it with a name of your own",
      };
    }
    return {
      ...of,
      key,
      level: this.#strict ? "violation" : level,
      id: "missing_attribute",
      message: `No registry has ${key}: define it in one of your own`,
    };
  }
}

function* attribute(of: Of, { key, type, value }: Carried, known: Attribute): Generator<Said> {
  if (known.deprecated !== undefined) {
    yield {
      ...of,
      key,
      level: "violation",
      id: "deprecated",
      message: deprecation(key, known.deprecated),
    };
  }
  const wanted = known.type.replace(/^template\[(.*)\]$/, "$1");
  if (!fits(type, wanted)) {
    yield {
      ...of,
      key,
      level: "violation",
      id: "type_mismatch",
      message: `${key} is of type ${wanted}, not ${type}`,
    };
  } else if (isUndefined(value, known)) {
    yield {
      ...of,
      key,
      level: known.closed ? "violation" : "information",
      id: "undefined_enum_variant",
      message: `${key} is \`${value}\`, which is none of ${
        known.members.map((member) => `\`${member.value}\``).join(", ")
      }`,
    };
  }
}

function fits(type: Carried["type"], wanted: string): boolean {
  if (wanted === "any" || type === wanted) return true;
  if (type === "[]") return wanted.endsWith("[]");
  // JavaScript has one type of number: its SDK sends the double 1 as an integer.
  return (type === "int" && wanted === "double") || (type === "int[]" && wanted === "double[]");
}

// An enumeration of `_OTHER` alone, as error.type is one, has values of the instrumentation's own.
function isUndefined(value: Carried["value"], { members }: Attribute): boolean {
  return value !== undefined && members.some((member) => member.value !== "_OTHER") &&
    !members.some((member) => member.value === value);
}

function deprecation(name: string, instead: string | true): string {
  return `${name} is deprecated: ${instead === true ? "nothing replaces it" : `use ${instead}`}`;
}

function keysOf(attributes: readonly Carried[]): ReadonlySet<string> {
  return new Set(attributes.map(({ key }) => key));
}
