import assert from "node:assert/strict";
import type { LocalContext } from "../core/propagation.ts";
import { seeded } from "../core/seeded_test.ts";
import { W3cPropagation } from "./propagation.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const BOTH = ["tracecontext", "baggage"] as const;
const LOCAL: LocalContext = { span: { traceId: TRACE, spanId: "00f067aa0ba902b7" } };

const both = new W3cPropagation(BOTH);
const fromEnvironment = (environment: Record<string, string>) => both.extract({ environment });
const fromHeaders = (headers: HeadersInit) => both.extract({ headers: new Headers(headers) });

Deno.test("a caller's trace, flags, state and baggage are read from the environment and from headers", async () => {
  const told = {
    traceId: TRACE,
    parentSpanId: SPAN,
    traceFlags: 0,
    traceState: "a=b",
    baggage: "user=ann",
  };
  assert.deepEqual(
    await fromEnvironment({
      TRACEPARENT: ` 00-${TRACE}-${SPAN}-00\n`,
      TRACESTATE: "a=b",
      BAGGAGE: " user = ann ",
    }),
    told,
  );
  const headers = new Headers({ traceparent: `00-${TRACE}-${SPAN}-00`, tracestate: "a=b" });
  headers.append("baggage", "user=ann");
  headers.append("baggage", "team=data");
  assert.deepEqual(await both.extract({ headers }), { ...told, baggage: "user=ann,team=data" });
  const later = await fromEnvironment({ TRACEPARENT: `cc-${TRACE}-${SPAN}-03-more` });
  assert.deepEqual(later, { traceId: TRACE, parentSpanId: SPAN, traceFlags: 3 });
});

Deno.test("a traceparent that does not hold is ignored, its state too; baggage stands by itself (W3C)", async () => {
  const malformed = [
    "",
    "x",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01x`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
  ];
  for (const parent of malformed) {
    const read = await fromEnvironment({ TRACEPARENT: parent, TRACESTATE: "a=b", BAGGAGE: "c=d" });
    assert.deepEqual(read, { baggage: "c=d" }, parent);
    assert.deepEqual(
      await fromHeaders({ traceparent: parent, tracestate: "a=b", baggage: "c=d" }),
      { baggage: "c=d" },
      parent,
    );
  }
  assert.deepEqual(await fromEnvironment({}), {});
  assert.deepEqual(await fromEnvironment({ TRACESTATE: "a=b" }), {}, "it says nothing by itself");
});

Deno.test("a traceparent alone is read as it is beside others, whatever it holds", async () => {
  const random = seeded("traceparents");
  const whole = `00-${TRACE}-${SPAN}-01`;
  const letters = [..."0123456789abcdefg-F \n"];
  for (let i = 0; i < 2_000; i++) {
    const parts = [...whole];
    for (let changes = random.below(3); changes > 0; changes--) {
      const at = random.below(parts.length);
      const letter = letters[random.below(letters.length)];
      parts.splice(at, random.below(2), ...(random.below(3) === 0 ? [] : [letter]));
    }
    const TRACEPARENT = parts.join("");
    const alone = await fromEnvironment({ TRACEPARENT });
    const { baggage: _, ...beside } = await fromEnvironment({ TRACEPARENT, BAGGAGE: "a=b" });
    assert.deepEqual(alone, beside, `seed ${random.seed}: ${JSON.stringify(TRACEPARENT)}`);
  }
});

Deno.test("members of tracestate that do not hold are left out", async () => {
  const { traceState } = await fromEnvironment({
    TRACEPARENT: `00-${TRACE}-${SPAN}-01`,
    TRACESTATE: "a=b, BAD=c ,d=e,nothing",
  });
  assert.equal(traceState, "a=b,d=e");
});

Deno.test("baggage that does not hold, or goes beyond W3C's limits, is left out with a warning", async () => {
  const members = Array.from({ length: 70 }, (_, index) => `n${index}=v`);
  const many = await fromEnvironment({ BAGGAGE: members.join(",") });
  assert.equal(many.baggage, members.slice(0, 64).join(","));
  assert.match(many.warnings?.join() ?? "", /^6 members of the caller's baggage left out/);
  const large = await fromEnvironment({
    BAGGAGE: `a=${"x".repeat(4_000)},b=${"y".repeat(4_000)},c=${"z".repeat(4_000)},d=1`,
  });
  assert.ok((large.baggage?.length ?? 0) <= 8_192);
  assert.deepEqual(large.baggage?.split(",").map((member) => member[0]), ["a", "b"]);
  assert.match(large.warnings?.join() ?? "", /^2 members/);
  const bad = await fromEnvironment({ BAGGAGE: "good=1,no value,=2,sp ace=3,per%zz=%zz,e=" });
  assert.equal(bad.baggage, "good=1");
  assert.match(bad.warnings?.join() ?? "", /^4 members/, "an empty value is allowed");
  const none = await fromEnvironment({ BAGGAGE: ",,;;" });
  assert.equal(none.baggage, undefined);
});

Deno.test("baggage keeps its values and properties through environment and headers", async () => {
  const { baggage, warnings } = await fromEnvironment({
    BAGGAGE: "name=J%C3%BCrgen%2C%20a%3Db;p=1;q, raw=\u00fc",
  });
  assert.equal(warnings, undefined);
  const context = { ...LOCAL, baggage };
  const { BAGGAGE } = await both.environment(context);
  assert.equal((await both.headers(context)).baggage, BAGGAGE);
  const { context: found } = await both.merge(BAGGAGE, {
    set: {},
    fromCaller: ["name", "raw", "no"],
  });
  assert.deepEqual(found, { name: "J\u00fcrgen, a=b", raw: "\u00fc" });
  assert.match(BAGGAGE ?? "", /;p=1;q/);
});

Deno.test("a property that no header can carry takes its member along", async () => {
  const { baggage, warnings } = await fromEnvironment({ BAGGAGE: "a=1;p=x\ny,b=2" });
  assert.equal(baggage, "b=2");
  assert.equal(warnings?.length, 1);
});

Deno.test("white space that ends a property, which no header keeps, is not handed on", async () => {
  const { baggage } = await fromEnvironment({ BAGGAGE: "a=1;p\t,a b,c=2; q \t,=3" });
  assert.equal(baggage, "a=1;p,c=2; q");
  assert.deepEqual(await fromHeaders({ baggage: "a=1;p,c=2; q" }), { baggage });
});

Deno.test("whatever comes as baggage, what goes out holds, and is taken as it is by whoever reads it", async () => {
  const random = seeded("baggage");
  const letters = [...'ab=,;%"\\ \t\n\u00fc\u{1f600}0(/:', "%20", "%E2%82%AC"];
  for (let i = 0; i < 500; i++) {
    const BAGGAGE = Array.from(
      { length: random.below(40) },
      () => letters[random.below(letters.length)],
    )
      .join("");
    const seed = `seed ${random.seed}: ${JSON.stringify(BAGGAGE)}`;
    const { baggage } = await fromEnvironment({ BAGGAGE });
    if (baggage === undefined) continue;
    assert.match(baggage, /^[\t\x20-\x7e]+$/, seed);
    const again = await fromHeaders({ baggage });
    assert.deepEqual(again, { baggage }, seed);
    assert.deepEqual(
      await both.headers({ ...LOCAL, baggage }).then((headers) => headers.baggage),
      baggage,
    );
  }
});

Deno.test("a property that ends with an equals sign is no empty value, and nothing is said of it", async () => {
  assert.deepEqual(await fromEnvironment({ BAGGAGE: "a=b;p=" }), { baggage: "a=b;p=" });
});

Deno.test("what a workflow sets comes before the caller's baggage and takes its place", async () => {
  const merged = await both.merge("team=old,user=ann", {
    set: { team: "data & co", priority: "5" },
    fromCaller: ["user", "team", "absent"],
    inherited: { region: "eu", team: "older" },
  });
  assert.deepEqual(merged, {
    baggage: "team=data%20%26%20co,priority=5,user=ann",
    context: { region: "eu", user: "ann", team: "data & co", priority: "5" },
    warnings: [],
  });
  const full = Array.from({ length: 64 }, (_, index) => `n${index}=v`).join(",");
  const { baggage, warnings } = await both.merge(full, { set: { team: "data" }, fromCaller: [] });
  assert.match(baggage ?? "", /^team=data,n0=v/);
  assert.equal(baggage?.split(",").length, 64);
  assert.match(warnings.join(), /^1 member of the run's baggage left out/);
});

Deno.test("an attempt's context goes out as W3C asks, with the caller's sampled and random flags", async () => {
  const at = (traceFlags?: number) => both.headers({ ...LOCAL, traceFlags });
  const parent = (flags: string) => ({ traceparent: `00-${TRACE}-00f067aa0ba902b7-${flags}` });
  assert.deepEqual(await at(), parent("01"), "a trace that begins here is sampled");
  assert.deepEqual(await at(0), parent("00"));
  assert.deepEqual(await at(0xff), parent("03"), "flags that nobody knows are written as 0");
  const all = { ...LOCAL, traceFlags: 2, traceState: "a=b,c=d", baggage: "team=data" };
  assert.deepEqual(await both.headers(all), {
    ...parent("02"),
    tracestate: "a=b,c=d",
    baggage: "team=data",
  });
  assert.deepEqual(await both.environment(all), {
    TRACEPARENT: parent("02").traceparent,
    TRACESTATE: "a=b,c=d",
    BAGGAGE: "team=data",
  });
  assert.deepEqual(await both.environment(LOCAL), {
    TRACEPARENT: parent("01").traceparent,
    TRACESTATE: undefined,
    BAGGAGE: undefined,
  }, "the caller's own are of another span");
});

Deno.test("an attempt is told of under the ids by which it is exported", async () => {
  const other = { traceId: "1".repeat(32), spanId: "2".repeat(16) };
  const propagation = new W3cPropagation(BOTH);
  let sampled: boolean | undefined = false;
  propagation.follow({ exported: () => other, sampled: () => sampled });
  const context = { ...LOCAL, traceFlags: 3, baggage: "a=b" };
  assert.deepEqual(propagation.reference(context), { ...other, traceFlags: 0 });
  assert.equal(
    (await propagation.headers(context)).traceparent,
    `00-${other.traceId}-${other.spanId}-00`,
  );
  sampled = undefined;
  assert.equal(
    propagation.reference(context).traceFlags,
    1,
    "what is not exported here is the caller's",
  );
});

Deno.test("formats that OTEL_PROPAGATORS leaves out are neither read nor written", async () => {
  const environment = { TRACEPARENT: `00-${TRACE}-${SPAN}-01`, TRACESTATE: "a=b", BAGGAGE: "c=d" };
  const context = { ...LOCAL, traceState: "a=b", baggage: "c=d" };
  const none = new W3cPropagation([]);
  assert.deepEqual(await none.extract({ environment }), {});
  assert.deepEqual(await none.environment(context), {}, "and what is inherited stays");
  assert.deepEqual(await none.headers(context), {});
  const own = { set: { team: "data" }, fromCaller: [] };
  assert.deepEqual(await none.merge(undefined, own), { context: { team: "data" }, warnings: [] });
  const baggage = new W3cPropagation(["baggage"]);
  assert.deepEqual(await baggage.extract({ environment }), { baggage: "c=d" });
  assert.deepEqual(await baggage.headers(context), { baggage: "c=d" });
  const trace = new W3cPropagation(["tracecontext"]);
  assert.deepEqual(await trace.extract({ environment }), {
    traceId: TRACE,
    parentSpanId: SPAN,
    traceFlags: 1,
    traceState: "a=b",
  });
  assert.deepEqual(Object.keys(await trace.environment(context)), ["TRACEPARENT", "TRACESTATE"]);
});
