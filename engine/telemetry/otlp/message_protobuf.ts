import type { ReceivedAttributes, ReceivedScope } from "../../core/span.ts";
import { DecodeError } from "./decode_error.ts";
import { exact } from "./json_values.ts";
import {
  emptyOf,
  type Field,
  idOf,
  isDefault,
  type Message,
  type OneType,
  type Read,
} from "./messages.ts";
import { Reader } from "./protobuf_reader.ts";
import type { BuildingScope } from "./trace.ts";
import { setText } from "./trace.ts";
import { readResource, readScope } from "./trace_protobuf.ts";
import { type Building, readAttribute, readValue } from "./values_protobuf.ts";

/** Hears of each message in a request, with where it comes from. */
export type OnMessage = (
  message: Read,
  resource: ReceivedAttributes,
  scope: ReceivedScope,
) => void;

/**
 * Reads an ExportMetricsServiceRequest or ExportLogsServiceRequest, which have the same frame: resources
 * (1), in each its scopes (2), in each its messages (2). Throws DecodeError.
 */
export function readRequest(bytes: Uint8Array, type: Message, onMessage: OnMessage): void {
  const reader = new Reader(bytes);
  each(reader, reader.length, (tag, end) => {
    if (tag !== 10) return false;
    const resource: Building = {};
    each(reader, reader.end(end), (tag, end) => {
      if (tag === 10) readResource(reader, end, resource);
      else if (tag === 18) readScoped(reader, reader.end(end), type, resource, onMessage);
      else return false;
      return true;
    });
    return true;
  });
}

function readScoped(
  reader: Reader,
  end: number,
  type: Message,
  resource: Building,
  onMessage: OnMessage,
): void {
  const scope: BuildingScope = { name: "" };
  each(reader, end, (tag, end) => {
    if (tag === 10) readScope(reader, end, scope);
    else if (tag === 18) onMessage(readMessage(reader, reader.end(end), type), resource, scope);
    else if (tag === 26) setText(scope, "schemaUrl", reader.string(end));
    else return false;
    return true;
  });
}

// `read` gives false for a field that it does not know, which is then passed over.
function each(reader: Reader, end: number, read: (tag: number, end: number) => boolean): void {
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (!read(tag, end)) reader.skip(tag, end);
  }
}

function readMessage(reader: Reader, end: number, type: Message): Read {
  const read = emptyOf(type);
  each(reader, end, (tag, end) => {
    const field = type.byNumber.get(tag >>> 3);
    return field !== undefined && readField(reader, end, field, tag & 7, read);
  });
  return read;
}

function readField(
  reader: Reader,
  end: number,
  field: Field,
  wireType: number,
  read: Read,
): boolean {
  const { type, repeated } = field;
  const name = field.as ?? field.json;
  const expected = wireTypeOf(field);
  if (type === "attributes") {
    if (wireType !== 2) return false;
    readAttribute(reader, end, read[name] as Building);
  } else if (repeated) {
    const list = read[name] as unknown[];
    if (wireType === expected) list.push(readOne(reader, end, type, field.json));
    else if (wireType === 2) {
      // Packed: all values in one stretch.
      const to = reader.end(end);
      while (reader.position < to) list.push(readOne(reader, to, type, field.json));
    } else return false;
  } else {
    if (wireType !== expected) return false;
    const value = readOne(reader, end, type, field.json);
    if (field.presence || !isDefault(value)) read[name] = value;
    else delete read[name];
  }
  return true;
}

function wireTypeOf({ type }: Field): number {
  switch (type) {
    case "double":
    case "fixed64":
    case "sfixed64":
    case "time":
      return 1;
    case "fixed32":
      return 5;
    case "bool":
    case "uint32":
    case "sint32":
    case "uint64":
      return 0;
  }
  return Array.isArray(type) ? 0 : 2;
}

function readOne(reader: Reader, end: number, type: OneType, json: string): unknown {
  switch (type) {
    case "string":
      return reader.string(end);
    case "bool":
      return reader.int64(end) !== 0;
    case "double":
      return reader.double(end);
    case "uint32":
      return reader.truncated(end);
    case "fixed32":
      return reader.fixed32(end);
    case "sint32":
      return reader.sint32(end);
    case "uint64":
      return exact(reader.uint64(end));
    case "fixed64":
      return exact(reader.fixed64(end));
    case "sfixed64":
      return exact(reader.sfixed64(end));
    case "time":
      return reader.fixed64(end);
    case "id16":
    case "id8": {
      const at = reader.position;
      const id = idOf(reader.hex(end), type);
      if (id === undefined) throw new DecodeError(`The ${json} has a wrong length`, at);
      return id;
    }
    case "value":
      return readValue(reader, end);
  }
  if (isEnum(type)) return reader.truncated(end);
  return readMessage(reader, reader.end(end), type);
}

function isEnum(type: readonly string[] | Message): type is readonly string[] {
  return Array.isArray(type);
}
