/** Frames on a sandbox's stdio: a length of four bytes, big-endian, and as many bytes of JSON. */
import { LARGEST_FRAME } from "./protocol.ts";

const HEADER = 4;
const SMALL = 64 * 1024;
// A buffer that one large frame needed is let go.
const KEPT = 4 * 1024 * 1024;
// What is ready is written in pieces of at least so much, bytes: each write takes a way through the event loop.
const PIECE = 256 * 1024;
// More wait only if the other side has stopped reading.
const MOST_WAITING = 10_000;

/** Cuts what comes out of a sandbox into frames. */
export class FrameReader {
  readonly #take: (message: unknown) => void;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #held = new Uint8Array(SMALL);
  #length = 0;

  /** Hands each frame's JSON to `take`. */
  constructor(take: (message: unknown) => void) {
    this.#take = take;
  }

  /** Takes the next bytes, which may be changed afterwards. Throws for a frame that is too large or is no JSON. */
  push(bytes: Uint8Array): void {
    const all = this.#length === 0 ? bytes : this.#append(bytes);
    let at = 0;
    let wanted = HEADER;
    while (all.length - at >= HEADER) {
      const size = new DataView(all.buffer, all.byteOffset + at).getUint32(0);
      if (size > LARGEST_FRAME) throw new RangeError(`a message of ${size} bytes`);
      wanted = HEADER + size;
      if (all.length - at < wanted) break;
      const text = this.#decoder.decode(all.subarray(at + HEADER, at + wanted));
      at += wanted;
      wanted = HEADER;
      this.#take(JSON.parse(text));
    }
    this.#hold(all.subarray(at), wanted);
  }

  #append(bytes: Uint8Array): Uint8Array {
    this.#grow(this.#length + bytes.length);
    this.#held.set(bytes, this.#length);
    return this.#held.subarray(0, this.#length + bytes.length);
  }

  #hold(rest: Uint8Array, wanted: number): void {
    if (rest.buffer === this.#held.buffer) {
      this.#held.copyWithin(0, rest.byteOffset, rest.byteOffset + rest.length);
    } else {
      this.#length = 0;
      this.#grow(rest.length);
      this.#held.set(rest);
    }
    this.#length = rest.length;
    if (this.#length > 0) this.#grow(wanted);
    else if (this.#held.length > KEPT) this.#held = new Uint8Array(SMALL);
  }

  #grow(size: number): void {
    if (size <= this.#held.length) return;
    const held = new Uint8Array(Math.max(size, 2 * this.#held.length));
    held.set(this.#held.subarray(0, this.#length));
    this.#held = held;
  }
}

/** Writes frames into a sandbox, one piece at a time: what waits is bounded, and is made into bytes as it is written. */
export class FrameWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #fail: (error: unknown) => void;
  readonly #encoder = new TextEncoder();
  #waiting: unknown[] = [];
  #writing = false;
  #buffer = new Uint8Array(SMALL);

  /** Tells `fail` of what could not be written. */
  constructor(stream: WritableStream<Uint8Array>, fail: (error: unknown) => void) {
    this.#writer = stream.getWriter();
    this.#fail = fail;
  }

  /** Writes a message. Throws when it is too large, JSON cannot carry it, or too many wait already. */
  send(message: unknown): void {
    if (this.#waiting.length >= MOST_WAITING) {
      throw new RangeError(`${MOST_WAITING} messages wait that it does not read`);
    }
    this.#waiting.push(message);
    if (!this.#writing) this.#write();
  }

  /** Lets go of the stream. */
  close(): void {
    this.#waiting = [];
    this.#writer.abort().catch(() => {
      // The pipe is broken already.
    });
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#waiting.length > 0) {
        const bytes = this.#encode();
        await this.#writer.write(bytes);
        if (this.#buffer.length > KEPT) this.#buffer = new Uint8Array(SMALL);
      }
    } catch (error) {
      this.#waiting = [];
      this.#fail(error);
    } finally {
      this.#writing = false;
    }
  }

  #encode(): Uint8Array {
    let length = 0;
    let count = 0;
    while (count < this.#waiting.length && length < PIECE) {
      const text = JSON.stringify(this.#waiting[count++]);
      const most = length + HEADER + 3 * text.length;
      if (most > this.#buffer.length) {
        const larger = new Uint8Array(Math.max(most, 2 * this.#buffer.length));
        larger.set(this.#buffer.subarray(0, length));
        this.#buffer = larger;
      }
      const { written } = this.#encoder.encodeInto(text, this.#buffer.subarray(length + HEADER));
      if (written > LARGEST_FRAME) throw new RangeError(`a message of ${written} bytes`);
      new DataView(this.#buffer.buffer).setUint32(length, written);
      length += HEADER + written;
    }
    this.#waiting.splice(0, count);
    return this.#buffer.subarray(0, length);
  }
}
