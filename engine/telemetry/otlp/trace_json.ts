import type { ReceivedEvent, ReceivedLink } from "../../core/span.ts";
import {
  attributesOf,
  enumeration,
  fixed64,
  hex,
  list,
  object,
  type Parsed,
  type ParsedObject,
  parseJson,
  type Path,
  readAttributes,
  text,
  uint32,
} from "./json_values.ts";
import {
  type BuildingEvent,
  type BuildingLink,
  type BuildingScope,
  type BuildingSpan,
  type DecodedTraces,
  isReference,
  KINDS,
  setCount,
  setDropped,
  setFlags,
  setText,
  SpanList,
  STATUSES,
} from "./trace.ts";
import type { Building } from "./values_protobuf.ts";

/** Decodes an ExportTraceServiceRequest in JSON. Throws DecodeError. */
export function decodeTracesJson(bytes: Uint8Array): DecodedTraces {
  const spans = new SpanList();
  const top: Path = { key: "resourceSpans" };
  const request = object(parseJson(bytes), { key: "the top" });
  list(request?.resourceSpans, top).forEach((one, i) => {
    const at = { in: top, key: i };
    const resourceSpans = object(one, at);
    if (resourceSpans === undefined) return;
    const resource = readResource(resourceSpans.resource, { in: at, key: "resource" });
    const below = { in: at, key: "scopeSpans" };
    list(resourceSpans.scopeSpans, below).forEach((one, i) => {
      const at = { in: below, key: i };
      const scopeSpans = object(one, at);
      if (scopeSpans === undefined) return;
      const scope = readScope(scopeSpans, at);
      const inner = { in: at, key: "spans" };
      list(scopeSpans.spans, inner).forEach((one, i) => {
        const at = { in: inner, key: i };
        spans.add(readSpan(object(one, at) ?? {}, at, resource, scope));
      });
    });
  });
  return spans.result();
}

/** A Resource's attributes. */
export function readResource(value: Parsed, at: Path): Building {
  const resource: Building = {};
  readAttributes(object(value, at)?.attributes, at, resource);
  return resource;
}

/** The scope of a ScopeSpans, ScopeMetrics or ScopeLogs. */
export function readScope(holder: ParsedObject, at: Path): BuildingScope {
  const here = { in: at, key: "scope" };
  const scope: BuildingScope = { name: "" };
  const given = object(holder.scope, here);
  if (given !== undefined) {
    scope.name = text(given.name, here);
    setText(scope, "version", text(given.version, here));
    const attributes = list(given.attributes, here);
    if (attributes.length > 0) scope.attributes = attributesOf(given.attributes, here);
  }
  setText(scope, "schemaUrl", text(holder.schemaUrl, at));
  return scope;
}

function readSpan(
  given: ParsedObject,
  at: Path,
  resource: Building,
  scope: BuildingScope,
): BuildingSpan {
  const status = object(given.status, at);
  const span: BuildingSpan = {
    traceId: hex(given.traceId, at),
    spanId: hex(given.spanId, at),
    name: text(given.name, at),
    kind: KINDS[enumeration(given.kind, at, KIND_NAMES)] ?? "internal",
    startTime: fixed64(given.startTimeUnixNano, at),
    endTime: fixed64(given.endTimeUnixNano, at),
    status: STATUSES[enumeration(status?.code, at, STATUS_NAMES)] ?? "unset",
    attributes: attributesOf(given.attributes, { in: at, key: "attributes" }),
    links: [],
    events: list(given.events, at).map((one, i) => readEvent(one, at, i)),
    resource,
    scope,
  };
  setText(span, "traceState", text(given.traceState, at));
  setText(span, "parentSpanId", hex(given.parentSpanId, at));
  setText(span, "message", text(status?.message, at));
  setFlags(span, uint32(given.flags, at));
  setDropped(span, "attributes", uint32(given.droppedAttributesCount, at));
  setDropped(span, "events", uint32(given.droppedEventsCount, at));
  const links = list(given.links, at).map((one, i) => readLink(one, at, i));
  span.links = links.filter((link) => isReference(link.traceId, link.spanId));
  const lost = links.length - span.links.length;
  setDropped(span, "links", uint32(given.droppedLinksCount, at) + lost);
  return span;
}

function readEvent(value: Parsed, span: Path, index: number): ReceivedEvent {
  const at = { in: { in: span, key: "events" }, key: index };
  const given = object(value, at) ?? {};
  const event: BuildingEvent = {
    name: text(given.name, at),
    time: fixed64(given.timeUnixNano, at),
    attributes: attributesOf(given.attributes, at),
  };
  setCount(event, uint32(given.droppedAttributesCount, at));
  return event;
}

function readLink(value: Parsed, span: Path, index: number): ReceivedLink {
  const at = { in: { in: span, key: "links" }, key: index };
  const given = object(value, at) ?? {};
  const link: BuildingLink = {
    traceId: hex(given.traceId, at),
    spanId: hex(given.spanId, at),
    attributes: attributesOf(given.attributes, at),
  };
  setText(link, "traceState", text(given.traceState, at));
  setCount(link, uint32(given.droppedAttributesCount, at));
  setFlags(link, uint32(given.flags, at));
  return link;
}

const KIND_NAMES = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
  .map((name) => `SPAN_KIND_${name}`);

const STATUS_NAMES = ["UNSET", "OK", "ERROR"].map((name) => `STATUS_CODE_${name}`);
