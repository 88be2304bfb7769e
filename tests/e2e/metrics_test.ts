import assert from "node:assert/strict";
import { metricsRequest } from "../proto/definitions.ts";
import { collect } from "./collector.ts";

const MAIN = new URL("../../engine/cli/main.ts", import.meta.url).pathname;

const WORKFLOW = `
name: measured
group: { name: one-at-a-time }
max_concurrency: 1
steps:
  - id: first
    needs: []
    run: until test -e go; do sleep 0.05; done
  - id: second
    needs: []
    for_each: { list: [1, 2, 3], batch: 2 }
    run: "true"
  - id: third
    needs: []
    continue_on_error: true
    run: exit 3
finally:
  - id: last
    run: until test -e end; do sleep 0.05; done
`;

interface Engine {
  /** Asks for the page until it says so. */
  says(line: RegExp): Promise<void>;
  readonly ended: Promise<number>;
}

/** Runs the workflow in a process of its own that Prometheus can scrape. */
function start(folder: string, env: Record<string, string>): Engine {
  const port = freePort();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, "run", `${folder}/workflow.yaml`],
    env: {
      SPANLOOP_STORE: `sqlite:${folder}/store.db`,
      NO_COLOR: "1",
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
      ...env,
    },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  let over = false;
  const ended = child.status.then(({ code }) => {
    over = true;
    return code;
  });
  return {
    ended,
    async says(line) {
      for (;;) {
        const page = await fetch(`http://127.0.0.1:${port}/metrics`).then(
          (response) => response.text(),
          () => "",
        );
        if (line.test(page)) return;
        if (over) assert.fail(`the engine ended before ${line}: ${await said}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

const active = (state: string, count: number) =>
  new RegExp(
    `^cicd_pipeline_run_active\\{.*name="measured",cicd_pipeline_run_state="${state}".*\\} ${count}$`,
    "m",
  );
const depth = (kind: string, count: number) =>
  new RegExp(`^spanloop_queue_depth\\{spanloop_queue_kind="${kind}".*\\} ${count}$`, "m");

Deno.test("a process says where its runs are, and sends what it measured at its end", async () => {
  await using collector = collect();
  const folder = await Deno.makeTempDir({ prefix: "spanloop-metrics-" });
  try {
    await Deno.writeTextFile(`${folder}/workflow.yaml`, WORKFLOW);
    const first = start(folder, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_METRICS_EXPORTER: "otlp,prometheus",
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "delta",
    });
    await first.says(active("executing", 1));
    await first.says(depth("attempt", 2));
    const second = start(folder, { OTEL_METRICS_EXPORTER: "prometheus" });
    await second.says(active("pending", 1));
    await second.says(depth("run", 1));
    await second.says(/^cicd_worker_count\{cicd_worker_state="available".*\} 1$/m);
    await first.says(/^cicd_worker_count\{cicd_worker_state="busy".*\} 1$/m);
    await Deno.writeTextFile(`${folder}/go`, "");
    await first.says(active("finalizing", 1));
    await first.says(/^spanloop_item_count_total\{.*outcome="processed".*\} 3$/m);
    await first.says(/^cicd_pipeline_run_errors_total\{.*error_type="shell\.exit".*\} 1$/m);
    await Deno.writeTextFile(`${folder}/end`, "");
    assert.deepEqual(await Promise.all([first.ended, second.ended]), [0, 0]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const points = collector.requests.filter(({ path }) => path === "/v1/metrics")
    .flatMap(({ body }) => histograms(body, "spanloop.attempt.duration"));
  // Deltas: each of the five attempts, two of them at batches, is in one of them.
  assert.equal(points.reduce((sum, { count }) => sum + Number(count), 0), 5);
  const exemplars = points.flatMap(({ exemplars = [] }) => exemplars);
  assert.ok(exemplars.length > 0, "exemplars come with what the SDK does not send");
  for (const { traceId, spanId } of exemplars) {
    const span = collector.spans.find((one) => one.spanId === new Uint8Array(spanId).toHex());
    assert.equal(span?.traceId, new Uint8Array(traceId).toHex(), "an exported span of that trace");
  }
});

interface Point {
  readonly count: string;
  readonly exemplars?: readonly { readonly traceId: Uint8Array; readonly spanId: Uint8Array }[];
}

function histograms(body: Uint8Array, name: string): Point[] {
  const { resourceMetrics } = metricsRequest.decode(body) as {
    resourceMetrics: {
      scopeMetrics: { metrics: { name: string; histogram?: { dataPoints: Point[] } }[] }[];
    }[];
  };
  return resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics)
    .filter((metric) => metric.name === name)
    .flatMap(({ histogram }) => histogram?.dataPoints ?? []);
}
