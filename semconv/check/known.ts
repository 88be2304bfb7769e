import type { Facts } from "../opentelemetry.ts";
import {
  type Attribute,
  attributesOf,
  type Match,
  type Metric,
  type Reference,
  type Registry,
  type Signal,
  type Span,
} from "../model.ts";
import { foreignAttribute } from "../registry.ts";

/** A signal, with the keys that it carries only if it lists them. */
export type Owned<S extends Signal> = S & {
  /** Those of the engine's registry for its own signals; none for others. */
  readonly keys: ReadonlySet<string>;
};

/** What is known by name: the registries' definitions, and OpenTelemetry's behind them. */
export class Known {
  readonly #facts: Facts;
  readonly #attributes = new Map<string, Attribute>();
  readonly #templates: Attribute[] = [];
  readonly #foreign = new Map<string, Attribute | undefined>();
  readonly #foreignNamespaces: ReadonlySet<string>;
  readonly #metrics = new Map<string, Owned<Metric>>();
  readonly #events = new Map<string, Owned<Signal>>();
  /** The spans that the registries define. */
  readonly spans: readonly Owned<Span>[];
  /** The entities that the registries define. */
  readonly entities: readonly Owned<Signal>[];
  /** The first parts of the registries' keys, in which nobody else defines any. */
  readonly namespaces = new Set<string>();

  /** Of the engine's registry and others; the first one that defines a name rules. */
  constructor(own: Registry, others: readonly Registry[], facts: Facts) {
    this.#facts = facts;
    this.#foreignNamespaces = new Set(
      Object.keys(facts.attributes).map((key) => key.split(".")[0]),
    );
    const spans: Owned<Span>[] = [];
    const entities: Owned<Signal>[] = [];
    for (const { groups, metrics, events, ...registry } of [own, ...others]) {
      const attributes = attributesOf(groups);
      const keys = new Set(groups === own.groups ? attributes.map(({ id }) => id) : []);
      for (const attribute of attributes) {
        if (attribute.id.includes(".")) this.namespaces.add(attribute.id.split(".")[0]);
        if (attribute.type.startsWith("template[")) this.#templates.push(attribute);
        else if (!this.#attributes.has(attribute.id)) this.#attributes.set(attribute.id, attribute);
      }
      for (const metric of metrics) {
        if (metric.origin === "own") this.#metrics.set(metric.id, { ...metric, keys });
      }
      for (const event of events) {
        if (event.origin === "own") this.#events.set(event.id, { ...event, keys });
      }
      spans.push(...registry.spans.map((span) => ({ ...span, keys })));
      entities.push(...registry.entities.map((entity) => ({ ...entity, keys })));
    }
    this.spans = spans;
    this.entities = entities;
  }

  /** The attribute that a key is, or the template that it is made by. */
  attribute(key: string): Attribute | undefined {
    return this.#attributes.get(key) ??
      this.#templates.find(({ id }) => key.startsWith(`${id}.`)) ?? this.#foreignAttribute(key);
  }

  /** Whether the key is a template, of which telemetry carries what is made by it. */
  isTemplate(id: string): boolean {
    return this.#templates.some((template) => template.id === id) ||
      this.#foreignAttribute(id)?.type.startsWith("template[") === true;
  }

  /** Whether OpenTelemetry defines keys that begin like this one. */
  inForeignNamespace(key: string): boolean {
    return key.includes(".") && this.#foreignNamespaces.has(key.split(".")[0]);
  }

  /** The metric of that name. */
  metric(name: string): Owned<Metric> | undefined {
    const own = this.#metrics.get(name);
    if (own !== undefined || !Object.hasOwn(this.#facts.metrics, name)) return own;
    const { instrument, unit } = this.#facts.metrics[name];
    return { ...foreignSignal(name, this.#facts.metrics[name]), instrument, unit };
  }

  /** The event of that name. */
  event(name: string): Owned<Signal> | undefined {
    const own = this.#events.get(name);
    if (own !== undefined || !Object.hasOwn(this.#facts.events, name)) return own;
    return foreignSignal(name, this.#facts.events[name]);
  }

  #foreignAttribute(key: string): Attribute | undefined {
    if (!this.#foreign.has(key)) {
      const found = foreignAttribute(key, this.#facts) ?? this.#foreignTemplate(key);
      this.#foreign.set(key, found);
    }
    return this.#foreign.get(key);
  }

  #foreignTemplate(key: string): Attribute | undefined {
    const parts = key.split(".");
    while (parts.pop() !== undefined && parts.length > 0) {
      const known = foreignAttribute(parts.join("."), this.#facts);
      if (known?.type.startsWith("template[")) return known;
    }
    return undefined;
  }
}

/** Whether telemetry of a scope is what `match` says. */
export function matches(
  match: Match | undefined,
  telemetry: {
    readonly scopes: readonly string[];
    readonly name?: string;
    has(key: string): boolean;
  },
): boolean {
  if (match === undefined) return false;
  const { attribute, without, name, scope } = match;
  return (attribute === undefined || telemetry.has(attribute)) &&
    (without === undefined || !without.some((key) => telemetry.has(key))) &&
    (name === undefined || telemetry.name === name) &&
    (scope === undefined || telemetry.scopes.includes(scope));
}

/** Whether two ask for the same. */
export function isSame(a: Match | undefined, b: Match | undefined): boolean {
  return a?.attribute === b?.attribute && a?.name === b?.name && a?.scope === b?.scope &&
    (a?.without ?? []).join() === (b?.without ?? []).join();
}

function foreignSignal(
  id: string,
  known: Facts["events"][string],
): Signal & { readonly keys: ReadonlySet<string> } {
  const { stability = "development", deprecated, attributes = {} } = known;
  return {
    id,
    stability,
    ...(deprecated === undefined ? {} : { deprecated }),
    origin: "opentelemetry",
    attributes: Object.entries(attributes).map(([id, level]): Reference => ({ id, level })),
    keys: new Set(),
  };
}
