import { type Clock, later } from "../../core/clock.ts";
import type { Refusal } from "./response.ts";

/** Bytes that requests may hold at once, over all of them. */
export class ByteBudget {
  #left: number;

  /** Starts with `bytes`. */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Takes bytes if there are as many. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** How a body is read. */
export interface BodyLimits {
  /** Bytes at most, as sent and decompressed. */
  readonly maxBytes: number;
  /** How long a sender may take for it, in milliseconds. */
  readonly timeoutMs: number;
  /** What all bodies share. */
  readonly budget: ByteBudget;
  /** Time. */
  readonly clock: Clock;
}

/** A body that was read; `release` gives its bytes back to the budget. */
export interface Body {
  /** All of it, decompressed. */
  readonly bytes: Uint8Array;
  /** To be called once. */
  release(): void;
}

// What is decompressed at once: at deflate's best ratio (1,032 to 1) this becomes 8 MiB, not more.
const SLICE = 8_192;

/**
 * Reads a request's body, decompressed, up to the cap: it stops at the cap and not after the bomb. Gives a refusal
 * for what is too large, too slow, cut off or no gzip, or when the budget is used up.
 */
export async function readBody(
  request: Request,
  gzip: boolean,
  limits: BodyLimits,
): Promise<Body | Refusal> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > limits.maxBytes) return tooLarge(limits);
  const cancelled = new AbortController();
  const cancel = later(limits.clock, limits.timeoutMs, () => cancelled.abort());
  try {
    return await gather(request, gzip, limits, cancelled.signal);
  } finally {
    cancel();
    // Whatever is left is not waited for.
    cancelled.abort();
  }
}

async function gather(
  request: Request,
  gzip: boolean,
  { maxBytes, timeoutMs, budget }: BodyLimits,
  signal: AbortSignal,
): Promise<Body | Refusal> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let refusal: Refusal | undefined;
  const release = () => budget.give(length);
  const collect = new WritableStream<Uint8Array>({
    write(chunk) {
      if (length + chunk.length > maxBytes) refusal = tooLarge({ maxBytes });
      else if (!budget.take(chunk.length)) refusal = BUSY;
      if (refusal !== undefined) throw refusal;
      length += chunk.length;
      chunks.push(chunk);
    },
  });
  try {
    const raw = request.body ?? new Blob([]).stream();
    const readable = gzip
      ? raw.pipeThrough(slices(maxBytes)).pipeThrough(new DecompressionStream("gzip"))
      : raw;
    await readable.pipeTo(collect, { signal });
    return { bytes: joined(chunks, length), release };
  } catch (thrown) {
    release();
    if (refusal !== undefined) return refusal;
    if (thrown === OVERSIZE) return tooLarge({ maxBytes });
    if (signal.aborted) {
      return {
        status: 408,
        message: `The request's body did not come within ${timeoutMs / 1_000} seconds`,
      };
    }
    return {
      status: 400,
      message: gzip
        ? "The request's body is not gzip, or was cut off"
        : "The request's body was cut off",
    };
  }
}

function slices(maxBytes: number): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  let sent = 0;
  return new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      sent += chunk.length;
      if (sent > maxBytes) throw OVERSIZE;
      for (let from = 0; from < chunk.length; from += SLICE) {
        controller.enqueue(chunk.slice(from, from + SLICE) as Uint8Array<ArrayBuffer>);
      }
    },
  });
}

// Only told from other errors by which one it is.
const OVERSIZE = new Error("the body as sent is over the cap");

function tooLarge({ maxBytes }: Pick<BodyLimits, "maxBytes">): Refusal {
  return {
    status: 413,
    message: `The request is larger than ${maxBytes} bytes, also after decompression; ` +
      "send smaller batches",
  };
}

/** There is too much to do: the sender should come again. */
export const BUSY: Refusal = {
  status: 429,
  message: "The receiver has more to do than it can hold; send it again later",
  headers: { "retry-after": "1" },
};

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
