import { computedImports } from "./computed_imports.ts";
import { cycles, layerCycles } from "./cycles.ts";
import { type Import, isTest, readGraph } from "./graph.ts";
import { layerOf, MAY_IMPORT, PACKAGES, TOP_LEVEL, TOP_LEVEL_TOO } from "./layers.ts";

/** Every breach of the layer table in the repository in `root`, a sentence each that names the files. */
export async function violations(root: string): Promise<readonly string[]> {
  const graph = await readGraph(root);
  const testKit = await testKitOf(root);
  const found = new Set<string>(graph.broken);
  for (const file of graph.files) {
    if (layerOf(file) === undefined) {
      found.add(
        `${file} is in no layer: move it into a folder that the table in CONTRIBUTING.md lists`,
      );
    }
  }
  for (const one of graph.imports) {
    const complaint = one.to === undefined ? packageComplaint(one) : fileComplaint(one, testKit);
    if (complaint !== undefined) found.add(complaint);
  }
  for (const sentence of [...cycles(graph.imports), ...layerCycles(graph.imports)]) {
    found.add(sentence);
  }
  for (const sentence of await computedImports(root, graph.files)) found.add(sentence);
  return [...found];
}

/** What is wrong with the repository's top level, a sentence an entry; ignored entries do not count. */
export async function topLevelFaults(root: string): Promise<readonly string[]> {
  const ignored = (await Deno.readTextFile(`${root}/.gitignore`)).split("\n")
    .map((line) => line.replaceAll("/", "").trim());
  const names = new Set<string>();
  for await (const { name } of Deno.readDir(root)) {
    if (name !== ".git" && !ignored.includes(name)) names.add(name);
  }
  return [
    ...TOP_LEVEL.filter((name) => !names.has(name)).map((name) => `${name} is missing`),
    ...[...names].sort().filter((name) =>
      !TOP_LEVEL.includes(name) && !TOP_LEVEL_TOO.includes(name)
    )
      .map((name) => `${name} has no place at the top level: put it into a folder that has`),
  ];
}

function fileComplaint({ from, to }: Import, testKit: string | undefined): string | undefined {
  if (to === undefined || from === to) return undefined;
  const layer = layerOf(from);
  const other = layerOf(to);
  if (layer === undefined) return undefined; // said once, about the file
  if (isTest(to)) return `${from} imports ${to}: only tests import tests`;
  const folder = to.slice(0, to.lastIndexOf("/") + 1);
  if (to.slice(folder.length).startsWith("_") && !from.startsWith(folder)) {
    return `${from} imports ${to}: a file that begins with _ is private to its folder`;
  }
  if (layer === "plugins" && to === testKit) return undefined;
  if (layer === "plugins" && other === "plugins") {
    if (from.split("/")[1] === to.split("/")[1]) return undefined;
    return `${from} imports ${to}: plugins never import each other`;
  }
  const allowed = MAY_IMPORT[layer];
  if (other === layer || allowed.includes("*")) return undefined;
  if (other !== undefined && allowed.includes(other)) return undefined;
  return `${from} imports ${to}: ${layer} may import ${
    allowed.join(", ") || "nothing"
  } and itself, ` +
    `not ${other ?? "what is in no layer"}`;
}

function packageComplaint({ from, external }: Import): string | undefined {
  const name = external?.match(/^npm:\/?(.+)$/)?.[1];
  const rule = PACKAGES.find(({ prefix }) => name?.startsWith(prefix));
  const layer = layerOf(from);
  if (rule === undefined || layer === undefined || rule.layers.includes(layer)) return undefined;
  return `${from} imports ${external}: only ${rule.layers.join(", ")} may`;
}

// A plugin's tests are written against the export `./testing`, wherever it lies.
async function testKitOf(root: string): Promise<string | undefined> {
  const { exports } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
  return exports?.["./testing"]?.replace(/^\.\//, "");
}
