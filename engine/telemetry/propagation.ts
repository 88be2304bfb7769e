import type { Carrier, LocalContext, Propagation, RemoteContext } from "../core/propagation.ts";
import type { SpanReference } from "../core/span.ts";

/** The formats that can be carried, by their names in OTEL_PROPAGATORS. */
export type PropagatorName = "tracecontext" | "baggage";

/** How spans are exported, as far as other programs can see it. */
export interface ExportedSpans {
  /** The ids under which an open span is exported, or the nearest one around it that is. */
  exported(span: SpanReference): SpanReference;
  /** Whether an open span is exported at all; undefined: this process does not export it. */
  sampled(spanId: string): boolean | undefined;
}

// W3C Trace Context Level 2: the flags that a participant hands on; others are written as 0.
const SAMPLED = 1;
const RANDOM = 2;

// A traceparent of which nothing is in doubt, as most are; of any other the library decides.
const BARE = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** What a run carries of business context. */
export interface RunBaggage {
  /** The run's baggage header. */
  readonly baggage?: string;
  /** What its spans say of it, by name. */
  readonly context: Readonly<Record<string, string>>;
  /** What a person should know of what was left out. */
  readonly warnings: readonly string[];
}

/**
 * Trace context and baggage in W3C's formats, read and written by OpenTelemetry's libraries. These are loaded
 * when there is something of the kind: a plain traceparent, all that most runs read and write, does without
 * them.
 */
export class W3cPropagation implements Propagation {
  readonly #names: readonly PropagatorName[];
  #spans: ExportedSpans | undefined;
  #loading: ReturnType<typeof load> | undefined;

  /** Reads and writes these formats. */
  constructor(names: readonly PropagatorName[]) {
    this.#names = names;
  }

  /** From now on spans are told of as they are exported; before, with the journal's ids and the caller's flags. */
  follow(spans: ExportedSpans): void {
    this.#spans = spans;
  }

  /** See Propagation. */
  async extract(carrier: Carrier): Promise<RemoteContext> {
    const given = "headers" in carrier
      ? (key: string) => carrier.headers.get(key)
      : (key: string) => carrier.environment[key.toUpperCase()];
    const parent = this.#has("tracecontext") ? given("traceparent") : undefined;
    const baggage = this.#has("baggage") ? given("baggage") : undefined;
    // A tracestate without its traceparent says nothing.
    if (!parent && !baggage) return {};
    if (parent && !baggage && !given("tracestate")) {
      const bare = BARE.exec(parent);
      if (bare !== null) {
        const [, traceId, parentSpanId, flags] = bare;
        return { traceId, parentSpanId, traceFlags: parseInt(flags, 16) };
      }
    }
    const { w3c, propagator } = await this.#load();
    return w3c.extract(propagator, carrier);
  }

  /** See Propagation. */
  reference(context: LocalContext): SpanReference & { readonly traceFlags: number } {
    const { span, traceFlags = SAMPLED } = context;
    const { traceId, spanId } = this.#spans?.exported(span) ?? span;
    const sampled = this.#spans?.sampled(span.spanId) ?? (traceFlags & SAMPLED) !== 0;
    // Of an id that is not the caller's nothing is promised.
    const random = traceId === span.traceId ? traceFlags & RANDOM : 0;
    return { traceId, spanId, traceFlags: (sampled ? SAMPLED : 0) | random };
  }

  /** See Propagation. */
  async environment(
    context: LocalContext,
  ): Promise<Readonly<Record<string, string | undefined>>> {
    return {
      ...(this.#has("tracecontext") ? { TRACEPARENT: undefined, TRACESTATE: undefined } : {}),
      ...(this.#has("baggage") ? { BAGGAGE: undefined } : {}),
      ...await this.#inject(context, "environment"),
    };
  }

  /** See Propagation. */
  async headers(context: LocalContext): Promise<Readonly<Record<string, string>>> {
    return await this.#inject(context, "headers");
  }

  /**
   * The baggage of a run that is about to start: what its workflow sets over the caller's. `inherited` is the
   * business context of a calling run.
   */
  async merge(
    caller: string | undefined,
    own: {
      readonly set: Readonly<Record<string, string>>;
      readonly fromCaller: readonly string[];
      readonly inherited?: Readonly<Record<string, string>>;
    },
  ): Promise<RunBaggage> {
    const { set, fromCaller, inherited } = own;
    const idle = Object.keys(set).length === 0 && (caller === undefined || fromCaller.length === 0);
    if (idle || !this.#has("baggage")) {
      return {
        ...(caller === undefined ? {} : { baggage: caller }),
        context: { ...inherited, ...set },
        warnings: [],
      };
    }
    const { w3c } = await this.#load();
    const { header, dropped, found } = w3c.mergeBaggage(caller, set, fromCaller);
    return {
      ...(header === undefined ? {} : { baggage: header }),
      context: { ...inherited, ...found, ...set },
      warnings: dropped === 0 ? [] : [w3c.leftOut(dropped, "the run's baggage")],
    };
  }

  async #inject(
    context: LocalContext,
    into: "headers" | "environment",
  ): Promise<Readonly<Record<string, string>>> {
    const reference = this.reference(context);
    const traceState = this.#has("tracecontext") ? context.traceState : undefined;
    const baggage = this.#has("baggage") ? context.baggage : undefined;
    if (traceState === undefined && baggage === undefined) {
      if (!this.#has("tracecontext")) return {};
      const { traceId, spanId, traceFlags } = reference;
      return {
        [into === "headers" ? "traceparent" : "TRACEPARENT"]:
          `00-${traceId}-${spanId}-0${traceFlags}`,
      };
    }
    const { w3c, propagator } = await this.#load();
    return w3c.inject(propagator, { reference, traceState, baggage }, into);
  }

  #has(name: PropagatorName): boolean {
    return this.#names.includes(name);
  }

  #load(): ReturnType<typeof load> {
    return this.#loading ??= load(this.#names);
  }
}

async function load(names: readonly PropagatorName[]) {
  const w3c = await import("./_w3c.ts");
  return { w3c, propagator: w3c.propagatorOf(names) };
}
