/** Writes the workflows that are measured; each gives the file's path. */

const MODULES = {
  /** Returns at once. */
  noop: "export default () => ({});\n",
  /** Waits for the file system: an answer from another thread, as a step that does something gets. */
  stat: 'export default async () => {\n  await Deno.stat(".");\n  return {};\n};\n',
  /** Waits for a timer, which never takes less than a millisecond. */
  timer: "export default async () => {\n" +
    "  await new Promise((resolve) => setTimeout(resolve, 0));\n  return {};\n};\n",
  /** Reads one field of every item, so that all of them are parsed. */
  read: "export default ({ items }) => {\n  let total = 0;\n" +
    "  for (const item of items) total += item.amount;\n  return { total };\n};\n",
};

/** Steps in a chain that all call one script. */
export function scriptChain(
  folder: string,
  options: {
    readonly name: string;
    readonly steps: number;
    readonly module: "noop" | "stat" | "timer";
  },
): string {
  const { name, steps, module } = options;
  writeModule(folder, module);
  return write(folder, name, [
    "steps:",
    ...range(steps).map((i) => `  - { id: s${i}, uses: script, with: { module: ./${module}.ts } }`),
  ]);
}

/** Shell steps in a chain, each `true`. */
export function shellChain(folder: string, name: string, steps: number): string {
  return write(folder, name, [
    "steps:",
    ...range(steps).map((i) => `  - { id: s${i}, run: "true" }`),
  ]);
}

/** Shell steps that need nothing, each `true`. */
export function shellFan(folder: string, name: string, steps: number): string {
  return write(folder, name, [
    "max_concurrency: 8",
    "steps:",
    ...range(steps).map((i) => `  - { id: s${i}, needs: [], run: "true" }`),
  ]);
}

/** Layers of shell steps, each needing two of the layer above. */
export function shellDag(
  folder: string,
  options: { readonly name: string; readonly layers: number; readonly width: number },
): string {
  const { name, layers, width } = options;
  const needs = (layer: number, i: number) =>
    layer === 0 ? "" : `s${layer - 1}_${i}, s${layer - 1}_${(i + 1) % width}`;
  return write(folder, name, [
    "max_concurrency: 8",
    "steps:",
    ...range(layers).flatMap((layer) =>
      range(width).map((i) =>
        `  - { id: s${layer}_${i}, needs: [${needs(layer, i)}], run: "true" }`
      )
    ),
  ]);
}

/** A for_each over a file in batches of 500. */
export function fileLoop(
  folder: string,
  options: { readonly name: string; readonly file: string; readonly module: "noop" | "read" },
): string {
  const { name, file, module } = options;
  writeModule(folder, module);
  return write(folder, name, [
    "steps:",
    "  - id: load",
    `    for_each: { file: ${JSON.stringify(file)}, batch: 500 }`,
    "    uses: script",
    `    with: { module: ./${module}.ts }`,
  ]);
}

/** Adds `plugins:` to a workflow, an entry each. */
export function withPlugins(file: string, entries: readonly string[]): string {
  const lines = ["plugins:", ...entries.map((entry) => `  - ${entry}`), "steps:"];
  Deno.writeTextFileSync(
    file,
    Deno.readTextFileSync(file).replace(/^steps:$/m, lines.join("\n")),
  );
  return file;
}

function write(folder: string, name: string, lines: readonly string[]): string {
  const path = `${folder}/${name}.yaml`;
  Deno.writeTextFileSync(path, `name: ${name}\n${lines.join("\n")}\n`);
  return path;
}

function writeModule(folder: string, module: keyof typeof MODULES): void {
  Deno.writeTextFileSync(`${folder}/${module}.ts`, MODULES[module]);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
