import {
  type Attribute,
  attributesOf,
  type Reference,
  type Registry,
  type Signal,
} from "./model.ts";
import { code, row, shownKey } from "./markdown.ts";

const THEIRS = "As OpenTelemetry defines it.";

/** The reference page's tables, without what stands before them. Not yet formatted. */
export function renderReference(registry: Registry): string {
  const all = new Map(
    [...registry.foreign, ...attributesOf(registry.groups)].map((one) => [one.id, one]),
  );
  return [
    ...section("Spans", registry.spans, all, ({ kind }) => `Kind: ${kind}.`),
    ...section(
      "Metrics",
      registry.metrics,
      all,
      ({ instrument, unit }) => `Instrument: ${instrument}, in ${code(unit)}.`,
    ),
    ...section("Events", registry.events, all, () => ""),
    ...section("Resource", registry.entities, all, () => ""),
    "## Attributes",
    "",
    ...registry.groups.flatMap(({ title, brief, attributes }) => [
      `### ${title}`,
      "",
      brief,
      "",
      ...table(["Attribute", "Type", "Stability", "What it says", "Examples"]),
      ...attributes.map(describe),
      "",
    ]),
    ...knownValues([...attributesOf(registry.groups), ...registry.foreign]),
  ].join("\n");
}

function section<S extends Signal>(
  title: string,
  signals: readonly S[],
  all: ReadonlyMap<string, Attribute>,
  facts: (signal: S) => string,
): readonly string[] {
  if (signals.length === 0) return [];
  return [
    `## ${title}`,
    "",
    ...signals.flatMap((signal) => [
      `### ${signal.id}`,
      "",
      [facts(signal), `Stability: ${signal.stability}.`, signal.brief ?? THEIRS]
        .filter((part) => part !== "").join(" "),
      "",
      ...(signal.note === undefined ? [] : [signal.note, ""]),
      ...(signal.attributes.length === 0 ? [] : [
        ...table(["Attribute", "Present", "What it says"]),
        ...signal.attributes.map((reference) => refer(reference, all)),
        "",
      ]),
    ]),
  ];
}

function refer({ id, brief, level, condition }: Reference, all: ReadonlyMap<string, Attribute>) {
  const known = all.get(id);
  return row([
    code(known === undefined ? id : shownKey(known)),
    condition ?? level.replaceAll("_", " "),
    brief ?? known?.brief ?? THEIRS,
  ]);
}

function describe(attribute: Attribute): string {
  const { type, members, stability, brief = THEIRS, note, examples, deprecated } = attribute;
  return row([
    code(shownKey(attribute)),
    code(members.length === 0 ? type : "enum"),
    deprecated === undefined
      ? stability
      : `deprecated${deprecated === true ? "" : `: use ${code(deprecated)}`}`,
    note === undefined ? brief : `${brief} ${note}`,
    examples.map(code).join(", "),
  ]);
}

function knownValues(attributes: readonly Attribute[]): readonly string[] {
  const rows = attributes.flatMap(({ id, members }) =>
    members.map(({ value, brief }) => row([code(id), code(String(value)), brief ?? THEIRS]))
  );
  if (rows.length === 0) return [];
  return ["## Known values", "", ...table(["Attribute", "Value", "What it means"]), ...rows, ""];
}

function table(columns: readonly string[]): readonly string[] {
  return [row(columns), row(columns.map(() => "---"))];
}
