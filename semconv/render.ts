import { type Attribute, constantName, type Registry } from "./registry.ts";

const HEAD = "Generated from registry/*.yaml by `deno task semconv`; do not edit.";

/** The text of attributes.ts: a documented constant a key, and one a known value. Not yet formatted. */
export function renderAttributes(registry: Registry): string {
  const own = registry.groups.flatMap((group) => group.attributes);
  return [
    `// ${HEAD}\n`,
    ...[...registry.foreign, ...own].map(renderConstants),
  ].join("\n");
}

/** The text of README.md: every span and every attribute in tables. Not yet formatted. */
export function renderReference(registry: Registry): string {
  const lines = [
    `<!-- ${HEAD} -->`,
    "",
    "# Attributes and spans",
    "",
    "What the engine writes on its spans. Names and results follow OpenTelemetry's semantic conventions for",
    "CI/CD; what these do not have begins with `spanloop.`. The source is `registry/*.yaml`, in the format of",
    "OpenTelemetry Weaver; `deno task semconv` makes `attributes.ts` and this page of it.",
    "",
    "## Spans",
    "",
  ];
  for (const span of registry.spans) {
    lines.push(`### ${span.id}`, "", `Kind: ${span.kind}. ${span.brief}`, "");
    if (span.note !== undefined) lines.push(span.note, "");
    lines.push("| Attribute | Present | What it says |", "| --- | --- | --- |");
    for (const { id, brief, requirement } of span.attributes) {
      lines.push(row([code(keyOf(registry, id)), requirement, brief]));
    }
    lines.push("");
  }
  for (const group of registry.groups) {
    lines.push(`## ${group.title}`, "", group.brief, "");
    lines.push("| Attribute | Type | What it says | Examples |", "| --- | --- | --- | --- |");
    for (const attribute of group.attributes) {
      const { type, brief, note, examples } = attribute;
      lines.push(row([
        code(shown(attribute)),
        code(type),
        note === undefined ? brief : `${brief} ${note}`,
        examples.map(code).join(", "),
      ]));
    }
    lines.push("");
  }
  lines.push("## Known values", "", "| Attribute | Value | What it means |", "| --- | --- | --- |");
  const own = registry.groups.flatMap((group) => group.attributes);
  for (const attribute of [...own, ...registry.foreign]) {
    for (const { value, brief } of attribute.members) {
      lines.push(row([code(attribute.id), code(value), brief ?? "As OpenTelemetry defines it."]));
    }
  }
  lines.push("");
  return lines.join("\n");
}

function renderConstants(attribute: Attribute): string {
  const name = constantName(attribute.id);
  if (attribute.type.startsWith("template[")) {
    const camel = attribute.id.replaceAll(/[._]([a-z])/g, (_, letter) => letter.toUpperCase());
    return `${comment(`What stands before the name in \`${shown(attribute)}\`.`)}
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

function describe({ brief, note, examples, type, foreign }: Attribute): string {
  const parts = [brief, ...(note === undefined ? [] : [note])];
  if (examples.length > 0) parts.push(`Type ${type}, such as ${examples.map(code).join(", ")}.`);
  if (foreign) parts.push("Defined by OpenTelemetry.");
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

function keyOf(registry: Registry, id: string): string {
  const own = registry.groups.flatMap((group) => group.attributes).find((one) => one.id === id);
  return own === undefined ? id : shown(own);
}

function shown({ id, type }: Attribute): string {
  return type.startsWith("template[") ? `${id}.<key>` : id;
}

function code(text: string): string {
  return `\`${text}\``;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
