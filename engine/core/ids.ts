import type { Clock, Random } from "./clock.ts";

/** Mints the engine's identifiers from an injected clock and randomness. */
export class Ids {
  readonly #clock: Clock;
  readonly #random: Random;
  // Random bytes are drawn in blocks: one call to the system for hundreds of ids.
  readonly #pool = new Uint8Array(4096);
  #at = 4096;

  /** Uses `clock` for the time part of run ids and `random` for the rest. */
  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A UUIDv7 (RFC 9562): sorts by time to the millisecond; keys the journal (R2). */
  runId(): string {
    const ms = (this.#clock.now() / 1_000_000n).toString(16).padStart(12, "0");
    const hex = this.#hex(10);
    const variant = (8 + (parseInt(hex[3], 16) & 3)).toString(16);
    return `${ms.slice(0, 8)}-${ms.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${
      hex.slice(7, 19)
    }`;
  }

  /** A W3C trace id: 32 lower-case hex digits, never all zero. */
  traceId(): string {
    return this.#nonZero(16);
  }

  /** A W3C span id: 16 lower-case hex digits, never all zero. */
  spanId(): string {
    return this.#nonZero(8);
  }

  #nonZero(bytes: number): string {
    for (;;) {
      const hex = this.#hex(bytes);
      if (!/^0+$/.test(hex)) return hex;
    }
  }

  #hex(bytes: number): string {
    if (this.#at + bytes > this.#pool.length) {
      this.#random.fill(this.#pool);
      this.#at = 0;
    }
    let hex = "";
    for (const end = this.#at + bytes; this.#at < end; this.#at++) {
      hex += HEX[this.#pool[this.#at]];
    }
    return hex;
  }
}

/**
 * A span id derived from another one and a number: the same for the same two, so that redelivery and
 * resume change nothing (T3). SplitMix64's finaliser (Steele, Lea, Flood 2014) over `spanId + index * γ`.
 */
export function derivedSpanId(spanId: string, index: number): string {
  const mixed = mix(BigInt(`0x${spanId}`) + BigInt(index + 1) * 0x9e3779b97f4a7c15n);
  return (mixed === 0n ? 1n : mixed).toString(16).padStart(16, "0");
}

/**
 * The run id of the child that a `workflow` attempt starts (S6): derived from the attempt's span and its
 * start (nanoseconds since the epoch), so that a resumed attempt finds the child it had. A UUIDv7.
 */
export function childRunId(spanId: string, startTime: bigint): string {
  const ms = (startTime / 1_000_000n).toString(16).padStart(12, "0");
  const a = derivedSpanId(spanId, -2);
  const b = derivedSpanId(spanId, -3);
  const variant = (8 + (parseInt(a[3], 16) & 3)).toString(16);
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7${a.slice(0, 3)}-${variant}${a.slice(4, 7)}-${
    b.slice(0, 12)
  }`;
}

function mix(value: bigint): bigint {
  let z = BigInt.asUintN(64, value);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
