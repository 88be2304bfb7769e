/** One import, static or dynamic, of a value or of a type. */
export interface Import {
  /** The importing file's path in the repository. */
  readonly from: string;
  /** The imported file's path in the repository, if it is one. */
  readonly to?: string;
  /** The package or other address, if it is none. */
  readonly external?: string;
}

/** The files of a repository and what they import. */
export interface Graph {
  /** Every file that is not a test, by its path, sorted. */
  readonly files: readonly string[];
  /** In the order of the files. */
  readonly imports: readonly Import[];
  /** Files that could not be read as modules, each with the reason. */
  readonly broken: readonly string[];
}

interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: Resolved;
      readonly type?: Resolved;
    }[];
  }[];
}

interface Resolved {
  readonly specifier?: string;
  readonly error?: string;
}

// tests/ holds what crosses modules on purpose: no row of the table is about it.
const FOLDERS = ["engine", "plugins", "semconv", "workflows"];

/** Whether a path is a test's, or what the tests of a folder share: no row of the table is about it. */
export function isTest(path: string): boolean {
  return path.startsWith("tests/") || /_test\.ts$|\/_test_\w+\.ts$/.test(path);
}

/** Reads the import graph of every module of the repository in `root`, an absolute path. */
export async function readGraph(root: string): Promise<Graph> {
  const files = ["mod.ts"].filter((name) => exists(`${root}/${name}`));
  for (const folder of FOLDERS) await collect(root, folder, files);
  files.sort();
  const info = await denoInfo(root, files);
  const prefix = `file://${encodeURI(root)}/`;
  const pathOf = (url: string) =>
    url.startsWith(prefix) ? decodeURI(url.slice(prefix.length)) : undefined;
  const imports: Import[] = [];
  const broken: string[] = [];
  for (const { specifier, error, dependencies = [] } of info.modules) {
    const from = pathOf(specifier);
    if (from === undefined) continue; // the generated entry, or a package
    if (error !== undefined) broken.push(`${from} cannot be imported: ${error}`);
    for (const { specifier: written, code, type } of dependencies) {
      for (const target of [code, type]) {
        if (target === undefined) continue;
        if (target.specifier === undefined) {
          broken.push(`${from} imports ${written}: ${target.error ?? "it does not resolve"}`);
          continue;
        }
        const to = pathOf(target.specifier);
        imports.push(to === undefined ? { from, external: target.specifier } : { from, to });
      }
    }
  }
  imports.sort((a, b) => a.from < b.from ? -1 : a.from > b.from ? 1 : 0);
  return { files, imports, broken };
}

// `deno info` takes one file, so one is made that imports all. Packages are not resolved: their names suffice.
async function denoInfo(root: string, files: readonly string[]): Promise<Info> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      entry,
      files.map((file) => `import ${JSON.stringify(`file://${encodeURI(`${root}/${file}`)}`)};\n`)
        .join(""),
    );
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--no-lock", "--no-npm", "--config", `${root}/deno.json`, entry],
      env: { NO_COLOR: "1" },
    }).output();
    if (!success) throw new TypeError(new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(entry);
  }
}

async function collect(root: string, folder: string, files: string[]): Promise<void> {
  if (!exists(`${root}/${folder}`)) return;
  for await (const { name, isDirectory, isFile } of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory && !name.startsWith(".") && name !== "node_modules") {
      await collect(root, path, files);
    } else if (isFile && /\.(ts|js)$/.test(name) && !isTest(path)) files.push(path);
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
