// The command line as a process of its own, for tests.
import assert from "node:assert/strict";

/** The command line's entry. */
export const MAIN = new URL("./main.ts", import.meta.url).pathname;
/** Bytes to text. */
export const decoder = new TextDecoder();

/** What became of a process. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The workflows that every folder of `inFolder` has. */
export const FLOWS: Readonly<Record<string, string>> = {
  "one.yaml": `name: one
params:
  who: { type: string, default: world }
  n: { type: integer, default: 1 }
steps:
  - id: hello
    run: echo hello \${{ params.who }}
outputs:
  said: \${{ steps.hello.outputs.stdout }}
`,
  "failing.yaml": `name: failing
steps:
  - id: good
    run: echo fine
  - id: bad
    run: |
      printf 'first\\n\\033[31mlast words\\033[0m\\n'
      test -e fixed
  - id: never
    run: echo never
`,
  "slow.yaml": `name: slow
steps:
  - id: nap
    run: echo napping && exec sleep 60
finally:
  - id: tidy
    run: sleep 0.4; echo tidy > tidied
`,
  "bad.yaml": `name: bad
stepps:
  - id: x
    run: echo
`,
  "items.yaml": `name: items
steps:
  - id: each
    for_each: { list: [1, 2, 3, 4, 5], batch: 2 }
    run: cat
`,
};

/** Runs a test in a folder of its own. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(FLOWS)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The command line with these arguments, not started yet. */
export function command(
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", "--no-check", MAIN, ...args],
    ...settings(folder, env),
  });
}

// What `deno task ok` sets so that all telemetry is checked.
const TELEMETRY = ["SPANLOOP_OTLP_FILE", "SPANLOOP_OTLP_FILE_MAX_BYTES"];

/** How a process is started in a folder: in a bare environment, since `deno task test` sets INIT_CWD. */
export function settings(folder: string, env: Record<string, string>): Deno.CommandOptions {
  const kept = ["PATH", "HOME", "DENO_DIR", ...TELEMETRY].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return {
    cwd: folder,
    clearEnv: true,
    env: { ...Object.fromEntries(kept), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  };
}

/** Runs the command line to its end. */
export async function cli(
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await command(folder, args, env).output();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const root = Deno.uid() === 0;

/** Whether `withoutRights` can do what it says: root's right to write everything has to be withdrawn. */
export const canWithdraw = Deno.build.os === "linux" &&
  (!root ||
    new Deno.Command("sh", { args: ["-c", "setpriv --bounding-set=-all true"], stderr: "null" })
      .outputSync().success);

/** The command line as somebody whom file modes bind, also where the tests run as root. */
export async function withoutRights(folder: string, args: readonly string[]): Promise<Ended> {
  if (!root) return await cli(folder, args);
  const deno = [Deno.execPath(), "run", "-A", "--no-prompt", "--no-check", MAIN];
  const { code, stdout, stderr } = await new Deno.Command("setpriv", {
    args: ["--bounding-set=-all", ...deno, ...args],
    ...settings(folder, {}),
  }).output();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Starts the command line and follows its stderr. */
export function started(folder: string, args: readonly string[]) {
  const child = command(folder, args).spawn();
  const reader = child.stderr.getReader();
  let err = "";
  const until = async (text: string) => {
    while (!err.includes(text)) {
      const { value, done } = await reader.read();
      assert.ok(!done, `it ended before it said ${text}: ${err}`);
      err += decoder.decode(value, { stream: true });
    }
  };
  const end = async (): Promise<Ended> => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      err += decoder.decode(value, { stream: true });
    }
    const [{ code }, out] = await Promise.all([child.status, new Response(child.stdout).text()]);
    return { code, out, err };
  };
  return { child, until, end };
}
