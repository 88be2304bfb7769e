import type { ReceivedAttributes, ReceivedValue } from "../../core/span.ts";
import { messageOf } from "../../core/errors.ts";
import { DecodeError, MAX_DEPTH } from "./decode_error.ts";
import { type Building, put } from "./values_protobuf.ts";
import type { Exact } from "./model.ts";

// OTLP's JSON mapping: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding, over protobuf's own,
// https://protobuf.dev/programming-guides/json/. Null means absent; unknown fields are not looked at.

/** A value as JSON.parse gives it; a whole number past 2^53 that was written bare is a bigint. */
export type Parsed =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Parsed[]
  | ParsedObject;

/** An object as JSON.parse gives it. */
export interface ParsedObject {
  /** A member's value. */
  [key: string]: Parsed;
}

/** Where a value stands, made into text only for an error. */
export interface Path {
  /** What it stands in; absent for the whole. */
  readonly in?: Path;
  /** Its key or index there. */
  readonly key: string | number;
}

/** Parses UTF-8 JSON so that whole numbers past 2^53 stay exact. Throws DecodeError. */
export function parseJson(bytes: Uint8Array): Parsed {
  const text = new TextDecoder().decode(bytes);
  try {
    // A reviver is called for each value, so only where such a number may be. Exporters write them quoted.
    return LONG_NUMBER.test(text) ? JSON.parse(text, exactly) : JSON.parse(text);
  } catch (thrown) {
    // V8 says where, or shows what stands there.
    throw new DecodeError(`The payload is not JSON: ${messageOf(thrown)}`);
  }
}

const LONG_NUMBER = /[[:,\s]-?[0-9]{16}/;

// V8 gives revivers the text that a number was written as (TC39's JSON.parse source text access).
function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d{1,20}$/.test(source) ? BigInt(source) : value;
}

/** An object, or undefined where nothing is. Throws DecodeError for anything else. */
export function object(value: Parsed, at: Path): ParsedObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "object" && !Array.isArray(value)) return value;
  throw wrong("an object", at);
}

const EMPTY: readonly never[] = [];

/** A list; empty where nothing is. */
export function list(value: Parsed, at: Path): readonly Parsed[] {
  if (value === undefined || value === null) return EMPTY;
  if (Array.isArray(value)) return value;
  throw wrong("a list", at);
}

/** Text; empty where nothing is. */
export function text(value: Parsed, at: Path): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  throw wrong("a string", at);
}

/** A truth value; false where nothing is. */
export function truth(value: Parsed, at: Path): boolean {
  if (typeof value === "boolean") return value;
  if (value === undefined || value === null) return false;
  throw wrong("true or false", at);
}

/** A real number, also as protobuf writes those that JSON has not; 0 where nothing is. */
export function real(value: Parsed, at: Path): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value === undefined || value === null) return 0;
  if (value === "NaN") return NaN;
  if (value === "Infinity") return Infinity;
  if (value === "-Infinity") return -Infinity;
  if (typeof value === "string" && NUMBER.test(value)) return Number(value);
  throw wrong("a number", at);
}

const NUMBER = /^-?\d{1,400}(\.\d{1,1100})?([eE][+-]?\d{1,4})?$/;

/** A whole number between two others, written as a number or as text; 0 where nothing is. */
export function whole(value: Parsed, at: Path, least: bigint, greatest: bigint): bigint {
  const exact = wholeOf(value, at);
  if (exact >= least && exact <= greatest) return exact;
  throw wrong(`a whole number from ${least} to ${greatest}`, at);
}

function wholeOf(value: Parsed, at: Path): bigint {
  if (typeof value === "bigint") return value;
  if (value === undefined || value === null) return 0n;
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  // 1.5e3 is whole; so is, as text, "1e3".
  const number = typeof value === "string" && NUMBER.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number)) return BigInt(number);
  throw wrong("a whole number", at);
}

/** Unsigned, 64 bits. */
export function fixed64(value: Parsed, at: Path): bigint {
  // By far the most come so, and need no comparing with 2^64.
  if (typeof value === "string" && value.length === 19 && DIGITS.test(value)) return BigInt(value);
  return whole(value, at, 0n, 0xffff_ffff_ffff_ffffn);
}

const DIGITS = /^\d+$/;

/** Unsigned, 32 bits. */
export function uint32(value: Parsed, at: Path): number {
  if (value === undefined) return 0;
  if (typeof value === "number" && value >>> 0 === value) return value;
  return Number(whole(value, at, 0n, 0xffff_ffffn));
}

/** Signed, 32 bits. */
export function int32(value: Parsed, at: Path): number {
  return Number(whole(value, at, -0x8000_0000n, 0x7fff_ffffn));
}

/** Signed, 64 bits: a number where that is exact. */
export function int64(value: Parsed, at: Path): Exact {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value + 0;
  return exact(whole(value, at, -0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn));
}

/** A number where that is exact, otherwise the bigint. */
export function exact(value: bigint): Exact {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** An enum's number, from the number or from a name; 0 where nothing is or the name is not known. */
export function enumeration(value: Parsed, at: Path, names: readonly string[]): number {
  if (typeof value === "number" && value >>> 0 === value) return value;
  if (value === undefined || value === null) return 0;
  if (typeof value !== "string") return int32(value, at);
  if (/^-?\d+$/.test(value)) return int32(value, at);
  return Math.max(0, names.indexOf(value));
}

/** An id's hex digits in lower case; what is no hex is left as it is, for the caller to refuse. */
export function hex(value: Parsed, at: Path): string {
  const digits = text(value, at);
  return LOWER_HEX.test(digits) ? digits : UPPER_HEX.test(digits)
    ? digits.toLowerCase()
    // As many as no id has.
    : "not hex";
}

const LOWER_HEX = /^[0-9a-f]*$/;
const UPPER_HEX = /^[0-9a-fA-F]*$/;

/** Adds a list of KeyValue to `attributes`. */
export function readAttributes(value: Parsed, at: Path, attributes: Building, depth = 0): void {
  // Without the pair's place in the list: there are many pairs, and hardly ever a wrong one.
  for (const one of list(value, at)) {
    const pair = object(one, at);
    if (pair !== undefined) put(attributes, text(pair.key, at), readValue(pair.value, at, depth));
  }
}

/** Attributes of a list of KeyValue. */
export function attributesOf(value: Parsed, at: Path): ReceivedAttributes {
  const attributes: Building = {};
  readAttributes(value, at, attributes);
  return attributes;
}

/** An AnyValue; null when it holds nothing. */
export function readValue(value: Parsed, at: Path, depth = 0): ReceivedValue {
  if (depth >= MAX_DEPTH) {
    throw new DecodeError("An attribute's value is nested too deep", pathText(at));
  }
  const any = object(value, at);
  if (any === undefined) return null;
  if (isSet(any.stringValue)) return text(any.stringValue, at);
  if (isSet(any.intValue)) return int64(any.intValue, at);
  if (isSet(any.boolValue)) return truth(any.boolValue, at);
  if (isSet(any.doubleValue)) return real(any.doubleValue, at);
  if (isSet(any.arrayValue)) {
    const values = list(object(any.arrayValue, at)!.values, at);
    return values.map((one) => readValue(one, at, depth + 1));
  }
  if (isSet(any.kvlistValue)) {
    const attributes: Building = {};
    readAttributes(object(any.kvlistValue, at)!.values, at, attributes, depth + 1);
    return attributes;
  }
  if (isSet(any.bytesValue)) return base64(text(any.bytesValue, at), at);
  return null;
}

function isSet(value: Parsed): boolean {
  return value !== undefined && value !== null;
}

function base64(digits: string, at: Path): Uint8Array {
  const standard = digits.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  try {
    return Uint8Array.fromBase64(standard);
  } catch {
    throw wrong("base64", at);
  }
}

/** A path as `resourceSpans[0].scopeSpans`. */
export function pathText(path: Path): string {
  const before = path.in === undefined ? "" : pathText(path.in);
  if (typeof path.key === "number") return `${before}[${path.key}]`;
  return before === "" ? path.key : `${before}.${path.key}`;
}

function wrong(what: string, at: Path): DecodeError {
  return new DecodeError(`Something that must be ${what} is not`, pathText(at));
}
