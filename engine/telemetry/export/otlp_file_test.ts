import assert from "node:assert/strict";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { systemClock } from "../../system.ts";
import { otlpFileSender, otlpStdoutSender } from "./otlp_file.ts";
import type { Sent } from "./sender.ts";

const WRITER = new URL("_test_file_writer.ts", import.meta.url).pathname;
const TEXT = {
  serializeRequest: (items: readonly string[]) => new TextEncoder().encode(items.join()),
};

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function sender(path: string, { maxBytes = 1_000_000, keep = 5 } = {}) {
  return otlpFileSender("traces", { path, maxBytes, keep }, TEXT, systemClock());
}

async function files(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    found[name] = await Deno.readTextFile(`${folder}/${name}`);
  }
  return found;
}

// Runs writers that begin at once; gives back what each says of its lines.
async function write(...commands: readonly Deno.Command[]): Promise<readonly (readonly Sent[])[]> {
  const writers = commands.map((command) => {
    const child = command.spawn();
    return { child, lines: linesOf(child.stdout), stdin: child.stdin.getWriter() };
  });
  for (const { lines } of writers) assert.equal((await lines.next()).value, "ready");
  await Promise.all(writers.map(async ({ stdin }) => {
    await stdin.write(new Uint8Array(1));
    await stdin.close();
  }));
  return await Promise.all(writers.map(async ({ child, lines }) => {
    const sent = (await Array.fromAsync(lines)).map((line): Sent => JSON.parse(line));
    assert.ok((await child.status).success);
    return sent;
  }));
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

function writer(
  args: readonly (string | number)[],
  wrap: readonly string[] = [],
): Deno.Command {
  const [program, ...rest] = [
    ...wrap,
    Deno.execPath(),
    ...["run", "-A", "--no-check", "--quiet", WRITER, ...args.map(String)],
  ];
  return new Deno.Command(program, {
    args: rest,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  });
}

Deno.test("each request is a line of OTLP JSON, in a file for its owner alone", () =>
  inFolder(async (folder) => {
    const memory = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
    provider.getTracer("test").startSpan("first\nline").end();
    provider.getTracer("test").startSpan("second").end();
    await provider.forceFlush();
    const [first, second] = memory.getFinishedSpans();

    const path = `${folder}/deep/{signal}.jsonl`;
    const file = otlpFileSender("traces", { path, maxBytes: 1e6, keep: 1 }, {
      serializeRequest: (spans: readonly typeof first[]) =>
        JsonTraceSerializer.serializeRequest([...spans]),
    }, systemClock());
    assert.equal(file.name, `otlp_file ${folder}/deep/traces.jsonl`);
    assert.deepEqual(await file.send([first]), { status: "ok" });
    assert.deepEqual(await file.send([second]), { status: "ok" });
    await file.close();

    const text = await Deno.readTextFile(`${folder}/deep/traces.jsonl`);
    assert.ok(text.endsWith("\n"));
    const names = text.trimEnd().split("\n").map((line) => {
      const { resourceSpans: [{ scopeSpans: [{ spans }] }] } = JSON.parse(line);
      return spans[0].name;
    });
    assert.deepEqual(names, ["first\nline", "second"]);
    const { mode } = await Deno.stat(`${folder}/deep/traces.jsonl`);
    assert.equal(mode! & 0o777, 0o600);
  }));

Deno.test("signals may share a file", () =>
  inFolder(async (folder) => {
    const settings = { path: `${folder}/all.jsonl`, maxBytes: 1e6, keep: 1 };
    const traces = otlpFileSender("traces", settings, TEXT, systemClock());
    const logs = otlpFileSender("logs", settings, TEXT, systemClock());
    const metrics = otlpFileSender("metrics", settings, TEXT, systemClock());
    await Promise.all([
      traces.send(["t"]),
      logs.send(["l"]),
      metrics.send(["m"]),
      logs.send(["l"]),
    ]);
    for (const sender of [traces, logs, metrics]) await sender.close();
    const { "all.jsonl": text } = await files(folder);
    assert.deepEqual(text.trim().split("\n").sort(), ["l", "l", "m", "t"]);
  }));

Deno.test("a file that would grow too large is set aside, and the oldest one goes", () =>
  inFolder(async (folder) => {
    const file = sender(`${folder}/out.jsonl`, { maxBytes: 10, keep: 2 });
    for (const line of ["1111", "2222", "3333", "4444", "longer than a file", "5555", "6666"]) {
      assert.deepEqual(await file.send([line]), { status: "ok" });
    }
    await file.close();
    assert.deepEqual(await files(folder), {
      "out.jsonl": "5555\n6666\n",
      "out.1.jsonl": "longer than a file\n",
      "out.2.jsonl": "3333\n4444\n",
    });
  }));

Deno.test("without files to keep the old one is removed", () =>
  inFolder(async (folder) => {
    const file = sender(`${folder}/out`, { maxBytes: 5, keep: 0 });
    for (const line of ["1111", "2222"]) await file.send([line]);
    await file.close();
    assert.deepEqual(await files(folder), { out: "2222\n" });
  }));

Deno.test("a file that somebody moved or removed is made anew", () =>
  inFolder(async (folder) => {
    const file = sender(`${folder}/out.jsonl`);
    await file.send(["1"]);
    await Deno.rename(`${folder}/out.jsonl`, `${folder}/moved`);
    await file.send(["2"]);
    await Deno.remove(`${folder}/out.jsonl`);
    await file.send(["3"]);
    await file.close();
    assert.deepEqual(await files(folder), { "out.jsonl": "3\n", moved: "1\n" });
  }));

Deno.test("what a killed process left of a line is ended before the next one", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/out.jsonl`, 'whole\n{"resourceSp');
    const file = sender(`${folder}/out.jsonl`);
    await file.send(["1"]);
    await file.close();
    assert.deepEqual(await files(folder), { "out.jsonl": 'whole\n{"resourceSp\n1\n' });
  }));

Deno.test("several processes write whole lines to one file, through its rotations, and none is lost", () =>
  inFolder(async (folder) => {
    const names = ["a", "b", "c"];
    const lines = 150;
    const sent = await write(
      ...names.map((name) => writer([`${folder}/out.jsonl`, 100_000, 1_000, name, lines])),
    );
    for (const one of sent) assert.deepEqual(one, Array(lines).fill({ status: "ok" }));
    const found = await files(folder);
    const numbers: Record<string, number[]> = { a: [], b: [], c: [] };
    let shared = 0;
    for (const text of Object.values(found)) {
      assert.ok(text.length <= 100_000 && text.endsWith("\n"));
      const records = text.trimEnd().split("\n").map((line) => JSON.parse(line));
      for (const { name, number } of records) numbers[name].push(number);
      if (new Set(records.map(({ name }) => name)).size > 1) shared++;
    }
    for (const name of names) {
      numbers[name].sort((one, other) => one - other);
      assert.deepEqual(numbers[name], Array.from({ length: lines }, (_, number) => number));
    }
    assert.ok(Object.keys(found).length > 10, "the file was rotated");
    assert.ok(shared > 0, "the processes wrote at the same time");
  }));

Deno.test("while another process holds the file the batch is kept, and the wait is bounded (J5)", () =>
  inFolder(async (folder) => {
    await using holder = {
      file: await Deno.open(`${folder}/out.jsonl`, { append: true, create: true }),
      [Symbol.asyncDispose]() {
        this.file.close();
        return Promise.resolve();
      },
    };
    holder.file.lockSync(true);
    // Two seconds pass at each look.
    let now = 0;
    const clock = {
      ...systemClock(),
      monotonic: () => now += 2_000,
    };
    const file = otlpFileSender(
      "traces",
      { path: `${folder}/out.jsonl`, maxBytes: 1e6, keep: 1 },
      TEXT,
      clock,
    );
    assert.deepEqual(await file.send(["1"]), {
      status: "retry",
      message: `Another process holds ${folder}/out.jsonl`,
    });
    holder.file.unlockSync();
    assert.deepEqual(await file.send(["1"]), { status: "ok" });
    await file.close();
    assert.deepEqual(await files(folder), { "out.jsonl": "1\n" });
  }));

Deno.test("where there is no room a batch fails with the reason, nothing of it stays, and the next may go", () =>
  inFolder(async (folder) => {
    const path = `${folder}/out.jsonl`;
    // A limit on the size of files cuts a write short as a full disk does. Line 0 has no filler, line 1 997 bytes of
    // it, line 2 twice that, line 3 would be too much.
    const limited = ["sh", "-c", `trap "" XFSZ; ulimit -f 8; exec "$@"`, "sh"]; // 4 KiB
    const [sent] = await write(writer([path, 1_000_000, 1, "a", 5], limited));
    assert.deepEqual(sent.slice(0, 3), Array(3).fill({ status: "ok" }));
    for (const failed of sent.slice(3)) {
      assert.ok(failed.status === "failed" && /File too large/.test(failed.message), "it says why");
    }
    const text = await Deno.readTextFile(path);
    assert.deepEqual(text.trimEnd().split("\n").map((line) => JSON.parse(line).number), [0, 1, 2]);
    assert.ok(text.endsWith("\n"));
    // There is room again.
    const file = sender(path);
    assert.deepEqual(await file.send(["later"]), { status: "ok" });
    await file.close();
    assert.ok((await Deno.readTextFile(path)).endsWith("}\nlater\n"));
  }));

Deno.test("a full device, a path that cannot be: the batch fails with the reason", () =>
  inFolder(async (folder) => {
    const failure = async (path: string) => {
      const file = sender(path);
      const sent = await file.send(["1"]);
      await file.close();
      return sent.status === "failed" ? sent.message : sent.status;
    };
    assert.match(await failure("/dev/full"), /No space left on device/);
    assert.match(await failure(folder), /Is a directory/);
    await Deno.writeTextFile(`${folder}/file`, "");
    assert.match(await failure(`${folder}/file/out.jsonl`), /Not a directory/);
    const file = otlpFileSender(
      "logs",
      { path: `${folder}/none`, maxBytes: 1, keep: 1 },
      { serializeRequest: () => undefined },
      systemClock(),
    );
    assert.deepEqual(await file.send([1]), {
      status: "failed",
      message: "It cannot be serialized",
    });
  }));

Deno.test("otlp/stdout writes a line a request", async () => {
  const written: string[] = [];
  const out = otlpStdoutSender(
    "logs",
    (line) => void written.push(new TextDecoder().decode(line)),
    TEXT,
  );
  assert.deepEqual(await out.send(["a", "b"]), { status: "ok" });
  assert.deepEqual(written, ["a,b\n"]);
  const broken = otlpStdoutSender("logs", () => Promise.reject(new TypeError("closed")), TEXT);
  assert.deepEqual(await broken.send(["a"]), { status: "failed", message: "closed" });
});
