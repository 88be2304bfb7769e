import assert from "node:assert/strict";
import type { SpanSubscription, Subscription } from "../core/plugin.ts";
import { emittedHeard, endedHeard, receivedHeard, startedHeard } from "./_heard_fixture_test.ts";
import type { Heard } from "./heard.ts";
import { nameOf } from "./plugin_span.ts";
import { compileSubscriptions, SubscriptionError } from "./subscription.ts";
import { Facts } from "./where.ts";

function wants(subscription: SpanSubscription, heard: Heard): boolean {
  const { spans: [matcher], ticks } = compileSubscriptions([subscription]);
  assert.equal(ticks.length, 0);
  return matcher.event === heard.event && matcher.wantsName(nameOf(heard)) &&
    matcher.wants(new Facts(heard));
}

const SPAN = endedHeard({
  name: "orders.load",
  workflow: "orders",
  attributes: { team: "data", size: 20, tags: ["a", "b"], ready: false },
  end: {
    outcome: "failed",
    end: { endTime: 1_790_000_002_000_000_000n, error: true, attributes: { size: 40 } },
    failure: { code: "shell.exit", message: "no", errorClass: "error" },
  },
  span: { startTime: 1_790_000_000_500_000_000n },
});

Deno.test("all that a subscription gives must hold of a span", () => {
  const cases: [SpanSubscription, boolean][] = [
    [{}, true],
    [{ event: "started" }, false],
    [{ name: "orders.load" }, true],
    [{ name: "orders" }, false],
    [{ name: "orders.*" }, true],
    [{ name: "*.load" }, true],
    [{ workflow: "orders" }, true],
    [{ workflow: "ord*" }, true],
    [{ workflow: "other" }, false],
    [{ role: "attempt" }, true],
    [{ role: "step" }, false],
    [{ attributes: { team: "data" } }, true],
    [{ attributes: { team: "data", ready: false } }, true],
    [{ attributes: { team: "data", ready: true } }, false],
    [{ attributes: { size: 40 } }, true],
    [{ attributes: { size: 20 } }, false],
    [{ attributes: { size: "40" } }, false],
    [{ attributes: { tags: ["a", "b"] } }, true],
    [{ attributes: { tags: ["a"] } }, false],
    [{ attributes: { tags: [] } }, false],
    [{ attributes: { missing: "x" } }, false],
    [{ attributes: { toString: "x" } }, false],
    [{ where: "duration > 1.0" }, true],
    [{ where: "duration > 1.5" }, false],
    [{ where: "attributes['size'] >= 40 && attributes.team == 'data'" }, true],
    [{ where: "span.error == 'shell.exit' && span.outcome == 'failed'" }, true],
    [{ where: "has(span.plugin)" }, false],
    [{ where: "'b' in attributes.tags" }, true],
    [{ name: "orders.load", role: "attempt", where: "span.attempt == 2" }, false],
  ];
  for (const [subscription, expected] of cases) {
    assert.equal(wants(subscription, SPAN), expected, JSON.stringify(subscription));
  }
});

Deno.test("received spans are of no workflow and role, emitted ones of their workflow", () => {
  const received = receivedHeard({ attributes: { count: 5n } });
  assert.ok(wants({ attributes: { count: 5 } }, received));
  assert.ok(wants({ where: "span.external && attributes.count == 5" }, received));
  assert.ok(!wants({ workflow: "*" }, received));
  assert.ok(!wants({ role: "run" }, received));
  const emitted = emittedHeard({ workflow: "orders", plugin: "slow" });
  assert.ok(wants({ workflow: "orders", where: "span.plugin == 'slow'" }, emitted));
  assert.ok(!wants({ role: "emit" }, emitted));
  assert.ok(!wants({ workflow: "*" }, emittedHeard({ workflow: undefined })));
});

Deno.test("a condition that cannot be evaluated is true of nothing, and says why once", () => {
  const { spans: [matcher] } = compileSubscriptions([
    { where: "attributes['size'] > 3" },
  ]);
  const answer = (heard: Heard) => matcher.wants(new Facts(heard));
  assert.ok(answer(endedHeard({ attributes: { size: 4 } })));
  assert.equal(matcher.condition?.failed, 0);
  assert.ok(!answer(endedHeard()));
  assert.ok(!answer(endedHeard({ attributes: { size: "large" } })));
  assert.equal(matcher.condition?.failed, 2);
  assert.match(matcher.condition?.failure ?? "", /`attributes` has no .*size/);
});

Deno.test("an open span has no duration: a condition on it does not hold", () => {
  assert.ok(!wants({ event: "started", where: "duration >= 0.0" }, startedHeard()));
});

Deno.test("a condition that gives no boolean is true of nothing", () => {
  assert.ok(!wants({ where: "attributes.size" }, SPAN));
});

Deno.test("schedules are told apart from spans", () => {
  const { spans, ticks } = compileSubscriptions([
    { cron: "*/5 * * * *" },
    { name: "a" },
    { cron: "0 8 * * *", timezone: "Europe/Paris" },
  ]);
  assert.equal(spans.length, 1);
  assert.deepEqual(ticks, [
    { cron: "*/5 * * * *" },
    { cron: "0 8 * * *", timezone: "Europe/Paris" },
  ]);
});

Deno.test("a subscription that does not hold is refused with its number and what is wrong", () => {
  const cases: [unknown, RegExp][] = [
    [null, /subscription 2: it must be an object/],
    [[], /it must be an object/],
    [{ nam: "x" }, /there is no `nam`; it has event, name,/],
    [JSON.parse('{"__proto__":{}}'), /there is no `__proto__`/],
    [{ name: "" }, /its `name` must be a text of 1 to 256 characters/],
    [{ name: "x".repeat(257) }, /its `name` must be a text/],
    [{ workflow: 3 }, /its `workflow` must be a text/],
    [{ event: "end" }, /its `event` must be one of started, ended/],
    [{ role: "plugin" }, /its `role` must be one of run, step/],
    [{ attributes: [] }, /its `attributes` must be an object/],
    [{ attributes: { a: null } }, /its `attributes.a` must be text, a finite number/],
    [{ attributes: { a: NaN } }, /its `attributes.a` must be/],
    [{ attributes: { a: [1, Infinity] } }, /its `attributes.a` must be/],
    [{ where: 1 }, /its `where` must be a text/],
    [{ where: "duration >" }, /its `where` does not hold at character \d+: /],
    [{ where: "durations > 1.0" }, /character 1: There is no `durations`.*; write `duration`/],
    [{ where: "span.nam == 'x'" }, /There is no field of a span `nam`; write `name`/],
    [{ where: "run.status == 'failed'" }, /There is no `run`; an expression starts from span/],
    [{ where: "has(span.typo)" }, /There is no field of a span `typo`/],
    [{ where: "duration" }, /its `where` must be a condition such as/],
    [{ where: "span.name.matches('(')" }, /its `where` does not hold/],
    [{ cron: "61 * * * *" }, /subscription 2: Cannot read the schedule "61 \* \* \* \*"/],
    [{ cron: "0 0 30 2 *" }, /no date ever matches it/],
    [{ cron: "* * * * *", timezone: "Mars/Base" }, /Cannot use the time zone "Mars\/Base"/],
    [{ cron: "* * * * *", name: "x" }, /there is no `name`; it has cron, timezone/],
    [{ cron: 5 }, /its `cron` must be a text/],
  ];
  for (const [subscription, message] of cases) {
    assert.throws(
      () => compileSubscriptions([{}, subscription as Subscription]),
      (error) => {
        assert.ok(error instanceof SubscriptionError);
        assert.match(error.message, message);
        return error.code === "plugin.subscription";
      },
    );
  }
  assert.throws(() => compileSubscriptions(Array(101).fill({})), /at most 100 are possible/);
});
