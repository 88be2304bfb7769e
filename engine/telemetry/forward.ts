import type { OtlpSettings } from "./settings.ts";
import type { ExportQueue } from "./export/queue.ts";
import type { Sender } from "./export/sender.ts";
import type { Serializer } from "./export/serializer.ts";
import { type Forward, type Forwarded, FORWARDED_HEADER } from "./forwarded.ts";

/** All that waits to be forwarded, in bytes; what comes beyond it is dropped and counted. */
const MOST_BYTES = 32 * 2 ** 20;

/** Received requests go on one at a time, as they came. */
export const FORWARD_QUEUE = { maxQueue: 256, maxBatch: 1, delayMs: 0 };

/** The settings of a forwarded signal: those of the engine's own, with the mark against loops. */
export function forwardSettings(otlp: OtlpSettings): OtlpSettings {
  return { ...otlp, headers: { ...otlp.headers, [FORWARDED_HEADER]: "1" } };
}

/** A request as it came, in protobuf or in JSON: nothing is encoded anew. */
export function asItCame(answers: Serializer<never>): Serializer<Forwarded> {
  return {
    serializeRequest: ([request]) => request.bytes,
    rejected: (answer) => answers.rejected(answer),
  };
}

/**
 * Forwards received metrics and logs through queues, and bounds the bytes that wait in them.
 *
 * Invariant: J5: whoever sent them does not wait for it.
 */
export class Forwarder {
  readonly #queues = new Map<string, ExportQueue<Forwarded>[]>();
  #bytes = 0;

  /** Takes on requests of this signal and encoding by a queue over a sender, which `queue` makes. */
  add(
    { signal, encoding }: Pick<Forwarded, "signal" | "encoding">,
    sender: Sender<Forwarded>,
    queue: (sender: Sender<Forwarded>) => ExportQueue<Forwarded>,
  ): void {
    const key = `${signal} ${encoding}`;
    this.#queues.set(key, [...this.#queues.get(key) ?? [], queue(this.#counted(sender))]);
  }

  /** Whether anything is forwarded. */
  get idle(): boolean {
    return this.#queues.size === 0;
  }

  /** Takes a received request on. */
  readonly forward: Forward = (request) => {
    for (const queue of this.#queues.get(`${request.signal} ${request.encoding}`) ?? []) {
      if (queue.full || this.#bytes + request.bytes.length > MOST_BYTES) {
        queue.miss();
        continue;
      }
      this.#bytes += request.bytes.length;
      queue.add(request);
    }
  };

  #counted(sender: Sender<Forwarded>): Sender<Forwarded> {
    return {
      ...sender,
      send: async (batch) => {
        const sent = await sender.send(batch);
        // One that is tried again still waits.
        if (sent.status !== "retry") {
          for (const { bytes } of batch) this.#bytes -= bytes.length;
        }
        return sent;
      },
    };
  }
}
