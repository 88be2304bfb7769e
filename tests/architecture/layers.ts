/** What each layer may import, beside itself. `*` is everything. CONTRIBUTING.md shows the same table. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  semconv: [],
  core: ["semconv"],
  expression: ["core"],
  spec: ["core", "expression"],
  store: ["core"],
  sandbox: ["core"],
  steps: ["core", "sandbox", "semconv"],
  parameters: ["core", "expression"],
  trigger: ["core", "expression"],
  plan: ["core", "spec", "expression"],
  telemetry: ["core", "expression", "semconv"],
  run: ["core", "plan", "steps", "expression", "telemetry"],
  host: ["core", "expression", "telemetry", "parameters", "sandbox", "semconv", "mod.ts"],
  server: ["core", "telemetry"],
  "engine.ts": ["*"],
  cli: ["engine.ts", "core", "semconv"],
  "mod.ts": ["core"],
  plugins: ["mod.ts", "./testing", "semconv"],
  workflows: ["mod.ts"],
};

/** Packages that only some layers may import, by the beginning of their name. */
export const PACKAGES: readonly {
  readonly prefix: string;
  readonly layers: readonly string[];
}[] = [
  // The generator reads OpenTelemetry's list of keys; nothing that runs does.
  { prefix: "@opentelemetry/semantic-conventions", layers: ["semconv"] },
  { prefix: "@opentelemetry/", layers: ["telemetry"] },
];

/** Where an import with a computed specifier may stand: script steps and plugins are loaded so. */
export const COMPUTED_IMPORTS: readonly RegExp[] = [
  /^engine\/steps\/script[^/]*\.ts$/,
  /^engine\/host\//,
];

/** Entries that the repository's top level must have. */
export const TOP_LEVEL: readonly string[] = [
  ".ci",
  ".gitignore",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "deno.json",
  "deno.lock",
  "engine",
  "mod.ts",
  "semconv",
  "tests",
  "workflows",
];

/** Entries that it may have; git keeps no folder that is empty. */
export const TOP_LEVEL_TOO: readonly string[] = ["CHANGELOG.md", "deploy", "plugins"];

// The composition root is engine.ts and the files beside it, which nothing else imports.
const ROOT_FILE = /^engine\/[^/]+\.ts$/;

const IN_ENGINE = Object.keys(MAY_IMPORT).filter((layer) =>
  !["semconv", "plugins", "workflows"].includes(layer) && !layer.endsWith(".ts")
);

/** The layer of a file by its path in the repository, or undefined if it has no place in the table. */
export function layerOf(path: string): string | undefined {
  if (path === "mod.ts") return "mod.ts";
  if (ROOT_FILE.test(path)) return "engine.ts";
  const [top, folder, ...rest] = path.split("/");
  if (top === "engine" && rest.length > 0) {
    return IN_ENGINE.includes(folder) ? folder : undefined;
  }
  return ["semconv", "plugins", "workflows"].includes(top) && folder !== undefined
    ? top
    : undefined;
}

/** The table as CONTRIBUTING.md shows it. */
export function layerTable(): string {
  return [
    "| Layer | May import |",
    "| --- | --- |",
    ...Object.entries(MAY_IMPORT).map(([layer, others]) => {
      const names = others.map((other) => other === "*" ? "everything" : `\`${other}\``);
      return `| \`${layer}\` | ${names.join(", ") || "nothing"} |`;
    }),
  ].join("\n");
}
