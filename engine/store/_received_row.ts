import type {
  ReceivedAttributes,
  ReceivedRecord,
  ReceivedScope,
  ReceivedSpan,
  ReceivedValue,
} from "../core/span.ts";

/** What the spans of one program and library share. */
export interface Origin {
  /** The program. */
  readonly resource: ReceivedAttributes;
  /** The library. */
  readonly scope: ReceivedScope;
}

/** How many hex digits of ids `data` begins with. */
export const ID_DIGITS = 48;

/** An origin as JSON; equal ones give equal text. */
export function toOrigin({ resource, scope }: Origin): string {
  const { attributes } = scope;
  return JSON.stringify({
    resource: packed(resource),
    scope: attributes === undefined ? scope : { ...scope, attributes: packed(attributes) },
  });
}

/** The origin that `toOrigin` was given. */
export function fromOrigin(data: string): Origin {
  const origin = JSON.parse(data);
  unpack(origin.resource);
  if (origin.scope.attributes !== undefined) unpack(origin.scope.attributes);
  return origin;
}

/** The rest of a received span: its ids' digits, then JSON without its start and origin. */
export function toReceived(span: ReceivedSpan): string {
  const { links, events } = span;
  return span.traceId + span.spanId + JSON.stringify({
    parentSpanId: span.parentSpanId,
    traceState: span.traceState,
    traceFlags: span.traceFlags,
    name: span.name,
    kind: span.kind,
    endTime: span.endTime.toString(),
    status: span.status,
    message: span.message,
    attributes: packed(span.attributes),
    links: links.length === 0 ? undefined : links.map(withPacked),
    events: events.length === 0
      ? undefined
      : events.map((event) => ({ ...withPacked(event), time: event.time.toString() })),
    dropped: span.dropped,
  });
}

/** The record that a row was made of. */
export function fromReceived(
  row: { readonly position: bigint; readonly at: bigint; readonly data: string },
  { resource, scope }: Origin,
): ReceivedRecord {
  const rest = JSON.parse(row.data.slice(ID_DIGITS));
  unpack(rest.attributes);
  const links = rest.links ?? [];
  const events = rest.events ?? [];
  for (const link of links) unpack(link.attributes);
  for (const event of events) {
    unpack(event.attributes);
    event.time = BigInt(event.time);
  }
  return {
    type: "received",
    position: Number(row.position),
    span: {
      ...rest,
      traceId: row.data.slice(0, 32),
      spanId: row.data.slice(32, ID_DIGITS),
      // A column has 63 bits and a sign; OTLP's times have 64 bits.
      startTime: BigInt.asUintN(64, row.at),
      endTime: BigInt(rest.endTime),
      links,
      events,
      resource,
      scope,
    },
  };
}

function withPacked<T extends { readonly attributes: ReceivedAttributes }>(item: T): object {
  return { ...item, attributes: packed(item.attributes) };
}

// JSON has texts, booleans, null and most numbers. Everything else is an object with one member that says
// what it is; so are lists and objects, lest one looks like that.

function packed(attributes: ReceivedAttributes): object {
  for (const key in attributes) {
    if (isJson(attributes[key])) continue;
    return Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [key, pack(value)]),
    );
  }
  return attributes;
}

function isJson(value: ReceivedValue): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
  }
  return value === null;
}

function pack(value: ReceivedValue): unknown {
  if (isJson(value)) return value;
  if (typeof value === "bigint") return { i: value.toString() };
  if (typeof value === "number") return { d: Object.is(value, -0) ? "-0" : String(value) };
  if (value instanceof Uint8Array) return { b: value.toBase64() };
  return Array.isArray(value) ? { a: value.map(pack) } : { o: packed(value as ReceivedAttributes) };
}

function unpack(attributes: Record<string, unknown>): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (typeof value === "object" && value !== null) attributes[key] = unpacked(value);
  }
}

function unpacked(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const tagged = value as {
    readonly i?: string;
    readonly d?: string;
    readonly b?: string;
    readonly a?: readonly unknown[];
    readonly o: Record<string, unknown>;
  };
  if (tagged.i !== undefined) return BigInt(tagged.i);
  if (tagged.d !== undefined) return Number(tagged.d);
  if (tagged.b !== undefined) return Uint8Array.fromBase64(tagged.b);
  if (tagged.a !== undefined) return tagged.a.map(unpacked);
  unpack(tagged.o);
  return tagged.o;
}
