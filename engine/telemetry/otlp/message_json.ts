import { DecodeError } from "./decode_error.ts";
import {
  enumeration,
  exact,
  fixed64,
  hex,
  int32,
  int64,
  list,
  object,
  type Parsed,
  type ParsedObject,
  parseJson,
  type Path,
  pathText,
  readAttributes,
  readValue,
  real,
  text,
  truth,
  uint32,
} from "./json_values.ts";
import type { OnMessage } from "./message_protobuf.ts";
import { emptyOf, idOf, isDefault, type Message, type OneType, type Read } from "./messages.ts";
import { readResource, readScope } from "./trace_json.ts";
import type { Building } from "./values_protobuf.ts";

/** The names of a request's lists, from the outside in. */
export type Frame = readonly [resources: string, scopes: string, messages: string];

/** Reads an ExportMetricsServiceRequest or ExportLogsServiceRequest in JSON. Throws DecodeError. */
export function readJsonRequest(
  bytes: Uint8Array,
  [resources, scopes, messages]: Frame,
  type: Message,
  onMessage: OnMessage,
): void {
  const request = object(parseJson(bytes), { key: "the top" });
  for (const [outer, at] of objects(request, resources)) {
    const resource = readResource(outer.resource, { in: at, key: "resource" });
    for (const [inner, below] of objects(outer, scopes, at)) {
      const scope = readScope(inner, below);
      for (const [one, here] of objects(inner, messages, below)) {
        onMessage(readMessage(one, type, here), resource, scope);
      }
    }
  }
}

function* objects(
  holder: ParsedObject | undefined,
  key: string,
  holderPath?: Path,
): Iterable<[ParsedObject, Path]> {
  const path = { in: holderPath, key };
  const all = list(holder?.[key], path);
  for (let i = 0; i < all.length; i++) {
    const at = { in: path, key: i };
    yield [object(all[i], at) ?? {}, at];
  }
}

function readMessage(given: ParsedObject, type: Message, at: Path): Read {
  const read = emptyOf(type);
  for (const field of type.fields) {
    const value = Object.hasOwn(given, field.json) ? given[field.json] : undefined;
    if (value === undefined || value === null) continue;
    const here = { in: at, key: field.json };
    const name = field.as ?? field.json;
    const { type: fieldType } = field;
    if (fieldType === "attributes") {
      readAttributes(value, here, read[name] as Building);
    } else if (field.repeated) {
      read[name] = list(value, here).map((one, key) => readOne(one, fieldType, { in: here, key }));
    } else {
      const one = readOne(value, fieldType, here);
      if (field.presence || !isDefault(one)) read[name] = one;
    }
  }
  return read;
}

function readOne(value: Parsed, type: OneType, at: Path): unknown {
  switch (type) {
    case "string":
      return text(value, at);
    case "bool":
      return truth(value, at);
    case "double":
      return real(value, at);
    case "uint32":
    case "fixed32":
      return uint32(value, at);
    case "sint32":
      return int32(value, at);
    case "uint64":
    case "fixed64":
      return exact(fixed64(value, at));
    case "sfixed64":
      return int64(value, at);
    case "time":
      return fixed64(value, at);
    case "id16":
    case "id8": {
      const id = idOf(hex(value, at), type);
      if (id === undefined) throw new DecodeError("The id has a wrong length", pathText(at));
      return id;
    }
    case "value":
      return readValue(value, at);
  }
  if (isEnum(type)) return enumeration(value, at, type);
  return readMessage(object(value, at) ?? {}, type, at);
}

function isEnum(type: readonly string[] | Message): type is readonly string[] {
  return Array.isArray(type);
}
