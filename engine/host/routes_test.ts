import assert from "node:assert/strict";
import type { SpanSubscription } from "../core/plugin.ts";
import { seeded } from "../core/seeded_test.ts";
import type { Attributes } from "../core/span.ts";
import { matches } from "../core/wildcard.ts";
import { emittedHeard, endedHeard, receivedHeard, startedHeard } from "./_heard_fixture_test.ts";
import type { Heard } from "./heard.ts";
import { toSpanEvent } from "./plugin_span.ts";
import { Routes } from "./routes.ts";
import type { Sees } from "./sees.ts";
import { compileSubscriptions } from "./subscription.ts";

const ALL: Sees = { plugin: "p", see: ["*"], workflows: [], external: true };

function routesOf(
  ...plugins: readonly [string, readonly SpanSubscription[], Partial<Sees>?][]
): Routes<string> {
  const routes = new Routes<string>();
  for (const [target, subscriptions, sees] of plugins) {
    routes.add(target, compileSubscriptions(subscriptions).spans, {
      ...ALL,
      plugin: target,
      ...sees,
    });
  }
  return routes;
}

Deno.test("each that wants an event hears it once, in the order in which they were added", () => {
  const routes = routesOf(
    ["c", [{ name: "*" }, { name: "load" }]],
    ["a", [{ name: "other" }]],
    ["b", [{ name: "lo*" }]],
    ["d", [{ name: "load", event: "started" }]],
  );
  assert.deepEqual(routes.match(endedHeard({ name: "load" })), ["c", "b"]);
  assert.deepEqual(routes.match(startedHeard({ name: "load" })), ["d"]);
  assert.deepEqual(routes.match(endedHeard({ name: "other" })), ["c", "a"]);
});

Deno.test("what is added or removed later counts, though the name was heard before", () => {
  const routes = routesOf(["a", [{ name: "load" }]]);
  const heard = endedHeard({ name: "load" });
  assert.deepEqual(routes.match(heard), ["a"]);
  routes.add("b", compileSubscriptions([{}]).spans, ALL);
  assert.deepEqual(routes.match(heard), ["a", "b"]);
  routes.add("a", compileSubscriptions([{}]).spans, ALL);
  assert.deepEqual(routes.match(heard), ["b", "a"]);
  routes.remove("b");
  assert.deepEqual(routes.match(heard), ["a"]);
  routes.remove("a");
  assert.deepEqual(routes.match(heard), []);
});

Deno.test("a plugin never hears a span that its name emitted, under whichever workflow (H2)", () => {
  const routes = routesOf(
    ["own", [{}], { plugin: "slow", workflow: "test" }],
    ["everywhere", [{}], { plugin: "slow" }],
    ["other", [{}], { plugin: "fast" }],
  );
  assert.deepEqual(routes.match(emittedHeard({ plugin: "slow" })), ["other"]);
  assert.deepEqual(routes.match(emittedHeard({ plugin: "fast" })), ["own", "everywhere"]);
});

Deno.test("a plugin hears what its grant lets it see, and nothing else", () => {
  const routes = routesOf(
    ["own", [{}], { workflow: "orders", external: false }],
    ["wide", [{}], { workflow: "orders", workflows: ["night-*"], external: false }],
    ["every", [{}], { external: false }],
    ["outside", [{}], { workflow: "orders", external: true }],
    ["names", [{}], { see: ["orders.*", "x"] }],
    ["blind", [{}], { see: [] }],
  );
  const hears = (heard: Heard) => routes.match(heard).join(" ");
  assert.equal(hears(endedHeard({ workflow: "orders" })), "own wide every outside");
  assert.equal(hears(endedHeard({ workflow: "night-1" })), "wide every");
  assert.equal(hears(endedHeard({ workflow: "day" })), "every");
  assert.equal(hears(receivedHeard()), "outside");
  assert.equal(hears(receivedHeard({ name: "orders.load" })), "outside names");
  assert.equal(hears(emittedHeard({ workflow: "night-1" })), "wide every");
  assert.equal(hears(emittedHeard({ workflow: undefined })), "every");
});

Deno.test("names without end are forgotten, and the answers stay right", () => {
  const routes = routesOf(["a", [{ name: "*7" }]]);
  for (let i = 0; i < 25_000; i++) {
    const name = i % 1_000 === 7 ? `${"x".repeat(1_000)}${i}` : `name ${i}`;
    assert.equal(routes.match(endedHeard({ name })).length, name.endsWith("7") ? 1 : 0);
  }
});

Deno.test("routes agree with asking every subscription for every event", () => {
  const random = seeded("routes");
  const NAMES = ["a", "ab", "b.c", "orders.load", "orders.check"];
  const GLOBS = [...NAMES, "*", "a*", "*b", "orders.*", "*.c"];
  const WORKFLOWS = ["orders", "night-1", "night-2"];
  const some = <T>(make: () => T): T | undefined => random.below(3) === 0 ? make() : undefined;
  const subscription = (): SpanSubscription => ({
    event: some(() => random.pick(["started", "ended"] as const)),
    name: some(() => random.pick(GLOBS)),
    workflow: some(() => random.pick([...WORKFLOWS, "night-*"])),
    role: some(() => random.pick(["attempt", "step"] as const)),
    attributes: some(() => ({ k: random.below(3) })),
    where: some(() => `attributes.k > ${random.below(3)}`),
  });
  const event = (): Heard => {
    const name = random.pick(NAMES);
    const workflow = random.pick(WORKFLOWS);
    const attributes: Attributes = random.below(4) === 0 ? {} : { k: random.below(3) };
    switch (random.below(4)) {
      case 0:
        return startedHeard({ name, workflow, attributes });
      case 1:
        return endedHeard({
          name,
          workflow,
          attributes,
          start: { role: random.pick(["attempt", "step"]) },
        });
      case 2:
        return receivedHeard({ name, attributes });
      default:
        return emittedHeard({
          name,
          attributes,
          workflow: some(() => workflow),
          plugin: random.pick(["p0", "p1", "p2"]),
        });
    }
  };
  // By the words of PluginSpan, SpanSubscription and Grant, on what the plugin would get.
  const expected = (heard: Heard, given: readonly SpanSubscription[], sees: Sees): boolean => {
    const { event, span } = toSpanEvent(heard);
    if (span.plugin === sees.plugin) return false;
    if (!sees.see.some((glob) => matches(glob, span.name))) return false;
    if (span.external && !sees.external) return false;
    if (!span.external && sees.workflow !== undefined && sees.workflow !== span.workflow) {
      const { workflow } = span;
      if (workflow === undefined) return false;
      if (!sees.workflows.some((glob) => matches(glob, workflow))) return false;
    }
    const { k } = span.attributes;
    return given.some((one) =>
      (one.event ?? "ended") === event && matches(one.name ?? "*", span.name) &&
      (one.workflow === undefined ||
        (span.workflow !== undefined && matches(one.workflow, span.workflow))) &&
      (one.role ?? span.role) === span.role &&
      (one.attributes === undefined || one.attributes.k === k) &&
      (one.where === undefined || (typeof k === "number" && k > Number(one.where.at(-1))))
    );
  };
  let heardOf = 0;
  for (let round = 0; round < 60; round++) {
    const plugins = Array.from({ length: random.below(8) }, (_, index) => ({
      given: Array.from({ length: random.below(4) }, subscription),
      sees: {
        plugin: `p${index % 3}`,
        workflow: some(() => random.pick(WORKFLOWS)),
        see: random.pick([["*"], ["orders.*", "a"], ["*b*"]]),
        workflows: random.pick([[], ["night-*"], ["*"]]),
        external: random.below(2) === 0,
      },
    }));
    const routes = new Routes<number>();
    plugins.forEach(({ given, sees }, index) =>
      // Through JSON, as they come, without what is undefined.
      routes.add(index, compileSubscriptions(JSON.parse(JSON.stringify(given))).spans, sees)
    );
    for (let count = 0; count < 60; count++) {
      const heard = event();
      const wanted = plugins.flatMap(({ given, sees }, index) =>
        expected(heard, given, sees) ? [index] : []
      );
      assert.deepEqual([...routes.match(heard)], wanted, `seed ${random.seed}`);
      heardOf += wanted.length;
    }
  }
  assert.ok(heardOf > 100, `seed ${random.seed}`);
});
