import { DecodeError, MAX_DEPTH } from "./decode_error.ts";

const SHARED_LENGTH = 64;
const SHARED_SLOTS = 1024;

/**
 * Reads protobuf's wire format (https://protobuf.dev/programming-guides/encoding/) from bytes. Each read is
 * given the end of the message that it is in and throws DecodeError rather than read past it.
 */
export class Reader {
  /** The next byte. */
  position = 0;
  /** One past the last byte. */
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  // Keys and many values repeat from span to span: one string for all. Where two texts share a slot, the
  // later one takes it, so that no choice of texts makes a search long.
  readonly #shared: string[] = new Array(SHARED_SLOTS).fill("");
  // Where the codes of a text of each length are put together.
  readonly #codes: number[][] = new Array(SHARED_LENGTH + 1);
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** Reads `bytes` from the start. */
  constructor(bytes: Uint8Array) {
    // Not whatever extends it: Node's Buffer gives views where copies are asked for.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.length;
  }

  /** A field's number and wire type: `number << 3 | type`. */
  tag(end: number): number {
    const at = this.position;
    const tag = this.uint32(end);
    if (tag < 8) throw new DecodeError("The protobuf field number is 0", at);
    return tag;
  }

  /** A varint of at most 32 bits. */
  uint32(end: number): number {
    const bytes = this.#bytes;
    const at = this.position;
    if (at >= end) throw cutOff(at);
    let byte = bytes[at];
    if (byte < 0x80) {
      this.position = at + 1;
      return byte;
    }
    let value = byte & 0x7f;
    for (let i = 1; i < 5; i++) {
      if (at + i >= end) throw cutOff(at);
      byte = bytes[at + i];
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        this.position = at + i + 1;
        return value;
      }
    }
    throw new DecodeError("A protobuf number does not fit into 32 bits", at);
  }

  /** A varint of 64 bits, cut to its low 32 bits as protobuf does for narrower types. */
  truncated(end: number): number {
    this.#varint(end);
    return this.#low;
  }

  /** An unsigned varint of 64 bits. */
  uint64(end: number): bigint {
    this.#varint(end);
    return BigInt(this.#high) << 32n | BigInt(this.#low);
  }

  /** A signed varint of 64 bits: a number where that is exact, otherwise a bigint. */
  int64(end: number): number | bigint {
    this.#varint(end);
    const high = this.#high | 0;
    if (high >= -0x200000 && high < 0x200000) {
      const value = high * 0x100000000 + this.#low;
      // -2^53 is exact, but not a safe integer, and JSON reads it as a bigint too.
      if (value !== -0x20000000000000) return value;
    }
    return BigInt(high) << 32n | BigInt(this.#low);
  }

  /** A zigzag varint of 32 bits. */
  sint32(end: number): number {
    this.#varint(end);
    return (this.#low >>> 1) ^ -(this.#low & 1);
  }

  #low = 0;
  #high = 0;

  #varint(end: number): void {
    const bytes = this.#bytes;
    const at = this.position;
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i++) {
      if (at + i >= end) throw cutOff(at);
      const byte = bytes[at + i];
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << 7 * i;
      else if (i === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << 7 * i - 32;
      if (byte < 0x80) {
        this.position = at + i + 1;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new DecodeError("A protobuf number is longer than 10 bytes", at);
  }

  /** Four bytes, unsigned. */
  fixed32(end: number): number {
    const at = this.#take(4, end);
    return this.#view.getUint32(at, true);
  }

  /** Eight bytes, unsigned. */
  fixed64(end: number): bigint {
    const at = this.#take(8, end);
    return this.#view.getBigUint64(at, true);
  }

  /** Eight bytes, signed. */
  sfixed64(end: number): bigint {
    const at = this.#take(8, end);
    return this.#view.getBigInt64(at, true);
  }

  /** Eight bytes of IEEE 754. */
  double(end: number): number {
    const at = this.#take(8, end);
    return this.#view.getFloat64(at, true);
  }

  /** The length of what follows, as the position where it ends. */
  end(end: number): number {
    const at = this.position;
    const length = this.uint32(end);
    if (length > end - this.position) {
      throw new DecodeError(`The length ${length} reaches past the end of its message`, at);
    }
    return this.position + length;
  }

  /** A copy of bytes: a view would keep the whole payload in memory. */
  bytes(end: number): Uint8Array {
    const to = this.end(end);
    const bytes = this.#bytes.slice(this.position, to);
    this.position = to;
    return bytes;
  }

  /** Text. What is not UTF-8 becomes U+FFFD. */
  string(end: number): string {
    const to = this.end(end);
    const from = this.position;
    this.position = to;
    if (to - from > SHARED_LENGTH) return this.#decode(from, to);
    const bytes = this.#bytes;
    const length = to - from;
    if (length === 0) return "";
    // A few bytes tell most texts apart; all are compared below.
    const hash = length + bytes[from] * 3 + bytes[from + (length >> 1)] * 31 +
      bytes[to - 1] * 211 + bytes[from + (length >> 2)] * 1_009;
    const slot = hash & SHARED_SLOTS - 1;
    const shared = this.#shared[slot];
    if (shared.length === length) {
      let i = 0;
      while (i < length && shared.charCodeAt(i) === bytes[from + i]) i++;
      if (i === length) return shared;
    }
    const codes = this.#codes[length] ??= new Array(length).fill(0);
    let all = 0;
    for (let i = 0; i < length; i++) all |= codes[i] = bytes[from + i];
    return all < 0x80
      ? this.#shared[slot] = String.fromCharCode.apply(null, codes)
      : this.#decode(from, to);
  }

  #decode(from: number, to: number): string {
    return this.#decoder.decode(this.#bytes.subarray(from, to));
  }

  /** Bytes as lower-case hex digits. */
  hex(end: number): string {
    const to = this.end(end);
    const bytes = this.#bytes;
    const from = this.position;
    this.position = to;
    if (to - from === 16) return hex16(bytes, from);
    if (to - from === 8) return hex8(bytes, from);
    // No id is longer; the rest of what was sent is not worth its memory.
    let hex = "";
    for (let i = from; i < Math.min(to, from + 17); i++) {
      hex += String.fromCharCode(HIGH[bytes[i]], LOW[bytes[i]]);
    }
    return hex;
  }

  /** Passes over a field that nobody knows. */
  skip(tag: number, end: number, depth = 0): void {
    switch (tag & 7) {
      case 0:
        this.#varint(end);
        return;
      case 1:
        this.#take(8, end);
        return;
      case 2:
        this.position = this.end(end);
        return;
      case 3:
        this.#skipGroup(tag, end, depth);
        return;
      case 5:
        this.#take(4, end);
        return;
    }
    throw new DecodeError(`There is no protobuf wire type ${tag & 7} here`, this.position);
  }

  #skipGroup(start: number, end: number, depth: number): void {
    const at = this.position;
    if (depth >= MAX_DEPTH) throw new DecodeError("Groups are nested too deep", at);
    for (;;) {
      const tag = this.tag(end);
      if ((tag & 7) === 4) {
        if (tag >>> 3 === start >>> 3) return;
        throw new DecodeError("A protobuf group ends that was not started", at);
      }
      this.skip(tag, end, depth + 1);
    }
  }

  #take(length: number, end: number): number {
    const at = this.position;
    if (length > end - at) throw cutOff(at);
    this.position = at + length;
    return at;
  }
}

function cutOff(at: number): DecodeError {
  return new DecodeError("The protobuf message ends in the middle of a value", at);
}

function hex8(b: Uint8Array, i: number): string {
  // All code units at once make one flat string.
  // deno-fmt-ignore
  return String.fromCharCode(
    HIGH[b[i]], LOW[b[i]], HIGH[b[i + 1]], LOW[b[i + 1]],
    HIGH[b[i + 2]], LOW[b[i + 2]], HIGH[b[i + 3]], LOW[b[i + 3]],
    HIGH[b[i + 4]], LOW[b[i + 4]], HIGH[b[i + 5]], LOW[b[i + 5]],
    HIGH[b[i + 6]], LOW[b[i + 6]], HIGH[b[i + 7]], LOW[b[i + 7]],
  );
}

function hex16(b: Uint8Array, i: number): string {
  // deno-fmt-ignore
  return String.fromCharCode(
    HIGH[b[i]], LOW[b[i]], HIGH[b[i + 1]], LOW[b[i + 1]],
    HIGH[b[i + 2]], LOW[b[i + 2]], HIGH[b[i + 3]], LOW[b[i + 3]],
    HIGH[b[i + 4]], LOW[b[i + 4]], HIGH[b[i + 5]], LOW[b[i + 5]],
    HIGH[b[i + 6]], LOW[b[i + 6]], HIGH[b[i + 7]], LOW[b[i + 7]],
    HIGH[b[i + 8]], LOW[b[i + 8]], HIGH[b[i + 9]], LOW[b[i + 9]],
    HIGH[b[i + 10]], LOW[b[i + 10]], HIGH[b[i + 11]], LOW[b[i + 11]],
    HIGH[b[i + 12]], LOW[b[i + 12]], HIGH[b[i + 13]], LOW[b[i + 13]],
    HIGH[b[i + 14]], LOW[b[i + 14]], HIGH[b[i + 15]], LOW[b[i + 15]],
  );
}

const DIGITS = "0123456789abcdef";
const HIGH = Uint8Array.from({ length: 256 }, (_, i) => DIGITS.charCodeAt(i >> 4));
const LOW = Uint8Array.from({ length: 256 }, (_, i) => DIGITS.charCodeAt(i & 15));
