/**
 * OpenTelemetry's own readers and writers of W3C trace context and baggage, loaded only when there is something
 * that they must read or write: they take 60 ms.
 */
import {
  type BaggageEntry,
  type Context,
  createTraceState,
  propagation,
  ROOT_CONTEXT,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from "@opentelemetry/api";
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from "@opentelemetry/core";
import { EnvironmentSetter } from "@opentelemetry/propagator-env-carrier";
import type { Carrier, RemoteContext } from "../core/propagation.ts";
import type { SpanReference } from "../core/span.ts";

/** Limits that every party keeps (https://www.w3.org/TR/baggage/, "Limits"); OpenTelemetry's library takes more. */
const MOST_MEMBERS = 64;
const MOST_BYTES = 8192;

// A name is a token of RFC 9110; a property must be fit for a header, which the library leaves to others.
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PROPERTIES = /^[\t\x20-\x7e]*$/;

const BAGGAGE = new W3CBaggagePropagator();

/** What `inject` hands on. */
export interface Outgoing {
  /** The span and its flags. */
  readonly reference: SpanReference & { readonly traceFlags: number };
  /** Its tracestate header. */
  readonly traceState?: string;
  /** The baggage header. */
  readonly baggage?: string;
}

/** A baggage header within the limits, and how many members it lacks. */
export interface Limited {
  /** Absent when no member is left. */
  readonly header?: string;
  /** Members that were left out: they do not hold, or go beyond the limits. */
  readonly dropped: number;
}

/** The propagators of those names, as one. */
export function propagatorOf(names: readonly ("tracecontext" | "baggage")[]): TextMapPropagator {
  return new CompositePropagator({
    propagators: names.map((name) =>
      name === "baggage" ? BAGGAGE : new W3CTraceContextPropagator()
    ),
  });
}

/** Reads a context, within the limits. */
export function extract(propagator: TextMapPropagator, carrier: Carrier): RemoteContext {
  const context = "headers" in carrier
    ? propagator.extract(ROOT_CONTEXT, carrier.headers, HEADERS)
    : propagator.extract(ROOT_CONTEXT, carrier.environment, ENVIRONMENT);
  const span = trace.getSpanContext(context);
  const traceState = span?.traceState?.serialize();
  const given = propagator.fields().includes("baggage")
    ? "headers" in carrier ? carrier.headers.get("baggage") : carrier.environment.BAGGAGE
    : undefined;
  const { header, dropped } = given ? limited(membersOf(context), count(given)) : NO_BAGGAGE;
  return {
    ...(span === undefined ? {} : {
      traceId: span.traceId,
      parentSpanId: span.spanId,
      traceFlags: span.traceFlags,
      ...(traceState ? { traceState } : {}),
    }),
    ...(header === undefined ? {} : { baggage: header }),
    ...(dropped === 0 ? {} : { warnings: [leftOut(dropped, "the caller's baggage")] }),
  };
}

/** The headers, or with `environment` the variables, that hand a context on. */
export function inject(
  propagator: TextMapPropagator,
  { reference, traceState, baggage }: Outgoing,
  into: "headers" | "environment",
): Record<string, string> {
  let context = trace.setSpanContext(ROOT_CONTEXT, {
    ...reference,
    traceState: traceState === undefined ? undefined : createTraceState(traceState),
  });
  if (baggage !== undefined) context = contextOf(baggage, context);
  const carrier: Record<string, string> = {};
  if (into === "environment") propagator.inject(context, undefined, new EnvironmentSetter(carrier));
  else propagator.inject(context, carrier, PLAIN);
  return carrier;
}

/**
 * The baggage of a run: what its workflow sets, then what of `caller` it does not set, within the limits; and
 * those members of the caller's that are asked for by name.
 */
export function mergeBaggage(
  caller: string | undefined,
  set: Readonly<Record<string, string>>,
  wanted: readonly string[],
): Limited & { readonly found: Readonly<Record<string, string>> } {
  const theirs = caller === undefined ? [] : membersOf(contextOf(caller, ROOT_CONTEXT));
  const own = Object.entries(set).map(([name, value]): Member => [name, { value }]);
  const members = [...own, ...theirs.filter(([name]) => !Object.hasOwn(set, name))];
  return {
    ...limited(members, members.length),
    found: Object.fromEntries(
      theirs.flatMap(([name, { value }]) => wanted.includes(name) ? [[name, value]] : []),
    ),
  };
}

/** What to say of members that were left out. */
export function leftOut(dropped: number, whose: string): string {
  return `${dropped} ${dropped === 1 ? "member" : "members"} of ${whose} left out: beyond ` +
    `${MOST_MEMBERS} members or ${MOST_BYTES} bytes, or not in the form of W3C Baggage`;
}

type Member = [string, BaggageEntry];

const NO_BAGGAGE: Limited = { dropped: 0 };

function limited(members: readonly Member[], given: number): Limited {
  const kept: string[] = [];
  let bytes = 0;
  for (const [name, entry] of members) {
    if (kept.length === MOST_MEMBERS) break;
    if (!TOKEN.test(name) || !PROPERTIES.test(entry.metadata?.toString() ?? "")) continue;
    const text = written(name, entry);
    const more = text.length + (kept.length === 0 ? 0 : 1);
    // The library leaves out one that is too long by itself.
    if (text === "" || bytes + more > MOST_BYTES) continue;
    kept.push(text);
    bytes += more;
  }
  const dropped = given - kept.length;
  return kept.length === 0 ? { dropped } : { header: kept.join(","), dropped };
}

function written(name: string, entry: BaggageEntry): string {
  const carrier: Record<string, string> = {};
  const baggage = propagation.createBaggage({ [name]: entry });
  BAGGAGE.inject(propagation.setBaggage(ROOT_CONTEXT, baggage), carrier, PLAIN);
  // White space after a property is not part of it, and no header keeps it at its end; nor does the library keep
  // a semicolon that nothing follows.
  return carrier.baggage?.replace(/[ \t]+$/, "").replace(/^([^;]*);$/, "$1") ?? "";
}

function contextOf(header: string, context: Context): Context {
  return BAGGAGE.extract(context, { baggage: header }, PLAIN_GETTER);
}

function membersOf(context: Context): Member[] {
  return propagation.getBaggage(context)?.getAllEntries() ?? [];
}

function count(header: string): number {
  // An empty value is allowed, and says nothing; what follows a semicolon is a property, whatever it ends with.
  return header.split(",").filter((member) => !/^\s*$|^[^;]*=\s*(;|$)/.test(member)).length;
}

const PLAIN: TextMapSetter<Record<string, string>> = {
  set: (carrier, key, value) => void (carrier[key] = value),
};

const PLAIN_GETTER: TextMapGetter<Readonly<Record<string, string>>> = {
  get: (carrier, key) => carrier[key],
  keys: (carrier) => Object.keys(carrier),
};

const HEADERS: TextMapGetter<Headers> = {
  get: (headers, key) => headers.get(key) ?? undefined,
  keys: (headers) => [...headers.keys()],
};

// The library's own getter reads the process's environment; this one reads the environment that it is given,
// under the names that the library gives.
const ENVIRONMENT: TextMapGetter<Readonly<Record<string, string>>> = {
  get: (environment, key) => environment[variableOf(key)]?.trim(),
  keys: (environment) => Object.keys(environment),
};

function variableOf(key: string): string {
  const names: Record<string, string> = {};
  new EnvironmentSetter(names).set(undefined, key, "");
  return Object.keys(names)[0];
}
