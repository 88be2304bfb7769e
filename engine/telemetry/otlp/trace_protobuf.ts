import type { ReceivedEvent, ReceivedLink } from "../../core/span.ts";
import { Reader } from "./protobuf_reader.ts";
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
import { type Building, readAttribute } from "./values_protobuf.ts";

// Tags below are `field number << 3 | wire type`, from opentelemetry/proto/trace/v1/trace.proto. A known
// field in another wire type is passed over like an unknown one.

/** Decodes an ExportTraceServiceRequest. Throws DecodeError. */
export function decodeTracesProtobuf(bytes: Uint8Array): DecodedTraces {
  const reader = new Reader(bytes);
  const list = new SpanList();
  const end = reader.length;
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 10) readResourceSpans(reader, end, list);
    else reader.skip(tag, end);
  }
  return list.result();
}

function readResourceSpans(reader: Reader, limit: number, list: SpanList): void {
  const end = reader.end(limit);
  // Filled when it comes, which may be after the spans.
  const resource: Building = {};
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 10) readResource(reader, end, resource);
    else if (tag === 18) readScopeSpans(reader, end, resource, list);
    else reader.skip(tag, end);
  }
}

/** Reads a Resource's attributes. */
export function readResource(reader: Reader, limit: number, resource: Building): void {
  const end = reader.end(limit);
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 10) readAttribute(reader, end, resource);
    else reader.skip(tag, end);
  }
}

function readScopeSpans(reader: Reader, limit: number, resource: Building, list: SpanList): void {
  const end = reader.end(limit);
  const scope: BuildingScope = { name: "" };
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 10) readScope(reader, end, scope);
    else if (tag === 18) list.add(readSpan(reader, end, resource, scope));
    else if (tag === 26) setText(scope, "schemaUrl", reader.string(end));
    else reader.skip(tag, end);
  }
}

/** Reads an InstrumentationScope. */
export function readScope(reader: Reader, limit: number, scope: BuildingScope): void {
  const end = reader.end(limit);
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 10) scope.name = reader.string(end);
    else if (tag === 18) setText(scope, "version", reader.string(end));
    else if (tag === 26) readAttribute(reader, end, (scope.attributes ??= {}) as Building);
    else reader.skip(tag, end);
  }
}

function readSpan(
  reader: Reader,
  limit: number,
  resource: Building,
  scope: BuildingScope,
): BuildingSpan {
  const end = reader.end(limit);
  const attributes: Building = {};
  const span: BuildingSpan = {
    traceId: "",
    spanId: "",
    name: "",
    kind: "internal",
    startTime: 0n,
    endTime: 0n,
    status: "unset",
    attributes,
    links: NONE,
    events: NONE,
    resource,
    scope,
  };
  let links: ReceivedLink[] | undefined;
  let events: ReceivedEvent[] | undefined;
  let lostLinks = 0;
  while (reader.position < end) {
    const tag = reader.tag(end);
    switch (tag) {
      case 10:
        span.traceId = reader.hex(end);
        break;
      case 18:
        span.spanId = reader.hex(end);
        break;
      case 26:
        setText(span, "traceState", reader.string(end));
        break;
      case 34:
        setText(span, "parentSpanId", reader.hex(end));
        break;
      case 42:
        span.name = reader.string(end);
        break;
      case 48:
        span.kind = KINDS[reader.truncated(end)] ?? "internal";
        break;
      case 57:
        span.startTime = reader.fixed64(end);
        break;
      case 65:
        span.endTime = reader.fixed64(end);
        break;
      case 74:
        readAttribute(reader, end, attributes);
        break;
      case 80:
        setDropped(span, "attributes", reader.truncated(end));
        break;
      case 90:
        span.events = events ??= [];
        events.push(readEvent(reader, end));
        break;
      case 96:
        setDropped(span, "events", reader.truncated(end));
        break;
      case 106: {
        const link = readLink(reader, end);
        if (isReference(link.traceId, link.spanId)) {
          span.links = links ??= [];
          links.push(link);
        } else lostLinks++;
        break;
      }
      case 112:
        setDropped(span, "links", reader.truncated(end));
        break;
      case 122:
        readStatus(reader, end, span);
        break;
      case 133:
        setFlags(span, reader.fixed32(end));
        break;
      default:
        reader.skip(tag, end);
    }
  }
  if (lostLinks > 0) setDropped(span, "links", (span.dropped?.links ?? 0) + lostLinks);
  return span;
}

function readEvent(reader: Reader, limit: number): ReceivedEvent {
  const end = reader.end(limit);
  const attributes: Building = {};
  const event: BuildingEvent = {
    name: "",
    time: 0n,
    attributes,
  };
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 9) event.time = reader.fixed64(end);
    else if (tag === 18) event.name = reader.string(end);
    else if (tag === 26) readAttribute(reader, end, attributes);
    else if (tag === 32) setCount(event, reader.truncated(end));
    else reader.skip(tag, end);
  }
  return event;
}

function readLink(reader: Reader, limit: number): ReceivedLink {
  const end = reader.end(limit);
  const attributes: Building = {};
  const link: BuildingLink = {
    traceId: "",
    spanId: "",
    attributes,
  };
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 10) link.traceId = reader.hex(end);
    else if (tag === 18) link.spanId = reader.hex(end);
    else if (tag === 26) setText(link, "traceState", reader.string(end));
    else if (tag === 34) readAttribute(reader, end, attributes);
    else if (tag === 40) setCount(link, reader.truncated(end));
    else if (tag === 53) setFlags(link, reader.fixed32(end));
    else reader.skip(tag, end);
  }
  return link;
}

function readStatus(reader: Reader, limit: number, span: BuildingSpan): void {
  const end = reader.end(limit);
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 18) setText(span, "message", reader.string(end));
    else if (tag === 24) span.status = STATUSES[reader.truncated(end)] ?? "unset";
    else reader.skip(tag, end);
  }
}

const NONE: readonly never[] = Object.freeze([]);
