import type { Encoding } from "../../engine/telemetry/otlp/decode.ts";
import { traceRequest } from "../proto/definitions.ts";

/**
 * Requests of spans such as the engine sends, each span with an id and a start of its own, as time goes on: one
 * request is encoded, and in its copies those are written over.
 */
export class SpanBatches {
  readonly #template: Uint8Array<ArrayBuffer>;
  readonly #places: readonly { readonly id: number; readonly start: number }[];
  readonly #json: boolean;
  #next = 1n;

  /** Of `size` spans a request. */
  constructor(encoding: Encoding, size: number) {
    this.#json = encoding === "json";
    const message = request(size, this.#json);
    this.#template = Uint8Array.from(
      this.#json ? new TextEncoder().encode(JSON.stringify(message)) : traceRequest.encode(message),
    );
    this.#places = Array.from({ length: size }, (_, i) => ({
      id: this.#find(id(MARK + BigInt(i), this.#json)),
      start: this.#find(time(MARK_START + BigInt(i), this.#json)),
    }));
  }

  /** A request's length. */
  get bytes(): number {
    return this.#template.length;
  }

  /** The next request. */
  next(): Uint8Array<ArrayBuffer> {
    const bytes = this.#template.slice();
    for (const place of this.#places) {
      const number = this.#next++;
      bytes.set(id(number, this.#json), place.id);
      bytes.set(time(START + number * 10_000n, this.#json), place.start);
    }
    return bytes;
  }

  #find(part: Uint8Array): number {
    const found = indexOf(this.#template, part);
    if (found === -1) throw new Error("An id or a start is not in the request");
    return found;
  }
}

// They stand for those to come, which are far below, and have as many digits.
const MARK = 0x5a5a5a000000n;
const START = 1_795_277_160_000_000_000n;
const MARK_START = 1_900_000_000_000_000_000n;

function id(value: bigint, json: boolean): Uint8Array {
  const digits = value.toString(16).padStart(16, "0");
  return json ? new TextEncoder().encode(digits) : Uint8Array.fromHex(digits);
}

function time(value: bigint, json: boolean): Uint8Array {
  if (json) return new TextEncoder().encode(String(value));
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  let from = 0;
  for (;;) {
    const at = bytes.indexOf(part[0], from);
    if (at === -1 || part.every((byte, i) => bytes[at + i] === byte)) return at;
    from = at + 1;
  }
}

function request(size: number, json: boolean): object {
  const bytes = (hex: string) => json ? hex : Uint8Array.fromHex(hex);
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const integer = (key: string, intValue: string) => ({ key, value: { intValue } });
  const spans = Array.from({ length: size }, (_, i) => ({
    traceId: bytes("0af7651916cd43dd8448eb211c80319c"),
    spanId: bytes((MARK + BigInt(i)).toString(16).padStart(16, "0")),
    parentSpanId: bytes("b7ad6b7169203331"),
    flags: 0x101,
    name: "orders.load",
    kind: 1,
    startTimeUnixNano: String(MARK_START + BigInt(i)),
    endTimeUnixNano: String(MARK_START + 100_000_000_000n + BigInt(i)),
    attributes: [
      text("cicd.pipeline.name", "import-orders"),
      text("cicd.pipeline.run.id", "01a1fedb-81d8-770d-b86e-a6e3fa08c928"),
      text("cicd.pipeline.task.name", "load"),
      text("cicd.pipeline.task.run.result", "success"),
      text("spanloop.step.id", "load"),
      integer("spanloop.batch.from", String(i * 20)),
      integer("spanloop.batch.to", String(i * 20 + 20)),
      { key: "retried", value: { boolValue: false } },
    ],
    status: { code: 0 },
  }));
  return {
    resourceSpans: [{
      resource: { attributes: [text("service.name", "spanloop"), integer("process.pid", "4711")] },
      scopeSpans: [{ scope: { name: "spanloop" }, spans }],
    }],
  };
}
