import assert from "node:assert/strict";
import { collect } from "./collector.ts";

const MAIN = new URL("../../engine/cli/main.ts", import.meta.url).pathname;
const WORKFLOWS = new URL("../../workflows", import.meta.url).pathname;

// Each is a secret in a place of its own; none may come out anywhere.
const PLANTED = {
  environment: "planted-in-the-environment-3141",
  parameter: "planted+in a/parameter=2718",
  file: "planted-in-a-file-1618",
  url: "planted-in-a-url-1414",
  query: "planted-in-a-query-1732",
  exporter: "planted-in-the-exporter-2236",
  command: "planted-in-a-command-2645",
};

// How a secret may look once something has encoded it.
function forms(secret: string): readonly string[] {
  return [
    secret,
    encodeURIComponent(secret),
    btoa(secret).replace(/=+$/, ""),
    secret.toUpperCase(),
  ];
}

const SECRETS = Object.entries(PLANTED).flatMap(([where, secret]) =>
  forms(secret).map((form) => [where, form] as const)
);

function assertClean(what: string, bytes: Uint8Array | string, but: readonly string[] = []): void {
  const text = typeof bytes === "string" ? bytes : new TextDecoder("latin1").decode(bytes);
  for (const [where, form] of SECRETS) {
    if (but.includes(where)) continue;
    const at = text.indexOf(form);
    assert.ok(at < 0, `${what} shows what was ${where}: …${text.slice(Math.max(0, at - 80), at)}…`);
  }
}

// What the workflow's own text holds.
const WRITTEN = ["url", "query", "command"];

// A workflow that lets its secrets slip wherever it can.
const CARELESS = (origin: string) => `
name: careless
params:
  token: { type: secret, from: { env: CARELESS_TOKEN } }
  key: { type: secret, from: { file: key } }
  origin: { type: string, default: "${origin}" }
baggage: { team: data }
steps:
  - id: shout
    span: { name: shout, attributes: { note: "with \${{ params.token }}" } }
    env: { TOKEN: "\${{ params.token }}" }
    run: |
      echo "$TOKEN"; echo "$TOKEN" >&2; printf %s "$TOKEN" | base64
      : ${PLANTED.command}
      echo "said=$TOKEN" >> "$SPANLOOP_OUTPUT"
  - id: die
    needs: []
    continue_on_error: true
    run: echo \${{ params.key }} >&2; exit 3
  - id: script
    needs: []
    continue_on_error: true
    uses: script
    with: { module: ./careless.ts, token: "\${{ params.token }}" }
  - id: ask
    needs: []
    continue_on_error: true
    uses: http
    with:
      url: "\${{ params.origin }}missing?key=${PLANTED.query}&token=\${{ params.token }}"
      headers: { authorization: "Bearer \${{ params.token }}" }
  - id: call
    needs: []
    continue_on_error: true
    uses: http
    with: { url: "http://user:${PLANTED.url}@127.0.0.1:9/gone" }
  - id: found
    needs: []
    uses: emit
    with: { name: finding, attributes: { token: "\${{ params.token }}" } }
  - id: nested
    needs: []
    continue_on_error: true
    uses: workflow
    with: { file: ./nested.yaml }
on_failure:
  - id: tell
    run: echo \${{ run.error.message }}
`;
const NESTED = `
name: nested
params:
  token: { type: secret, from: { env: CARELESS_TOKEN } }
steps:
  - id: deep
    run: echo deep \${{ params.token }}; exit 4
`;
const SCRIPT = `
export default ({ with: { token }, log }) => {
  log(\`script has \${token}\`);
  throw new TypeError(\`cannot use \${token}\`);
};
`;

async function everySignal(
  folder: string,
  file: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<void> {
  await using collector = collect();
  const all = "otlp,otlp_file,console";
  const environment = {
    NO_COLOR: "1",
    SPANLOOP_STORE: `sqlite:${folder}/.store/store.db`,
    PLANTED: PLANTED.environment,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_HEADERS: `x-key=${PLANTED.exporter}`,
    OTEL_TRACES_EXPORTER: all,
    OTEL_METRICS_EXPORTER: all,
    OTEL_LOGS_EXPORTER: all,
    OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN: "logs/dup",
    SPANLOOP_OTLP_FILE: `${folder}/.store/{signal}.jsonl`,
    ...env,
  };
  const spanloop = async (...command: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", MAIN, ...command],
      env: environment,
    }).output();
    const name = `${file}: ${command[0]}`;
    // What a step was given is shown to whoever may read the store; its author wrote the rest down there.
    assertClean(`${name}'s stdout`, stdout, command[0] === "show" ? WRITTEN : []);
    assertClean(`${name}'s stderr`, stderr);
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  };
  const ran = await spanloop("run", `${folder}/${file}`, "--log-format", "json", ...args);
  assert.notEqual(ran.code, 2, ran.err);
  await spanloop("show", "last");
  await spanloop("show", "last", "--json");
  await spanloop("runs", "--json");
  await spanloop("otel", "status");
  await spanloop("otel", "test");
  assert.ok(collector.spans.length > 0 && collector.logs.length > 0 && collector.metrics.size > 0);
  for (const { path, body } of collector.requests) assertClean(`${file}: ${path}`, body);
  // The store keeps the workflow's text, and with it what its author wrote down there.
  for (const { name } of Deno.readDirSync(`${folder}/.store`)) {
    const written = name.startsWith("store.db") ? WRITTEN : [];
    if (!Deno.statSync(`${folder}/.store/${name}`).isFile) continue;
    assertClean(`${file}: ${name}`, Deno.readFileSync(`${folder}/.store/${name}`), written);
  }
}

Deno.test("a workflow that lets secrets slip shows them in no signal and no output (J6, V4)", async () => {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-privacy-" });
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => new Response(request.headers.get("authorization"), { status: 404 }),
  );
  try {
    Deno.mkdirSync(`${folder}/.store`);
    Deno.writeTextFileSync(
      `${folder}/careless.yaml`,
      CARELESS(`http://127.0.0.1:${server.addr.port}/`),
    );
    Deno.writeTextFileSync(`${folder}/nested.yaml`, NESTED);
    Deno.writeTextFileSync(`${folder}/careless.ts`, SCRIPT);
    Deno.writeTextFileSync(`${folder}/key`, PLANTED.file);
    await everySignal(folder, "careless.yaml", [], { CARELESS_TOKEN: PLANTED.parameter });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// What an example needs to be quick, or at all.
const ARGS: Readonly<Record<string, readonly string[]>> = {
  "quickstart.yaml": ["-p", "batch_size=2000"],
  "checksum.yaml": ["-p", "file=data/flights.ndjson"],
};

for (const { name } of [...Deno.readDirSync(WORKFLOWS)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (!name.endsWith(".yaml")) continue;
  Deno.test(`example ${name}: no signal and no output shows a planted secret`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "spanloop-privacy-" });
    try {
      await copy(WORKFLOWS, folder);
      Deno.mkdirSync(`${folder}/.store`);
      await everySignal(folder, name, ARGS[name] ?? [], {});
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function copy(from: string, to: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (name.startsWith(".") || name === "out") continue;
    if (!isDirectory) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
    else {
      await Deno.mkdir(`${to}/${name}`);
      await copy(`${from}/${name}`, `${to}/${name}`);
    }
  }
}
