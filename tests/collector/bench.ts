/**
 * `deno task test:collector --bench [--rounds N]`: how many spans a second the collector and `spanloop receive` take
 * in on one core, in protobuf and in JSON. Prints figures and judges nothing.
 *
 * The collector drops what it has decoded; the receiver has stored it, synced, before it answers. Beside both stands
 * what the receiver's decoder does alone. Figures are per second of processor time, of all the process's threads, so
 * that what else the machine does matters less; both processes are bound to one core where there is taskset.
 */
import { parseArgs } from "node:util";
import { decodeTraces, type Encoding } from "../../engine/telemetry/otlp/decode.ts";
import { figure, shown, spread } from "../bench/figures.ts";
import { machineLine } from "../bench/machine.ts";
import { VERSION } from "./build.ts";
import { collectorPath } from "./path.ts";
import { receiveCommand } from "./receiver.ts";
import { startCollector } from "./running.ts";
import { SpanBatches } from "./span_batches.ts";

const SPANS_A_REQUEST = 512;
const REQUESTS = 200;
const WARM_UP = 40;
const AT_ONCE = 4;
const TYPES: Readonly<Record<Encoding, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { rounds: { type: "string", default: "3" } } });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError("--rounds takes a whole number");
  }
  console.log(await machineLine(Deno.env.get("TMPDIR") ?? "/tmp"));
  for (const encoding of ["protobuf", "json"] as const) {
    const batches = new SpanBatches(encoding, SPANS_A_REQUEST);
    console.log(
      `\n${encoding}: requests of ${SPANS_A_REQUEST} spans, ${figure(batches.bytes)} bytes each`,
    );
    const [theirs, ours, alone]: [Taken[], Taken[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      await using collector = await startCollector(collectorPath(), undefined, {
        env: { GOMAXPROCS: "1" },
      });
      theirs.push(await send(collector.http, collector.pid, encoding, batches));
      await using receiver = await receiveCommand();
      ours.push(await send(receiver.endpoint, receiver.pid, encoding, batches));
      alone.push(decodeAlone(encoding, batches));
    }
    const row = (who: string, taken: readonly Taken[]) =>
      console.log(
        `  ${who}: ${
          shown(spread(taken.map(({ perCpuSecond }) => perCpuSecond)))
        } spans per second of ` +
          `processor time; ${shown(spread(taken.map(({ perSecond }) => perSecond)))} by the clock`,
      );
    row(`collector ${VERSION}, decoded and dropped`, theirs);
    row("spanloop receive, decoded and stored", ours);
    console.log(
      `  the receiver's decoder alone: ${shown(spread(alone))} spans per second by the clock`,
    );
  }
}

interface Taken {
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

async function send(
  endpoint: string,
  pid: number,
  encoding: Encoding,
  batches: SpanBatches,
): Promise<Taken> {
  await bind(pid);
  const post = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const response = await fetch(`${endpoint}/v1/traces`, {
        method: "POST",
        headers: { "content-type": TYPES[encoding] },
        body: batches.next(),
      });
      const answer = await response.text();
      // A partial success would be an answer, too: in protobuf nothing is left out of it.
      if (response.status !== 200 || answer.length > '{"partialSuccess":{}}'.length) {
        throw new Error(`${response.status}: ${answer}`);
      }
    }
  };
  const many = (count: number) =>
    Promise.all(Array.from({ length: AT_ONCE }, () => post(count / AT_ONCE)));
  await many(WARM_UP);
  const [cpu, from] = [await cpuSeconds(pid), performance.now()];
  await many(REQUESTS);
  const seconds = (performance.now() - from) / 1e3;
  const spans = REQUESTS * SPANS_A_REQUEST;
  return { perCpuSecond: spans / (await cpuSeconds(pid) - cpu), perSecond: spans / seconds };
}

function decodeAlone(encoding: Encoding, batches: SpanBatches): number {
  for (let i = 0; i < WARM_UP; i++) decodeTraces(batches.next(), encoding);
  let ms = 0;
  for (let i = 0; i < REQUESTS; i++) {
    const batch = batches.next();
    const from = performance.now();
    const { spans } = decodeTraces(batch, encoding);
    ms += performance.now() - from;
    if (spans.length !== SPANS_A_REQUEST) throw new Error(`${spans.length} spans were decoded`);
  }
  return REQUESTS * SPANS_A_REQUEST / ms * 1e3;
}

// Leaves the other core to the sender.
async function bind(pid: number): Promise<void> {
  try {
    await new Deno.Command("taskset", {
      args: ["--all-tasks", "--cpu-list", "--pid", "0", String(pid)],
      stdout: "null",
      stderr: "null",
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

// User and system time of all threads, in ticks of 10 ms (proc(5), fields 14 and 15).
async function cpuSeconds(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

if (import.meta.main) await main(Deno.args);
