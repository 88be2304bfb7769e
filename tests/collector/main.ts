/**
 * `deno task test:collector [--bench]`: builds the OpenTelemetry Collector, once, and holds the engine and its
 * receiver against it; with --bench prints how much both take in. Where it cannot be built this says so and exits 0.
 */
import { buildCollector, VERSION } from "./build.ts";
import { COLLECTOR_PATH } from "./path.ts";

// Named unlike tests, so that `deno task test` does not look for a collector.
const TESTS = ["signals.ts", "onward.ts", "certificates.ts", "bad_input.ts"];

async function main(args: readonly string[]): Promise<number> {
  const built = await buildCollector();
  if ("missing" in built) {
    console.log(`SKIPPED: nothing was held against the OpenTelemetry Collector: ${built.missing}`);
    return 0;
  }
  console.log(`OpenTelemetry Collector ${VERSION}: ${built.path}`);
  const bench = args.includes("--bench");
  const rest = args.filter((arg) => arg !== "--bench");
  const here = (name: string) => new URL(name, import.meta.url).pathname;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: bench
      ? ["run", "-A", "--no-check", here("bench.ts"), ...rest]
      : ["test", "-A", "--no-check", ...rest, ...TESTS.map(here)],
    env: { [COLLECTOR_PATH]: built.path },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
