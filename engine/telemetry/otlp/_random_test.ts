import type { Seeded } from "../../core/seeded_test.ts";

/** Requests at random, in the plain form that the official definitions encode. */
export class RandomRequests {
  readonly #random: Seeded;

  /** Draws from `random`. */
  constructor(random: Seeded) {
    this.#random = random;
  }

  /** An ExportTraceServiceRequest whose spans are all valid. */
  traces(): object {
    return { resourceSpans: this.#frame("scopeSpans", "spans", () => this.#span()) };
  }

  /** An ExportMetricsServiceRequest. */
  metrics(): object {
    return { resourceMetrics: this.#frame("scopeMetrics", "metrics", () => this.#metric()) };
  }

  /** An ExportLogsServiceRequest. */
  logs(): object {
    return { resourceLogs: this.#frame("scopeLogs", "logRecords", () => this.#log()) };
  }

  #frame(scopes: string, items: string, item: () => object): object[] {
    return this.#list(3, () => ({
      ...this.#maybe("resource", () => ({ attributes: this.#attributes() })),
      [scopes]: this.#list(3, () => ({
        ...this.#maybe("scope", () => ({
          ...this.#maybe("name", () => this.#text()),
          ...this.#maybe("version", () => this.#text()),
          ...this.#maybe("attributes", () => this.#attributes()),
        })),
        [items]: this.#list(5, item),
        ...this.#maybe("schemaUrl", () => this.#text()),
      })),
    }));
  }

  #span(): object {
    return {
      traceId: this.#id(16),
      spanId: this.#id(8),
      ...this.#maybe("parentSpanId", () => this.#id(8)),
      ...this.#maybe("traceState", () => this.#text()),
      // The flags above 8 bits are not the trace's.
      ...this.#maybe("flags", () => this.#random.below(256)),
      ...this.#maybe("name", () => this.#text()),
      kind: 1 + this.#random.below(5),
      startTimeUnixNano: this.#unsigned(),
      ...this.#maybe("endTimeUnixNano", () => this.#unsigned()),
      ...this.#maybe("attributes", () => this.#attributes()),
      ...this.#maybe("droppedAttributesCount", () => this.#count()),
      ...this.#maybe("events", () =>
        this.#list(3, () => ({
          ...this.#maybe("timeUnixNano", () => this.#unsigned()),
          ...this.#maybe("name", () => this.#text()),
          ...this.#maybe("attributes", () => this.#attributes()),
          ...this.#maybe("droppedAttributesCount", () => this.#count()),
        }))),
      ...this.#maybe("droppedEventsCount", () => this.#count()),
      ...this.#maybe("links", () =>
        this.#list(3, () => ({
          traceId: this.#id(16),
          spanId: this.#id(8),
          ...this.#maybe("traceState", () => this.#text()),
          ...this.#maybe("attributes", () => this.#attributes()),
          ...this.#maybe("droppedAttributesCount", () => this.#count()),
          ...this.#maybe("flags", () => this.#random.below(256)),
        }))),
      ...this.#maybe("droppedLinksCount", () => this.#count()),
      ...this.#maybe("status", () => ({
        ...this.#maybe("message", () => this.#text()),
        ...this.#maybe("code", () => this.#random.below(3)),
      })),
    };
  }

  #log(): object {
    return {
      ...this.#maybe("timeUnixNano", () => this.#unsigned()),
      ...this.#maybe("observedTimeUnixNano", () => this.#unsigned()),
      ...this.#maybe("severityNumber", () => this.#random.below(25)),
      ...this.#maybe("severityText", () => this.#text()),
      ...this.#maybe("body", () => this.#value(3)),
      ...this.#maybe("attributes", () => this.#attributes()),
      ...this.#maybe("traceId", () => this.#id(16)),
      ...this.#maybe("spanId", () => this.#id(8)),
      ...this.#maybe("eventName", () => this.#text()),
    };
  }

  #metric(): object {
    const temporality = this.#maybe("aggregationTemporality", () => this.#random.below(3));
    const histogram = () => ({
      ...this.#point(),
      ...this.#maybe("count", () => this.#unsigned()),
      ...this.#maybe("sum", () => this.#real()),
      ...this.#maybe("min", () => this.#real()),
      ...this.#maybe("max", () => this.#real()),
      ...this.#exemplars(),
    });
    const buckets = () => ({
      ...this.#maybe("offset", () => this.#signed32()),
      bucketCounts: this.#list(4, () => this.#unsigned()),
    });
    const data = this.#random.pick([
      () => ({ gauge: { dataPoints: this.#list(3, () => this.#number()) } }),
      () => ({
        sum: {
          dataPoints: this.#list(3, () => this.#number()),
          ...temporality,
          ...this.#maybe("isMonotonic", () => this.#random.below(2) === 1),
        },
      }),
      () => ({
        histogram: {
          dataPoints: this.#list(3, () => ({
            ...histogram(),
            bucketCounts: this.#list(4, () => this.#unsigned()),
            explicitBounds: this.#list(4, () => this.#real()),
          })),
          ...temporality,
        },
      }),
      () => ({
        exponentialHistogram: {
          dataPoints: this.#list(3, () => ({
            ...histogram(),
            ...this.#maybe("scale", () => this.#signed32()),
            ...this.#maybe("zeroCount", () => this.#unsigned()),
            ...this.#maybe("positive", buckets),
            ...this.#maybe("negative", buckets),
            ...this.#maybe("zeroThreshold", () => this.#real()),
          })),
          ...temporality,
        },
      }),
      () => ({
        summary: {
          dataPoints: this.#list(3, () => ({
            ...this.#point(),
            ...this.#maybe("count", () => this.#unsigned()),
            ...this.#maybe("sum", () => this.#real()),
            quantileValues: this.#list(3, () => ({
              ...this.#maybe("quantile", () => this.#real()),
              ...this.#maybe("value", () => this.#real()),
            })),
          })),
        },
      }),
    ])();
    return {
      ...this.#maybe("name", () => this.#text()),
      ...this.#maybe("description", () => this.#text()),
      ...this.#maybe("unit", () => this.#text()),
      ...data,
      ...this.#maybe("metadata", () => this.#attributes()),
    };
  }

  #point(): object {
    return {
      ...this.#maybe("attributes", () => this.#attributes()),
      ...this.#maybe("startTimeUnixNano", () => this.#unsigned()),
      ...this.#maybe("timeUnixNano", () => this.#unsigned()),
      ...this.#maybe("flags", () => this.#count()),
    };
  }

  #number(): object {
    return { ...this.#point(), ...this.#either(), ...this.#exemplars() };
  }

  #exemplars(): object {
    return this.#maybe("exemplars", () =>
      this.#list(2, () => ({
        ...this.#maybe("filteredAttributes", () => this.#attributes()),
        ...this.#maybe("timeUnixNano", () => this.#unsigned()),
        ...this.#either(),
        ...this.#maybe("traceId", () => this.#id(16)),
        ...this.#maybe("spanId", () => this.#id(8)),
      })));
  }

  #either(): object {
    return this.#random.pick([
      () => ({ asDouble: this.#real() }),
      () => ({ asInt: this.#signed() }),
      () => ({}),
    ])();
  }

  #attributes(depth = 3): object[] {
    const keys = new Set(this.#list(6, () => this.#text()));
    return [...keys].map((key) => ({ key, value: this.#value(depth) }));
  }

  #value(depth: number): object {
    return this.#random.pick<() => object>([
      () => ({}),
      () => ({ stringValue: this.#text() }),
      () => ({ stringValue: this.#text() }),
      () => ({ boolValue: this.#random.below(2) === 1 }),
      () => ({ intValue: this.#signed() }),
      () => ({ doubleValue: this.#real() }),
      () => ({ bytesValue: this.#bytes(this.#random.below(20)) }),
      ...depth === 0 ? [] : [
        () => ({ arrayValue: { values: this.#list(4, () => this.#value(depth - 1)) } }),
        () => ({ kvlistValue: { values: this.#attributes(depth - 1) } }),
      ],
    ])();
  }

  // Never whole: the model does not tell 1 from 1.0.
  #real(): number {
    return this.#random.pick([
      NaN,
      Infinity,
      -Infinity,
      -0,
      0.5,
      -1.25e-300,
      1.7976931348623157e308,
      this.#random.next() + 0.001,
    ]);
  }

  #signed(): string {
    return this.#random.pick([
      "0",
      "-1",
      String(this.#random.below(1_000_000)),
      "9007199254740991",
      "9007199254740992",
      "-9007199254740992",
      "9007199254740993",
      "9223372036854775807",
      "-9223372036854775808",
      BigInt.asIntN(64, this.#bits()).toString(),
    ]);
  }

  #unsigned(): string {
    return this.#random.pick([
      "0",
      "1",
      "1700000000123456789",
      "18446744073709551615",
      this.#bits().toString(),
    ]);
  }

  #bits(): bigint {
    return new DataView(this.#bytes(8).buffer).getBigUint64(0);
  }

  #signed32(): number {
    return this.#random.pick([0, -1, 20, -2147483648, 2147483647]);
  }

  #count(): number {
    return this.#random.pick([0, 1, 127, 128, 4294967295]);
  }

  #text(): string {
    return this.#random.pick([
      "",
      "http.request.method",
      "__proto__",
      "constructor",
      "7",
      "naïve ☃ \u{1f600}",
      "\ufeffbom",
      "nul \0 in it",
      "x".repeat(this.#random.below(70)),
      Array.from({ length: this.#random.below(12) }, () => this.#random.pick([..."abcdefghé"]))
        .join(""),
    ]);
  }

  #id(length: number): Uint8Array {
    const id = this.#bytes(length);
    id[0] ||= 1;
    return id;
  }

  #bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#random.fill(bytes);
    return bytes;
  }

  #list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.#random.below(most + 1) }, make);
  }

  #maybe(key: string, make: () => unknown): object {
    return this.#random.below(4) === 0 ? {} : { [key]: make() };
  }
}

/** A request as decoded by the official definitions, in OTLP's JSON mapping. */
export function jsonMapping(decoded: object): string {
  return JSON.stringify(decoded, function (this: Record<string, unknown>, key, value) {
    const raw = this[key];
    if (raw instanceof Uint8Array) return /Id$/.test(key) ? raw.toHex() : raw.toBase64();
    if (Object.is(raw, -0)) return "-0";
    return typeof raw === "number" && !Number.isFinite(raw) ? String(raw) : value;
  });
}
