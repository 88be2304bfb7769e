import type { Attributes } from "../../core/span.ts";
import type { Exemplar, HistogramMetric, Metric, MetricsBatch, NumberMetric } from "./batch.ts";

/** The formats that a scraper can ask for. */
export type PrometheusFormat = "text" | "openmetrics";

/** The formats' content types. */
export const CONTENT_TYPES: Readonly<Record<PrometheusFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/**
 * A cumulative collection as Prometheus's text format 0.0.4, or as OpenMetrics 1.0, which has exemplars too.
 * Names, units and labels are those of OpenTelemetry's Prometheus compatibility specification; delta points,
 * which Prometheus cannot hold, are left out.
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
export function renderPrometheus(batch: MetricsBatch, format: PrometheusFormat): string {
  const page = new Page(format);
  const { name, version } = batch.scope;
  const scope = {
    otel_scope_name: name,
    ...(version === undefined ? {} : { otel_scope_version: version }),
  };
  page.target(batch.resource);
  for (const metric of batch.metrics) {
    if (metric.kind !== "gauge" && metric.temporality === "delta") continue;
    if (metric.kind === "histogram") page.histogram(metric, scope);
    else page.numbers(metric, scope);
  }
  return page.finish();
}

class Page {
  readonly #lines: string[] = [];
  readonly #open: boolean;
  // Two metrics may come to the same name; a family must not be there twice.
  readonly #families = new Set<string>();

  constructor(format: PrometheusFormat) {
    this.#open = format === "openmetrics";
  }

  target(resource: Attributes): void {
    if (Object.keys(resource).length === 0) return;
    // The text format has no info type: there its sample's name is the family's.
    const family = this.#open ? "target" : "target_info";
    this.#head(family, this.#open ? "info" : "gauge", "What made the metrics.", "");
    this.#lines.push(`target_info${labels(resource, {})} 1`);
  }

  numbers(metric: NumberMetric, scope: Attributes): void {
    const counter = metric.kind === "sum" && metric.monotonic;
    const unit = unitOf(metric);
    const family = familyOf(metric, unit).replace(counter ? /_total$/ : /$^/, "");
    const name = counter ? `${family}_total` : family;
    const type = counter ? "counter" : "gauge";
    if (!this.#head(this.#open ? family : name, type, metric.description, unit)) return;
    for (const { attributes, value, startTime } of metric.points) {
      const set = labels(attributes, scope);
      this.#lines.push(`${name}${set} ${numberText(value)}`);
      if (counter && this.#open) this.#created(family, set, startTime);
    }
  }

  histogram(metric: HistogramMetric, scope: Attributes): void {
    const unit = unitOf(metric);
    const family = familyOf(metric, unit);
    if (!this.#head(family, "histogram", metric.description, unit)) return;
    for (const point of metric.points) {
      const { attributes, bounds, counts, count, sum, startTime } = point;
      let below = 0;
      counts.forEach((own, bucket) => {
        below += own;
        const bound = bounds[bucket] ?? Infinity;
        const le = this.#open ? floatText(bound) : numberText(bound);
        const exemplar = this.#open ? exemplarIn(point.exemplars, bounds, bucket) : "";
        this.#lines.push(
          `${family}_bucket${labels(attributes, { ...scope, le })} ${below}${exemplar}`,
        );
      });
      const set = labels(attributes, scope);
      this.#lines.push(`${family}_sum${set} ${numberText(sum)}`, `${family}_count${set} ${count}`);
      if (this.#open) this.#created(family, set, startTime);
    }
  }

  finish(): string {
    return `${[...this.#lines, ...(this.#open ? ["# EOF"] : [])].join("\n")}\n`;
  }

  // False for a family that is there already: its points would have to stand with the first ones.
  #head(family: string, type: string, help: string, unit: string): boolean {
    if (this.#families.has(family)) return false;
    this.#families.add(family);
    const text = this.#open ? escaped(help) : help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
    this.#lines.push(`# HELP ${family} ${text}`, `# TYPE ${family} ${type}`);
    if (this.#open && unit !== "" && family.endsWith(`_${unit}`)) {
      this.#lines.push(`# UNIT ${family} ${unit}`);
    }
    return true;
  }

  #created(family: string, set: string, time: bigint): void {
    this.#lines.push(`${family}_created${set} ${timeText(time)}`);
  }
}

/** Which format a scraper's Accept header asks for; the text format for what is not understood. */
export function formatFor(accept: string | null): PrometheusFormat {
  let best = { format: "text" as PrometheusFormat, quality: -1 };
  for (const range of (accept ?? "").toLowerCase().split(",")) {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    const given = new Map(parameters.map((one) => one.split("=") as [string, string]));
    const quality = Number(given.get("q") ?? "1");
    const version = given.get("version");
    const open = type === "application/openmetrics-text" &&
      (version === undefined || version === "1.0.0" || version === "0.0.1");
    const text = type === "text/plain" || type === "text/*" || type === "*/*";
    if ((open || text) && quality > 0 && quality > best.quality) {
      best = { format: open ? "openmetrics" : "text", quality };
    }
  }
  return best.format;
}

const UNITS: Readonly<Record<string, string>> = {
  d: "days",
  h: "hours",
  min: "minutes",
  s: "seconds",
  ms: "milliseconds",
  us: "microseconds",
  ns: "nanoseconds",
  By: "bytes",
  KiBy: "kibibytes",
  MiBy: "mebibytes",
  GiBy: "gibibytes",
  kBy: "kilobytes",
  MBy: "megabytes",
  GBy: "gigabytes",
  "%": "percent",
};

const PER: Readonly<Record<string, string>> = {
  d: "day",
  h: "hour",
  min: "minute",
  s: "second",
};

// What stands in braces is an annotation: a count of something has no unit in Prometheus.
function unitOf(metric: Metric): string {
  const unit = metric.unit.replace(/\{[^}]*\}/g, "");
  if (unit === "1") return metric.kind === "gauge" ? "ratio" : "";
  const [over, under] = unit.split("/");
  const words = [
    UNITS[over] ?? over,
    ...(under ? ["per", PER[under] ?? UNITS[under] ?? under] : []),
  ];
  return sanitised(words.filter((word) => word !== "").join("_"));
}

function familyOf({ name }: Metric, unit: string): string {
  const plain = sanitised(name).replace(/^(?=\d)/, "_");
  return unit === "" || plain.split("_").includes(unit) ? plain : `${plain}_${unit}`;
}

function sanitised(name: string): string {
  return name.replace(/[^a-zA-Z0-9_:]/g, "_").replace(/_+/g, "_");
}

function labels(attributes: Attributes, more: Attributes): string {
  const values = new Map<string, string>();
  // Keys that come to the same label share it, in the keys' own order.
  for (const key of Object.keys(attributes).sort()) {
    const label = sanitised(key).replaceAll(":", "_").replace(/^(?=\d)/, "_");
    const before = values.get(label);
    const text = valueText(attributes[key]);
    values.set(label, before === undefined ? text : `${before};${text}`);
  }
  for (const [label, value] of Object.entries(more)) values.set(label, valueText(value));
  if (values.size === 0) return "";
  return `{${[...values].map(([label, value]) => `${label}="${escaped(value)}"`).join(",")}}`;
}

function valueText(value: Attributes[string]): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function escaped(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/"/g, '\\"');
}

function exemplarIn(
  exemplars: readonly Exemplar[],
  bounds: readonly number[],
  bucket: number,
): string {
  const above = bounds[bucket - 1] ?? -Infinity;
  const upTo = bounds[bucket] ?? Infinity;
  const found = exemplars.find(({ value }) => value > above && value <= upTo);
  if (found === undefined) return "";
  const { traceId, spanId, value, time } = found;
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${numberText(value)} ${timeText(time)}`;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

// OpenMetrics wants its bucket bounds to be told from integers.
function floatText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : numberText(value);
}

// Seconds since the Unix epoch, exact to the nanosecond.
function timeText(time: bigint): string {
  return `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, "0")}`;
}
