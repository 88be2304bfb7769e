/**
 * `deno task ok`: every check in turn, the tests last. A check that fails does not keep the others from
 * running, so that one run shows all there is to mend. Exits 1 when any has failed.
 */

interface Check {
  readonly name: string;
  readonly args: readonly string[];
}

const CHECKS: readonly Check[] = [
  { name: "lock", args: ["install", "--frozen", "--quiet"] },
  { name: "fmt", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "check", args: ["check", "--quiet"] },
  { name: "doc lint", args: ["doc", "--lint", "mod.ts", "engine/engine.ts"] },
  { name: "generated: semconv", args: ["run", "-A", "semconv/generate.ts", "--check"] },
  {
    name: "generated: validator",
    args: ["run", "-A", "engine/spec/generate_validator.ts", "--check"],
  },
  // The layer table is among the tests; CI counts those from this summary, the last one.
  { name: "test", args: ["task", "--quiet", "test"] },
];

async function passes({ name, args }: Check): Promise<boolean> {
  console.log(`── ${name}`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: new URL("..", import.meta.url),
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return success;
}

if (import.meta.main) {
  const failed: string[] = [];
  for (const check of CHECKS) {
    if (!await passes(check)) failed.push(check.name);
  }
  console.log(failed.length === 0 ? "── all is well" : `── failed: ${failed.join(", ")}`);
  if (failed.length > 0) Deno.exit(1);
}
