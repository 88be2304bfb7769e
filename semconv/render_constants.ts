import { type Attribute, attributesOf, constantName, type Metric, type Registry } from "./model.ts";
import { code, shownKey } from "./markdown.ts";

/** The text of attributes.ts: a documented constant a key, and one a known value. Not yet formatted. */
export function renderAttributes(registry: Registry): string {
  return [...registry.foreign, ...attributesOf(registry.groups)].map(renderAttribute).join("\n");
}

/** The text of metrics.ts: a constant a metric, with what an instrument is made of. Not yet formatted. */
export function renderMetrics(registry: Registry): string {
  const type = `/** What an instrument is made of. */
export interface MetricDefinition {
  /** Its name. */
  readonly name: string;
  /** What records it. */
  readonly instrument: "counter" | "updowncounter" | "histogram" | "gauge";
  /** In UCUM's notation. */
  readonly unit: string;
  /** What it measures; empty for OpenTelemetry's own. */
  readonly description: string;
}
`;
  return [type, ...registry.metrics.map(renderMetric)].join("\n");
}

/** The text of events.ts: a constant an event's name. Not yet formatted. */
export function renderEvents(registry: Registry): string {
  return registry.events.map(({ id, brief }) =>
    `${comment(brief ?? THEIRS)}
export const EVENT_${constantName(id)} = ${JSON.stringify(id)};
`
  ).join("\n");
}

const THEIRS = "As OpenTelemetry defines it.";

function renderMetric({ id, instrument, unit, brief }: Metric): string {
  return `${comment(`${brief ?? THEIRS} ${instrument}, in ${code(unit)}.`)}
export const METRIC_${constantName(id)} = {
  name: ${JSON.stringify(id)},
  instrument: ${JSON.stringify(instrument)},
  unit: ${JSON.stringify(unit)},
  description: ${JSON.stringify(brief ?? "")},
} as const satisfies MetricDefinition;
`;
}

function renderAttribute(attribute: Attribute): string {
  const name = constantName(attribute.id);
  if (attribute.type.startsWith("template[")) {
    const camel = attribute.id.replaceAll(/[._]([a-z])/g, (_, letter) => letter.toUpperCase());
    return `${comment(`What stands before the name in \`${shownKey(attribute)}\`.`)}
export const ${name}_PREFIX = ${JSON.stringify(`${attribute.id}.`)};

${comment(describe(attribute))}
export function ${camel}(key: string): string {
  return ${name}_PREFIX + key;
}
`;
  }
  const constants = [
    `${comment(describe(attribute))}\nexport const ${name} = ${JSON.stringify(attribute.id)};\n`,
  ];
  for (const { id, value, brief } of attribute.members) {
    constants.push(
      `${comment(`\`${attribute.id}\`: ${brief ?? "as OpenTelemetry defines it."}`)}
export const ${name}_VALUE_${constantName(id)} = ${JSON.stringify(value)};
`,
    );
  }
  return constants.join("\n");
}

function describe({ brief, note, examples, type, origin }: Attribute): string {
  const parts = brief === undefined ? [] : [brief];
  if (note !== undefined) parts.push(note);
  if (examples.length > 0) parts.push(`Type ${type}, such as ${examples.map(code).join(", ")}.`);
  if (origin === "opentelemetry") {
    parts.push(brief === undefined ? THEIRS : "Defined by OpenTelemetry.");
  }
  return parts.join(" ");
}

// Lines of at most 100 columns, so that the formatter, which leaves comments alone, need not break them.
function comment(text: string): string {
  const safe = text.replaceAll("*/", "*\\/");
  if (safe.length <= 93) return `/** ${safe} */`;
  const lines = [""];
  for (const word of safe.split(" ")) {
    const last = lines[lines.length - 1];
    if (last.length + word.length + 1 > 96) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return `/**\n${lines.map((line) => ` * ${line}`).join("\n")}\n */`;
}
