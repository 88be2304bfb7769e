/**
 * `deno task ok`: every check in turn, at the end the tests and the telemetry that they have written. A check
 * that fails does not keep the others from running, so that one run shows all there is to mend. Exits 1 when
 * any has failed.
 */

interface Check {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

// Whatever engine the tests start writes its telemetry to that file, to be held against the conventions.
const checks = (telemetry: string): readonly Check[] => [
  { name: "lock", args: ["install", "--frozen", "--quiet"] },
  { name: "fmt", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "check", args: ["check", "--quiet"] },
  { name: "doc lint", args: ["doc", "--lint", "mod.ts", "engine/testing.ts", "engine/engine.ts"] },
  { name: "generated: semconv", args: ["run", "-A", "semconv/generate.ts", "--check"] },
  {
    name: "generated: validator",
    args: ["run", "-A", "engine/spec/generate_validator.ts", "--check"],
  },
  // The layer table is among the tests; CI counts those from this summary, the last one.
  {
    name: "test",
    args: ["task", "--quiet", "test"],
    env: {
      SPANLOOP_OTLP_FILE: telemetry,
      // One file: what is set aside would be deleted in the end.
      SPANLOOP_OTLP_FILE_MAX_BYTES: "2000000000",
    },
  },
  { name: "conventions", args: ["run", "-A", "tests/conventions/check.ts", telemetry] },
];

async function passes({ name, args, env = {} }: Check): Promise<boolean> {
  console.log(`── ${name}`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { ...env },
    cwd: new URL("..", import.meta.url),
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return success;
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-ok-" });
  const failed: string[] = [];
  for (const check of checks(`${folder}/telemetry.jsonl`)) {
    if (!await passes(check)) failed.push(check.name);
  }
  console.log(failed.length === 0 ? "── all is well" : `── failed: ${failed.join(", ")}`);
  if (failed.length > 0) Deno.exit(1);
  await Deno.remove(folder, { recursive: true });
}
