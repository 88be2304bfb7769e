import assert from "node:assert/strict";
import { readFolder } from "../folder.ts";
import { OPENTELEMETRY } from "../opentelemetry.ts";
import { readRegistry } from "../registry.ts";
import { type Advice, type Advices, AdviceSummary } from "./advice.ts";
import { TelemetryCheck } from "./check.ts";

const OURS = readRegistry(
  await readFolder(new URL("../registry/", import.meta.url)),
  OPENTELEMETRY,
);
const THEIRS = readRegistry(
  new Map([[
    "shop.yaml",
    `
groups:
  - id: registry.shop
    type: attribute_group
    display_name: Shop
    brief: What the shop says.
    attributes:
      - { id: shop.team, type: string, stability: stable, brief: A team., examples: [data] }
      - { id: shop.size, type: int, stability: stable, brief: A size., examples: [1] }
      - id: shop.old
        type: string
        stability: stable
        brief: Old.
        examples: [a]
        deprecated: { reason: renamed, renamed_to: shop.team }
  - id: span.shop.load
    type: span
    span_kind: internal
    stability: stable
    brief: Loading.
    annotations: { live_check: { name: orders.load } }
    attributes: [{ ref: shop.team, requirement_level: required }, { ref: shop.size }]
`,
  ]]),
  OPENTELEMETRY,
  OURS,
);

type Value = string | number | boolean | readonly string[] | { readonly raw: unknown };

function attributes(values: Readonly<Record<string, Value>>): unknown[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === "string"
      ? { stringValue: value }
      : typeof value === "boolean"
      ? { boolValue: value }
      : typeof value === "number"
      ? Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
      : "raw" in value
      ? value.raw
      : { arrayValue: { values: value.map((stringValue) => ({ stringValue })) } },
  }));
}

const ATTEMPT = {
  "cicd.pipeline.task.name": "load",
  "cicd.pipeline.task.run.id": "1/load/1",
  "cicd.pipeline.task.run.result": "success",
  "cicd.pipeline.name": "orders",
  "cicd.pipeline.run.id": "1",
  "spanloop.step.id": "load",
  "spanloop.step.type": "shell",
  "spanloop.attempt": 1,
};

function spanLine(
  values: Readonly<Record<string, Value>>,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const span = { name: "load", kind: 1, attributes: attributes(values), ...more };
  return JSON.stringify({
    resourceSpans: [{ scopeSpans: [{ scope: { name: "spanloop" }, spans: [span] }] }],
  });
}

function metricLine(metric: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    resourceMetrics: [{ scopeMetrics: [{ scope: { name: "spanloop" }, metrics: [metric] }] }],
  });
}

function logLine(record: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    resourceLogs: [{ scopeLogs: [{ scope: { name: "spanloop" }, logRecords: [record] }] }],
  });
}

// A resource is checked in tests of its own.
function withoutResource(advice: readonly Advice[]): readonly Advice[] {
  return advice.filter(({ signal }) => signal !== "resource");
}

function summarize(advice: readonly Advice[]): readonly Advices[] {
  const summary = new AdviceSummary();
  summary.add(advice);
  return summary.list();
}

function said(line: string, options: { strict?: boolean } = {}): readonly string[] {
  const check = new TelemetryCheck({
    own: OURS,
    others: [THEIRS],
    facts: OPENTELEMETRY,
    ...options,
  });
  return summarize(
    check.check(line, "f.jsonl", 7)
      // A resource is checked in tests of its own.
      .filter(({ signal }) => signal !== "resource"),
  )
    .map(({ level, id, key }) => `${level} ${id}${key === undefined ? "" : ` ${key}`}`);
}

Deno.test("an attempt's span as the registry has it gives no advice", () => {
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "spanloop.parameter.size": 3 })), []);
});

Deno.test("a missing required attribute is a violation, with file, line, name and key", () => {
  const { "spanloop.step.id": _, ...rest } = ATTEMPT;
  const check = new TelemetryCheck({ own: OURS, facts: OPENTELEMETRY });
  const [advice] = withoutResource(check.check(spanLine(rest), "f.jsonl", 7));
  assert.deepEqual(advice, {
    level: "violation",
    id: "required_attribute_not_present",
    signal: "span",
    name: "load",
    key: "spanloop.step.id",
    message: "It lacks spanloop.step.id, which is required for spanloop.attempt.internal",
    file: "f.jsonl",
    line: 7,
  });
});

Deno.test("of a span that a limit has cut nothing is missed", () => {
  assert.deepEqual(
    said(spanLine({ "spanloop.step.type": "shell" }, { droppedAttributesCount: 9 })),
    [],
  );
});

Deno.test("a group can be known by a name and the absence of an attribute", () => {
  const resume = { "cicd.pipeline.name": "a", "cicd.pipeline.run.id": "1" };
  assert.deepEqual(said(spanLine(resume, { name: "resume" })), []);
  // A step of that name.
  assert.deepEqual(said(spanLine(ATTEMPT, { name: "resume" })), []);
});

Deno.test("of what plugins emit, spans that have groups of their own are held to these alone", () => {
  const emitted = { "spanloop.plugin.name": "experiments", "spanloop.reaction.depth": 1 };
  const verdict = {
    ...emitted,
    "cicd.pipeline.name": "orders",
    "spanloop.experiment.id": "optimizer@orders/412/0",
    "spanloop.experiment.values": "{}",
    "spanloop.experiment.incumbent": "{}",
    "spanloop.verdict.outcome": "inconclusive",
    "spanloop.verdict.action": "rolled_back",
    "spanloop.verdict.ended": "budget",
    "spanloop.verdict.pairs": 60,
    "spanloop.verdict.message": "batch_size 160 → 640: undecided, rolled back",
  };
  assert.deepEqual(said(spanLine(verdict, { name: "experiment.verdict" })), []);
  const { "spanloop.verdict.pairs": _, ...less } = verdict;
  assert.deepEqual(said(spanLine(less, { name: "experiment.verdict" })), [
    "violation required_attribute_not_present spanloop.verdict.pairs",
  ]);
  assert.deepEqual(said(spanLine({ ...emitted, "spanloop.verdict.pairs": 60 })), [
    "violation unexpected_attribute spanloop.verdict.pairs",
  ]);
});

Deno.test("an unknown key under the registry's own name is a violation, an author's is advice", () => {
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "spanloop.nope": 1, "team.name": "x" })), [
    "violation missing_attribute spanloop.nope",
    "information missing_attribute team.name",
  ]);
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "team.name": "x" }), { strict: true }), [
    "violation missing_attribute team.name",
  ]);
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "http.nope": "x" })), [
    "improvement illegal_namespace http.nope",
  ]);
});

Deno.test("a key that an author's registry declares is known, and its type and namespace are held", () => {
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "shop.team": "data" })), []);
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "shop.team": 3, "shop.teem": "x" })), [
    "violation type_mismatch shop.team",
    "violation missing_attribute shop.teem",
  ]);
});

Deno.test("a span belongs to an author's group by its name", () => {
  assert.deepEqual(said(spanLine(ATTEMPT, { name: "orders.load" })), [
    "violation required_attribute_not_present shop.team",
    "improvement recommended_attribute_not_present shop.size",
  ]);
});

Deno.test("wrong types are violations; a whole number passes as a double, an empty list as any list", () => {
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "spanloop.attempt": "1" })), [
    "violation type_mismatch spanloop.attempt",
  ]);
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "spanloop.attempt": 1.5 })), [
    "violation type_mismatch spanloop.attempt",
  ]);
  assert.deepEqual(
    said(spanLine({ ...ATTEMPT, "process.command_args": [], "app.jank.period": 1 })),
    [],
  );
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "process.command_args": "ls" })), [
    "violation type_mismatch process.command_args",
  ]);
  assert.deepEqual(
    said(spanLine({ ...ATTEMPT, "shop.team": { raw: { kvlistValue: { values: [] } } } })),
    ["violation type_mismatch shop.team"],
  );
});

Deno.test("a value outside of our enumerations is a violation, of OpenTelemetry's information", () => {
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "spanloop.skip.reason": "mood" })), [
    "violation undefined_enum_variant spanloop.skip.reason",
  ]);
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "cicd.pipeline.task.type": "lint" })), [
    "information undefined_enum_variant cicd.pipeline.task.type",
  ]);
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "error.type": "shell.exit" })), []);
});

Deno.test("deprecated keys are violations that name what replaces them", () => {
  const check = new TelemetryCheck({ own: OURS, others: [THEIRS], facts: OPENTELEMETRY });
  const advice = check.check(
    spanLine({ ...ATTEMPT, "http.status_code": 200, "shop.old": "a" }),
    "f",
    1,
  ).filter(({ id }) => id === "deprecated");
  assert.deepEqual(advice.map(({ level, message }) => `${level}: ${message}`), [
    "violation: http.status_code is deprecated: use http.response.status_code",
    "violation: shop.old is deprecated: use shop.team",
  ]);
});

Deno.test("a span of ours is of the registry's kind and carries what the registry lists", () => {
  const kinds = said(spanLine(ATTEMPT, { kind: 2 }));
  assert.deepEqual([...new Set(kinds)], ["violation unexpected_kind"]);
  assert.deepEqual(said(spanLine(ATTEMPT, { kind: 3 })), []);
  assert.deepEqual(said(spanLine({ ...ATTEMPT, "spanloop.signal": "traces" })), [
    "violation unexpected_attribute spanloop.signal",
  ]);
});

Deno.test("a span that belongs to no group is information, strictly a violation", () => {
  assert.deepEqual(said(spanLine({})), ["information missing_span"]);
  assert.deepEqual(said(spanLine({}), { strict: true }), ["violation missing_span"]);
});

Deno.test("events of spans and links are checked", () => {
  assert.deepEqual(
    said(spanLine(ATTEMPT, {
      events: [{ name: "exceptional" }, {
        name: "exception",
        attributes: attributes({ "exception.type": "E", "exception.message": 1 }),
      }],
      links: [{ attributes: attributes({ "spanloop.link.type": "friend" }) }],
    })).filter((one) => one.startsWith("violation")),
    [
      "violation missing_event",
      "violation type_mismatch exception.message",
      "violation undefined_enum_variant spanloop.link.type",
    ],
  );
});

Deno.test("metrics are held to name, unit, instrument and the attributes of each point", () => {
  const point = { attributes: attributes({ "cicd.worker.state": "busy" }), asInt: "1" };
  const sum = { isMonotonic: false, dataPoints: [point] };
  const good = { name: "cicd.worker.count", unit: "{worker}", sum };
  assert.deepEqual(said(metricLine(good)), []);
  assert.deepEqual(said(metricLine({ ...good, name: "cicd.workers" })), [
    "violation missing_metric",
  ]);
  assert.deepEqual(said(metricLine({ ...good, unit: "1" })), ["violation unit_mismatch"]);
  assert.deepEqual(said(metricLine({ ...good, sum: { ...sum, isMonotonic: true } })), [
    "violation unexpected_instrument",
  ]);
  assert.deepEqual(
    said(metricLine({ ...good, sum: { ...sum, dataPoints: [point, { asInt: "1" }] } })),
    ["violation required_attribute_not_present cicd.worker.state"],
  );
  const odd = { ...point, attributes: [...point.attributes, ...attributes({ user: "u" })] };
  assert.deepEqual(said(metricLine({ ...good, sum: { ...sum, dataPoints: [odd] } })), [
    "violation missing_attribute user",
  ]);
});

Deno.test("an event's record is held to the registry, a record without a name to its keys only", () => {
  assert.deepEqual(said(logLine({ eventName: "spanloop.nope", attributes: [] })), [
    "violation missing_event",
  ]);
  assert.deepEqual(
    said(logLine({
      eventName: "spanloop.run.end",
      attributes: attributes({ "cicd.pipeline.name": "a", "cicd.pipeline.run.id": "1" }),
    })),
    ["violation required_attribute_not_present cicd.pipeline.result"],
  );
  assert.deepEqual(said(logLine({ attributes: attributes({ "spanloop.attempt": 1 }) })), []);
});

Deno.test("a resource of the engine's scope has what its entity requires", () => {
  const check = new TelemetryCheck({ own: OURS, facts: OPENTELEMETRY });
  function of(scope: string): readonly string[] {
    const line = JSON.stringify({
      resourceLogs: [{
        resource: {
          attributes: attributes({ "service.version": "1", "deployment.environment": "x" }),
        },
        scopeLogs: [{ scope: { name: scope }, logRecords: [] }],
      }],
    });
    return check.check(line, "f", 1).filter(({ level }) => level === "violation")
      .map(({ id, key }) => `${id} ${key}`);
  }
  assert.deepEqual(of("shop"), ["deprecated deployment.environment"]);
  assert.ok(of("spanloop").includes("required_attribute_not_present service.instance.id"));
});

Deno.test("a line that is no export request is a violation, an empty one is nothing", () => {
  assert.deepEqual(said("{"), ["violation invalid_request"]);
  assert.deepEqual(said("{}"), ["violation invalid_request"]);
  assert.deepEqual(said('{"resourceSpans":{}}'), ["violation invalid_request"]);
  assert.deepEqual(said(""), []);
});

Deno.test("the same advice is told once, at its first place, with its count, violations first", () => {
  const check = new TelemetryCheck({ own: OURS, facts: OPENTELEMETRY });
  const advice = [3, 4, 5].flatMap((line) =>
    withoutResource(
      check.check(spanLine({ ...ATTEMPT, a: 1, "spanloop.attempt": true }), "f", line),
    )
  );
  assert.deepEqual(summarize(advice).map(({ level, line, count }) => ({ level, line, count })), [
    { level: "violation", line: 3, count: 3 },
    { level: "information", line: 3, count: 3 },
  ]);
});
