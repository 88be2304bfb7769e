import assert from "node:assert/strict";
import * as keys from "../../../semconv/attributes.ts";
import type { PluginMeasure } from "../plugin_measure.ts";
import { metrics as global } from "@opentelemetry/api";
import type { Activity } from "../activity.ts";
import { histogramOf, measure, metricOf, RUN, started, values } from "./_fixture_test.ts";

const PENDING = { "cicd.pipeline.name": "orders", "cicd.pipeline.run.state": "pending" };

Deno.test("a run's time in the queue and its duration are measured by state and result", async () => {
  const { span, collect, batches, shutdown } = measure();
  // Its id says that it was created 2 s before it began.
  span({ role: "run", number: 1, at: 2_000_000_000n }, 40);
  span({ role: "run", number: 2 }, 3, { outcome: "failed", code: "shell.exit" });
  await collect();
  const { points, unit } = histogramOf(batches[0], "cicd.pipeline.run.duration");
  assert.equal(unit, "s");
  assert.deepEqual(points.map(({ attributes, count, sum }) => ({ attributes, count, sum })), [
    { attributes: PENDING, count: 2, sum: 2 },
    {
      attributes: {
        ...PENDING,
        "cicd.pipeline.run.state": "executing",
        "cicd.pipeline.result": "success",
      },
      count: 1,
      sum: 40,
    },
    {
      attributes: {
        ...PENDING,
        "cicd.pipeline.run.state": "executing",
        "cicd.pipeline.result": "failure",
        "error.type": "shell.exit",
      },
      count: 1,
      sum: 3,
    },
  ]);
  await shutdown(1_000);
});

Deno.test("spans are counted by name and outcome, attempts by step and result", async () => {
  const { span, collect, batches, shutdown } = measure();
  span({ number: 1, name: "orders.load" }, 0.2);
  span({ number: 2, name: "orders.load" }, 0.2);
  span({ number: 3, name: "orders.load" }, 0.2, { outcome: "timed_out", code: "timeout" });
  span({ number: 4, role: "emit", name: "said" }, 0);
  await collect();
  assert.deepEqual(values(batches[0], "spanloop.span.count"), {
    "orders.load succeeded": 2,
    "orders.load timed_out": 1,
    "said succeeded": 1,
  });
  const { points } = histogramOf(batches[0], "spanloop.attempt.duration");
  assert.deepEqual(
    points.map(({ attributes, count }) => [Object.values(attributes).join(" "), count]),
    [["orders load success", 2], ["orders load timeout", 1]],
  );
  await shutdown(1_000);
});

Deno.test("a batch and its items count once, by the last attempt at it (S5)", async () => {
  const { span, collect, batches, shutdown } = measure();
  const range = { from: 0, to: 20 };
  span({ number: 1, range }, 1, {
    outcome: "failed",
    code: "shell.exit",
    items: { processed: 0, failed: 20 },
    retryAt: 5n,
  });
  span({ number: 2, range }, 1, { outcome: "interrupted" });
  span({ number: 3, range }, 1, { items: { processed: 18, failed: 2 } });
  span({ number: 4, role: "step" }, 3, { items: { processed: 18, failed: 2 } });
  await collect();
  assert.deepEqual(values(batches[0], "spanloop.batch.count"), { "orders load success": 1 });
  assert.deepEqual(values(batches[0], "spanloop.item.count"), {
    "orders load processed": 18,
    "orders load failed": 2,
  });
  assert.deepEqual(values(batches[0], "cicd.system.errors"), { "engine interrupted": 1 });
  await shutdown(1_000);
});

Deno.test("errors are counted where they happen: an attempt's failure is not the step's and the run's again", async () => {
  const { span, collect, batches, shutdown } = measure();
  const shell = { outcome: "failed", code: "shell.exit" } as const;
  span({ number: 1, range: { from: 0, to: 1 } }, 1, {
    ...shell,
    items: { processed: 0, failed: 1 },
  });
  span({ number: 2, role: "step" }, 1, { ...shell, items: { processed: 0, failed: 1 } });
  span({ number: 3, role: "run" }, 1, shell);
  span({ number: 4, role: "step" }, 0, { outcome: "failed", code: "source.missing" });
  span({ number: 5, role: "skip" }, 0, { outcome: "failed", code: "expression" });
  span({ number: 6, role: "run" }, 9, { outcome: "timed_out", code: "timeout" });
  span({ number: 7 }, 1, { outcome: "cancelled", code: "cancelled" });
  await collect();
  assert.deepEqual(values(batches[0], "cicd.pipeline.run.errors"), {
    "orders shell.exit": 1,
    "orders source.missing": 1,
    "orders expression": 1,
    "orders timeout": 1,
  });
  await shutdown(1_000);
});

Deno.test("active runs, the worker and the queues are as the runners say at the collection", async () => {
  const { metrics, collect, batches, shutdown } = measure();
  let activity: Activity = {
    runs: [
      { workflow: "orders", state: "executing" },
      { workflow: "orders", state: "executing" },
      { workflow: "orders", state: "pending" },
      { workflow: "mail", state: "finalizing" },
    ],
    waitingAttempts: 3,
  };
  const forget = metrics.observe(() => activity);
  metrics.observe(() => ({ runs: [{ workflow: "mail", state: "executing" }], waitingAttempts: 1 }));
  await collect();
  assert.deepEqual(values(batches[0], "cicd.pipeline.run.active"), {
    "orders pending": 1,
    "orders executing": 2,
    "orders finalizing": 0,
    "mail pending": 0,
    "mail executing": 1,
    "mail finalizing": 1,
  });
  assert.deepEqual(values(batches[0], "cicd.worker.count"), { busy: 1, available: 0 });
  assert.deepEqual(values(batches[0], "spanloop.queue.depth"), { run: 1, attempt: 4 });
  const active = metricOf(batches[0], "cicd.pipeline.run.active");
  assert.ok(active?.kind === "sum" && !active.monotonic && active.unit === "{run}");
  // A run that was lost to another process, or has ended, is no longer in hand: its workflow counts 0.
  activity = { runs: [], waitingAttempts: 0 };
  await collect();
  assert.equal(values(batches[1], "cicd.pipeline.run.active")["orders executing"], 0);
  forget();
  await shutdown(1_000);
  assert.equal(values(batches[2], "spanloop.queue.depth")["attempt"], 1);
});

Deno.test("bus lag is the time from a commit's end to a record's delivery", async () => {
  const { bus, clock, collect, batches, shutdown } = measure();
  // Heard before the metrics, since it came before: it takes 30 ms a record.
  const slow = measure({}, { clock });
  bus.subscribe(() => clock.turn(30));
  slow.metrics.listen(bus);
  const [one, two] = [started({ number: 1 }), started({ number: 2 })];
  bus.publish([one, two]);
  await collect();
  await slow.collect();
  const lags = (from: typeof batches) => {
    const [{ count, sum }] = histogramOf(from[0], "spanloop.bus.lag").points;
    return { count, sum: Number(sum.toFixed(6)) };
  };
  assert.deepEqual(lags(batches), { count: 2, sum: 0.03 }, "0 and 30 ms");
  assert.deepEqual(lags(slow.batches), { count: 2, sum: 0.09 }, "30 and 60 ms");
  await Promise.all([shutdown(1_000), slow.shutdown(1_000)]);
});

Deno.test("what was dropped, received and broken is counted by its reason", async () => {
  const { metrics, collect, batches, shutdown } = measure();
  const sender = "otlp http://localhost:4318/v1/traces";
  metrics.dropped({ signal: "traces", sender, count: 5, reason: "queue_full", message: "" });
  metrics.dropped({ signal: "traces", sender, count: 2, reason: "queue_full", message: "" });
  metrics.received({ signal: "traces", accepted: 9, rejected: 2, reason: "duplicate" });
  metrics.received({ signal: "logs", rejected: 1 });
  metrics.systemError("telemetry", "otlp.certificate");
  await collect();
  assert.deepEqual(values(batches[0], "spanloop.export.dropped"), {
    [`traces ${sender} queue_full`]: 7,
  });
  assert.deepEqual(values(batches[0], "spanloop.receiver.accepted"), { traces: 9 });
  assert.deepEqual(values(batches[0], "spanloop.receiver.rejected"), {
    "traces duplicate": 2,
    "logs invalid": 1,
  });
  assert.deepEqual(values(batches[0], "cicd.system.errors"), { "telemetry otlp.certificate": 1 });
  await shutdown(1_000);
});

Deno.test("a plugin's calls are measured, its actions counted by what became of them", async () => {
  const { metrics, collect, batches, shutdown } = measure();
  metrics.plugins.called("slow_step", 0.00002);
  metrics.plugins.called("slow_step", -1);
  metrics.plugins.called("other", 0.2);
  metrics.plugins.acted("slow_step", "carried_out", 3);
  metrics.plugins.acted("slow_step", "carried_out", 1);
  metrics.plugins.acted("slow_step", "rate", 40);
  metrics.plugins.acted("other", "grant", 0);
  await collect();
  const { points } = histogramOf(batches[0], "spanloop.plugin.duration");
  assert.deepEqual(
    points.map(({ attributes, count, sum }) => [attributes, count, sum]),
    [
      [{ "spanloop.plugin.name": "slow_step" }, 2, 0.00002],
      [{ "spanloop.plugin.name": "other" }, 1, 0.2],
    ],
  );
  assert.deepEqual(values(batches[0], "spanloop.plugin.action.count"), {
    "slow_step carried_out": 4,
    "slow_step rate": 40,
  });
  await shutdown(1_000);
});

Deno.test("the conventions know every outcome of an action", () => {
  // A refusal that is not here does not compile.
  const outcomes: Record<Parameters<PluginMeasure["acted"]>[1], string> = {
    carried_out: keys.SPANLOOP_ACTION_OUTCOME_VALUE_CARRIED_OUT,
    undeclared: keys.SPANLOOP_ACTION_OUTCOME_VALUE_UNDECLARED,
    grant: keys.SPANLOOP_ACTION_OUTCOME_VALUE_GRANT,
    rate: keys.SPANLOOP_ACTION_OUTCOME_VALUE_RATE,
    depth: keys.SPANLOOP_ACTION_OUTCOME_VALUE_DEPTH,
    invalid: keys.SPANLOOP_ACTION_OUTCOME_VALUE_INVALID,
    size: keys.SPANLOOP_ACTION_OUTCOME_VALUE_SIZE,
  };
  for (const [outcome, value] of Object.entries(outcomes)) assert.equal(value, outcome);
});

Deno.test("a cumulative reader counts from the start, a delta one from its last collection", async () => {
  const cumulative = measure({ temporality: "cumulative" });
  const delta = measure({ temporality: "delta" });
  const low = measure({ temporality: "lowmemory" });
  for (const { span, collect, metrics } of [cumulative, delta, low]) {
    metrics.observe(() => ({
      runs: [{ workflow: "orders", state: "executing" }],
      waitingAttempts: 0,
    }));
    for (const number of [1, 2]) {
      span({ number }, 0.2);
      await collect();
    }
    span({ number: 3, name: "other", stepId: "other" }, 0.2);
    await collect();
  }
  const spans = ({ batches }: typeof delta) =>
    batches.map((batch) => values(batch, "spanloop.span.count"));
  const once = { "load succeeded": 1 };
  assert.deepEqual(spans(cumulative), [
    once,
    { "load succeeded": 2 },
    { "load succeeded": 2, "other succeeded": 1 },
  ]);
  assert.deepEqual(spans(delta), [once, once, { "other succeeded": 1 }]);
  assert.deepEqual(spans(low), spans(delta));
  for (const { batches } of [delta, low, cumulative]) {
    // What goes up and down is never a delta: a lost one would leave it wrong for ever.
    assert.deepEqual(
      batches.map((batch) => values(batch, "cicd.pipeline.run.active")["orders executing"]),
      [1, 1, 1],
    );
  }
  const counts = ({ batches }: typeof delta) =>
    batches.slice(0, 2).map((batch) =>
      histogramOf(batch, "spanloop.attempt.duration").points[0].count
    );
  assert.deepEqual([counts(cumulative), counts(delta)], [[1, 2], [1, 1]]);
  assert.deepEqual(
    [cumulative, delta].map(({ batches }) =>
      histogramOf(batches[0], "spanloop.attempt.duration").temporality
    ),
    ["cumulative", "delta"],
  );
  for (const { shutdown } of [cumulative, delta, low]) await shutdown(1_000);
});

Deno.test("a cumulative point begins with the process, a delta one where the one before it ended", async () => {
  const times = async (temporality: "delta" | "cumulative") => {
    const { span, collect, clock, batches, shutdown } = measure({ temporality });
    for (const number of [1, 2]) {
      clock.turn(1_000);
      span({ number }, 1);
      await collect();
    }
    await shutdown(1_000);
    const seconds = (time: bigint) => Number(time - 1_700_000_000_000_000_000n) / 1e9;
    return batches.slice(0, 2).map((batch) =>
      ["spanloop.span.count", "spanloop.attempt.duration"].map((name) => {
        const [{ startTime, time }] = metricOf(batch, name)!.points;
        return `${seconds(startTime)}-${seconds(time)}`;
      })
    );
  };
  assert.deepEqual(await times("delta"), [["0-1", "0-1"], ["1-2", "1-2"]]);
  assert.deepEqual(await times("cumulative"), [["0-1", "0-1"], ["0-2", "0-2"]]);
});

Deno.test("an exemplar is the last measurement of its bucket, with its trace", async () => {
  const { span, collect, batches, shutdown } = measure();
  span({ number: 1 }, 0.02);
  span({ number: 2 }, 0.021);
  span({ number: 3 }, 7);
  await collect();
  const { points: [{ exemplars, bounds, counts }] } = histogramOf(
    batches[0],
    "spanloop.attempt.duration",
  );
  assert.deepEqual(
    exemplars.map(({ traceId, spanId, value, time }) => ({ traceId, spanId, value, time })),
    [2, 3].map((number) => ({
      traceId: number.toString(16).padStart(32, "a"),
      spanId: number.toString(16).padStart(16, "b"),
      value: number === 2 ? 0.021 : 7,
      time: 1_700_000_000_000_000_000n + (number === 2 ? 21_000_000n : 7_000_000_000n),
    })),
  );
  assert.deepEqual([counts[bounds.indexOf(0.025)], counts[bounds.indexOf(10)]], [2, 1]);
  await shutdown(1_000);
});

Deno.test("a delta reader gets an exemplar once, a cumulative one keeps it", async () => {
  const taken = async (temporality: "delta" | "cumulative") => {
    const { span, collect, batches, shutdown } = measure({ temporality });
    span({ number: 1 }, 0.02);
    await collect();
    span({ number: 2 }, 7);
    await collect();
    await shutdown(1_000);
    return batches.slice(0, 2).map((batch) =>
      histogramOf(batch, "spanloop.attempt.duration").points[0].exemplars.map(({ value }) => value)
    );
  };
  assert.deepEqual(await taken("delta"), [[0.02], [7]]);
  assert.deepEqual(await taken("cumulative"), [[0.02], [0.02, 7]]);
});

Deno.test("trace_based keeps exemplars of sampled spans alone, under the ids that are exported", async () => {
  const traceId = "c".repeat(32);
  const exported = (sampled: boolean | undefined) => ({
    exported: () => ({ traceId, spanId: "d".repeat(16), sampled }),
  });
  const taken = async (...[settings, ports]: Parameters<typeof measure>) => {
    const { span, collect, batches, shutdown } = measure(settings, ports);
    span({ number: 1 }, 0.02);
    await collect();
    await shutdown(1_000);
    const { points } = histogramOf(batches[0], "spanloop.attempt.duration");
    return points[0].exemplars.map((one) => one.traceId);
  };
  assert.deepEqual(await taken({ exemplars: "trace_based" }, exported(true)), [traceId]);
  assert.deepEqual(await taken({ exemplars: "trace_based" }, exported(false)), []);
  assert.deepEqual(await taken({ exemplars: "trace_based" }, exported(undefined)), []);
  assert.deepEqual(await taken({ exemplars: "always_on" }, exported(false)), [traceId]);
  assert.deepEqual(await taken({ exemplars: "always_off" }, exported(true)), []);
});

Deno.test("names without end come to a bounded number of series, over all collections", async () => {
  const { span, collect, batches, shutdown } = measure();
  for (let number = 0; number < 1_500; number++) {
    span({ role: "emit", number, name: `n${number}` }, 0);
    if (number % 400 === 0) await collect();
  }
  await collect();
  const last = batches.at(-1)!;
  const spans = metricOf(last, "spanloop.span.count");
  assert.equal(spans?.points.length, 1_001);
  assert.equal(
    values(last, "spanloop.span.count")["true"],
    500,
    "otel.metric.overflow has the rest",
  );
  await shutdown(1_000);
});

Deno.test("a denied attribute is redacted, and what it told apart becomes one series", async () => {
  const { span, collect, batches, shutdown } = measure({}, {
    redact: (attributes) =>
      "cicd.pipeline.name" in attributes
        ? { ...attributes, "cicd.pipeline.name": "[redacted]" }
        : attributes,
  });
  span({ number: 1, workflow: "one" }, 0.02);
  span({ number: 2, workflow: "two" }, 7);
  await collect();
  const { points } = histogramOf(batches[0], "spanloop.attempt.duration");
  assert.deepEqual(
    points.map(({ attributes, count, exemplars }) => [
      attributes["cicd.pipeline.name"],
      count,
      exemplars.length,
    ]),
    [["[redacted]", 2, 2]],
  );
  await shutdown(1_000);
});

Deno.test("an adopted span's end is measured from its start, and a lost run's spans are not", async () => {
  const { bus, span, collect, batches, shutdown } = measure();
  const adopted = started({ role: "run", number: 1 });
  bus.adopt(adopted);
  const lost = started({ number: 2, runId: RUN.replace(/1$/, "2") });
  bus.publish([lost]);
  bus.lose(lost.runId);
  span({ number: 3 }, 1);
  bus.publish([{
    ...started({ role: "run", number: 1 }),
    type: "end",
    spanId: adopted.span.spanId,
    outcome: "succeeded",
    end: { endTime: adopted.span.startTime + 60_000_000_000n, error: false, attributes: {} },
  }]);
  await collect();
  const { points } = histogramOf(batches[0], "cicd.pipeline.run.duration");
  assert.deepEqual(points.map(({ count, sum }) => [count, sum]), [[1, 60]]);
  assert.deepEqual(values(batches[0], "spanloop.span.count"), {
    "load succeeded": 1,
    "RUN orders succeeded": 1,
  });
  await shutdown(1_000);
});

Deno.test("a source that throws costs its own value, is counted, and nothing else (J5)", async () => {
  const { metrics, span, collect, batches, shutdown } = measure();
  metrics.observe(() => {
    throw new TypeError("broken");
  });
  span({ number: 1 }, 1);
  await collect();
  assert.deepEqual(values(batches[0], "spanloop.span.count"), { "load succeeded": 1 });
  await collect();
  assert.deepEqual(values(batches[1], "cicd.system.errors"), { "telemetry TypeError": 1 });
  await shutdown(1_000);
});

Deno.test("the global meter provider is left alone", async () => {
  const before = global.getMeterProvider();
  const { shutdown } = measure();
  assert.equal(global.getMeterProvider(), before);
  await shutdown(1_000);
});
