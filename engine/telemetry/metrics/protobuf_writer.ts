const UTF8 = new TextEncoder();

/**
 * Writes a protobuf message. Zero values are written as they are: whoever calls leaves out what is absent.
 * https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A text. */
  string(field: number, text: string): void {
    this.bytes(field, UTF8.encode(text));
  }

  /** Bytes. */
  bytes(field: number, bytes: Uint8Array): void {
    this.#tag(field, 2);
    this.#varint(bytes.length);
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A bool, an enum, or an integer from 0 to 2^53 - 1. */
  uint(field: number, value: number): void {
    this.#tag(field, 0);
    this.#varint(value);
  }

  /** An int64. */
  int64(field: number, value: bigint): void {
    this.#tag(field, 0);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#byte(Number(rest));
  }

  /** A fixed64 or sfixed64. */
  fixed64(field: number, value: bigint): void {
    this.#tag(field, 1);
    this.#uint64(BigInt.asUintN(64, value));
  }

  /** A double. */
  double(field: number, value: number): void {
    this.#tag(field, 1);
    this.#float64(value);
  }

  /** Packed fixed64s, of integers from 0 to 2^53 - 1. */
  packedFixed64(field: number, values: readonly number[]): void {
    this.#tag(field, 2);
    this.#varint(values.length * 8);
    for (const value of values) this.#uint64(BigInt(value));
  }

  /** Packed doubles. */
  packedDouble(field: number, values: readonly number[]): void {
    this.#tag(field, 2);
    this.#varint(values.length * 8);
    for (const value of values) this.#float64(value);
  }

  /** A message, which `write` writes. */
  message(field: number, write: () => void): void {
    this.#tag(field, 2);
    const start = this.#length;
    write();
    // Its length is known only now, and most are short: what was written moves by the length's own bytes.
    const length = this.#length - start;
    this.#grow(widthOf(length));
    this.#bytes.copyWithin(start + widthOf(length), start, start + length);
    this.#length = start;
    this.#varint(length);
    this.#length += length;
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#byte(rest);
  }

  #uint64(value: bigint): void {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
  }

  #float64(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value, true);
  }

  #byte(value: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = value;
  }

  // Makes room for so many bytes and gives where they go; the buffer may be another one afterwards.
  #grow(by: number): number {
    const at = this.#length;
    this.#length += by;
    if (this.#length > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      bytes.set(this.#bytes.subarray(0, at));
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return at;
  }
}

// How many bytes a varint takes.
function widthOf(value: number): number {
  let width = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) width++;
  return width;
}
