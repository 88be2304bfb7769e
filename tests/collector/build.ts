import { dirname } from "node:path";

/** The collector's version, and the builder's; its stable modules have a line of their own. */
export const VERSION = "0.162.0";
const STABLE = "1.68.0";
const MODULE = "go.opentelemetry.io/collector";

// The newest version of which Go's module proxy has every module.
const MANIFEST = `dist:
  name: otelcol
  description: The collector that Spanloop is tested with
  version: ${VERSION}
  output_path: ./dist
receivers:
  - gomod: ${MODULE}/receiver/otlpreceiver v${VERSION}
exporters:
  - gomod: ${MODULE}/exporter/otlphttpexporter v${VERSION}
  - gomod: ${MODULE}/exporter/nopexporter v${VERSION}
providers:
  - gomod: ${MODULE}/confmap/provider/envprovider v${STABLE}
`;

/** A collector that can be run, or why there is none. */
export type Built = { readonly path: string } | { readonly missing: string };

/**
 * The OpenTelemetry Collector's executable, built of its published modules by the project's own builder, once
 * into `spanloop-tests/` of the user's cache folder. Throws when it cannot be built though all is there.
 */
export async function buildCollector(): Promise<Built> {
  const folder = `${cacheFolder()}/spanloop-tests/otelcol-${VERSION}-${await digest(MANIFEST)}`;
  const path = `${folder}/otelcol`;
  if (await exists(path)) return { path };
  const go = await run("go", ["version"], { cwd: Deno.cwd() });
  if (go === undefined) return { missing: "there is no `go` on the PATH to build it with" };
  console.log(`Building the OpenTelemetry Collector ${VERSION}, once: this takes minutes`);
  await Deno.mkdir(dirname(folder), { recursive: true });
  // Under its name only when it is whole: others may build at the same time.
  const work = await Deno.makeTempDir({ dir: dirname(folder), prefix: "building-" });
  try {
    const builder = await run("go", ["install", `${MODULE}/cmd/builder@v${VERSION}`], {
      cwd: work,
      env: { GOBIN: work },
    });
    if (!builder!.success) return unreachable(builder!.said);
    await Deno.writeTextFile(`${work}/manifest.yaml`, MANIFEST);
    const built = await run(`${work}/builder`, ["--config", "manifest.yaml"], { cwd: work });
    if (!built!.success) return unreachable(built!.said);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.rename(`${work}/dist/otelcol`, path);
    return { path };
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

// What go says when a module cannot be had; anything else is a fault.
const NOT_HAD =
  /dial tcp|no such host|i\/o timeout|TLS handshake|proxyconnect|connection re(fused|set)|GOPROXY=off|(403|404|410|5\d\d) [A-Z]/;

function unreachable(said: string): Built {
  const line = said.split("\n").find((line) => NOT_HAD.test(line));
  if (line === undefined) throw new Error(`The collector could not be built:\n${said}`);
  return { missing: `its modules cannot be had from Go's module proxy: ${line.trim()}` };
}

function cacheFolder(): string {
  const home = Deno.env.get("HOME");
  return Deno.env.get("XDG_CACHE_HOME") || (home === undefined ? "/tmp" : `${home}/.cache`);
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(bytes).toHex().slice(0, 8);
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Undefined: there is no such program. */
async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Record<string, string> },
): Promise<{ readonly success: boolean; readonly said: string } | undefined> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      ...options,
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { success, said: text(stdout) + text(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
