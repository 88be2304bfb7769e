import type { ReceivedAttributes, ReceivedValue } from "../../core/span.ts";
import { DecodeError, MAX_DEPTH } from "./decode_error.ts";
import type { Reader } from "./protobuf_reader.ts";

/** Attributes while they are read. */
export type Building = Record<string, ReceivedValue>;

/** Sets an attribute: `__proto__` is a key like any other. */
export function put(attributes: Building, key: string, value: ReceivedValue): void {
  if (key !== "__proto__") {
    attributes[key] = value;
    return;
  }
  Object.defineProperty(attributes, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

/** Reads one KeyValue into `attributes`; of two with the same key the later one counts. */
export function readAttribute(reader: Reader, limit: number, attributes: Building, depth = 0) {
  const end = reader.end(limit);
  let key = "";
  let value: ReceivedValue = null;
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 10) key = reader.string(end);
    else if (tag === 18) value = readValue(reader, end, depth);
    else reader.skip(tag, end);
  }
  put(attributes, key, value);
}

/** Reads an AnyValue; null when it holds nothing. */
export function readValue(reader: Reader, limit: number, depth = 0): ReceivedValue {
  if (depth >= MAX_DEPTH) {
    throw new DecodeError("An attribute's value is nested too deep", reader.position);
  }
  const end = reader.end(limit);
  let value: ReceivedValue = null;
  while (reader.position < end) {
    const tag = reader.tag(end);
    switch (tag) {
      case 10:
        value = reader.string(end);
        break;
      case 16:
        value = reader.int64(end) !== 0;
        break;
      case 24:
        value = reader.int64(end);
        break;
      case 33:
        value = reader.double(end);
        break;
      case 42:
        value = readArray(reader, end, depth);
        break;
      case 50:
        value = readList(reader, end, depth);
        break;
      case 58:
        value = reader.bytes(end);
        break;
      default:
        reader.skip(tag, end);
    }
  }
  return value;
}

function readArray(reader: Reader, limit: number, depth: number): readonly ReceivedValue[] {
  const end = reader.end(limit);
  const values: ReceivedValue[] = [];
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 10) values.push(readValue(reader, end, depth + 1));
    else reader.skip(tag, end);
  }
  return values;
}

function readList(reader: Reader, limit: number, depth: number): ReceivedAttributes {
  const end = reader.end(limit);
  const values: Building = {};
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 10) readAttribute(reader, end, values, depth + 1);
    else reader.skip(tag, end);
  }
  return values;
}
