import assert from "node:assert/strict";
import { seeded } from "../core/seeded_test.ts";
import { checkAction } from "./check_action.ts";

const trace = "a".repeat(32);
const span = "b".repeat(16);

function refusal(value: unknown): string {
  const checked = checkAction(value);
  assert.ok("why" in checked, `taken: ${JSON.stringify(checked)}`);
  return `${checked.why}: ${checked.message}`;
}

const emit = (rest: object = {}) => ({ type: "emit", name: "finding", ...rest });
const propose = (rest: object = {}) => ({
  type: "propose",
  changes: { batch_size: 40 },
  reason: "It is faster.",
  ...rest,
});

Deno.test("what has the form of an action is taken as it is", () => {
  for (
    const action of [
      emit(),
      emit({
        attributes: { text: "a", number: 1.5, flag: false, list: ["a", "b"], empty: [] },
        links: [{ traceId: trace, spanId: span }],
      }),
      propose(),
      propose({ workflow: "orders", evidence: [], version: 3 }),
      propose({ exposure: 0.25, immediate: false }),
      { type: "command", name: "lean.define" },
      { type: "command", name: "x", params: { deep: [{ a: null }] }, reason: "Because." },
    ]
  ) {
    assert.deepEqual(checkAction(action), action);
  }
});

Deno.test("whole spans serve as links, and what is undefined counts as absent", () => {
  const links = [{ traceId: trace, spanId: span, name: "load", attributes: {} }];
  const given = emit({ links, attributes: { a: undefined, b: 1, zero: -0 } });
  assert.deepEqual(
    checkAction(given),
    emit({ links: [{ traceId: trace, spanId: span }], attributes: { b: 1, zero: 0 } }),
  );
  assert.deepEqual(checkAction(emit({ links: undefined })), emit());
});

Deno.test("a refusal names the field and what it must be", () => {
  for (
    const [value, sentence] of [
      [undefined, "invalid: the action must be an object, not nothing"],
      [[], "invalid: the action must be an object, not a list"],
      [
        new Date(0),
        "invalid: the action must be a plain object of JSON, not an instance of a class",
      ],
      [{}, "invalid: `type` must be emit, propose or command"],
      [Object.create(emit()), "invalid: the action must be a plain object"],
      [emit({ name: "" }), "invalid: `name` must be a text, not an empty text"],
      [emit({ name: 7 }), "invalid: `name` must be a text, not 7"],
      [emit({ name: "x".repeat(257) }), "size: `name` is longer than 256 characters"],
      [emit({ name: "a\u001b[2Jb" }), "invalid: `name` must not hold control characters"],
      [emit({ name: "a\ud800" }), "invalid: `name` must not hold control characters or half"],
      [emit({ links: {} }), "invalid: `links` must be a list of spans"],
      [
        emit({ links: [{ traceId: trace }] }),
        "invalid: `links[0].spanId` must be 16 lower-case hex",
      ],
      [
        emit({ links: [{ traceId: "0".repeat(32), spanId: span }] }),
        "invalid: `links[0].traceId` must be 32 lower-case hex digits, not all zero",
      ],
      [
        emit({ links: Array(129).fill({ traceId: trace, spanId: span }) }),
        "size: `links` has more than 128 elements",
      ],
      [emit({ link: [] }), "invalid: an emit has no `link`; it has type, name, attributes, links"],
      [
        emit({ attributes: { rate: NaN } }),
        "invalid: `attributes.rate` must be text, a finite number",
      ],
      [emit({ attributes: { rate: -Infinity } }), "not -Infinity"],
      [emit({ attributes: { rate: null } }), "not null"],
      [emit({ attributes: { rate: {} } }), "not an object"],
      [emit({ attributes: { rate: 5n } }), "not a bigint"],
      [emit({ attributes: { rate: [1, NaN] } }), "invalid: `attributes.rate[1]` must be text"],
      [emit({ attributes: { rate: [1, "a"] } }), "must hold values of one kind"],
      [
        emit({ attributes: { rate: "x".repeat(8_193) } }),
        "size: `attributes.rate` is longer than 8 KiB",
      ],
      [
        emit({ attributes: { rate: "é".repeat(4_097) } }),
        "size: `attributes.rate` is longer than 8 KiB",
      ],
      [
        emit({ attributes: Object.fromEntries(Array.from({ length: 129 }, (_, i) => [i, i])) }),
        "size: `attributes` has more than 128 of them",
      ],
      [
        emit({
          attributes: Object.fromEntries(
            Array.from({ length: 9 }, (_, i) => [`a${i}`, "x".repeat(8_000)]),
          ),
        }),
        "size: `attributes` is larger than 64 KiB",
      ],
      [propose({ changes: {} }), "invalid: `changes` must name at least one parameter"],
      [
        propose({ changes: { batch_size: NaN } }),
        "invalid: `changes.batch_size` must be a value of JSON, not NaN",
      ],
      [
        propose({ changes: { batch_size: null } }),
        "invalid: `changes.batch_size` must be a value, not null",
      ],
      [
        propose({
          changes: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`p${i}`, i])),
        }),
        "size: `changes` names more than 100 parameters",
      ],
      [propose({ reason: undefined }), "invalid: `reason` must be a sentence, not nothing"],
      [propose({ reason: " " }), "invalid: `reason` must be a sentence"],
      [propose({ reason: "x".repeat(2_001) }), "size: `reason` is longer than 2000 characters"],
      [propose({ version: 1.5 }), "invalid: `version` must be a whole number from 0, not 1.5"],
      [
        propose({ exposure: 0 }),
        "invalid: `exposure` must be above 0 and at most 1, not 0",
      ],
      [propose({ exposure: NaN }), "invalid: `exposure` must be above 0 and at most 1, not NaN"],
      [propose({ immediate: 1 }), "invalid: `immediate` must be true or false, not 1"],
      [propose({ workflow: null }), "invalid: `workflow` must be a text, not null"],
      [
        { type: "command", name: "x", params: [] },
        "invalid: `params` must be an object, not a list",
      ],
      [
        { type: "command", name: "x", params: { f: () => 1 } },
        "invalid: `params.f` must be a value of JSON, not a function",
      ],
      [
        { type: "command", name: "x", params: { d: new Map() } },
        "`params.d` must be a plain object of JSON",
      ],
      [
        { type: "command", name: "x", params: { l: Array(70_000).fill(1) } },
        "size: `params.l` has more than 65536 elements",
      ],
      [
        { type: "command", name: "x", params: { l: Array(40_000).fill(1) } },
        "size: `params` is larger than 64 KiB",
      ],
    ] as const
  ) {
    assert.ok(refusal(value).includes(sentence), `${refusal(value)}\nis not\n${sentence}`);
  }
});

Deno.test("values without an end are refused for their depth", () => {
  const loop: Record<string, unknown> = {};
  loop.again = loop;
  assert.match(
    refusal({ type: "command", name: "x", params: loop }),
    /^size: .* is nested deeper than 32 levels$/,
  );
});

Deno.test("`__proto__` and `constructor` are data: no prototype is touched", () => {
  const text = '{"__proto__":"a","constructor":"b"}';
  const checked = checkAction(JSON.parse(`{"type":"emit","name":"x","attributes":${text}}`));
  assert.ok("attributes" in checked);
  assert.equal(JSON.stringify(checked.attributes), text);
  assert.equal(Object.getPrototypeOf(checked.attributes), Object.prototype);

  const made = checkAction(
    JSON.parse('{"type":"command","name":"x","params":{"__proto__":{"polluted":1}}}'),
  );
  assert.ok("params" in made && made.params !== undefined);
  assert.equal(made.params.polluted, undefined);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.match(refusal(JSON.parse('{"__proto__":{"type":"emit"},"name":"x"}')), /`type` must be/);
});

Deno.test("each property is read once, and what changes afterwards changes nothing", () => {
  let reads = 0;
  const attributes = {
    get rate() {
      return reads++ === 0 ? 1 : NaN;
    },
  };
  const list = ["a"];
  const given = emit({ attributes: { list } });
  assert.deepEqual(checkAction(emit({ attributes })), emit({ attributes: { rate: 1 } }));
  assert.equal(reads, 1);
  const checked = checkAction(given);
  list.push("b");
  assert.deepEqual(checked, emit({ attributes: { list: ["a"] } }));
});

Deno.test("getters and proxies that throw, whatever they throw, make an action invalid", () => {
  const thrower = (thrown: unknown) => ({
    type: "emit",
    get name() {
      throw thrown;
    },
  });
  assert.equal(refusal(thrower(new Error("no"))), "invalid: the action cannot be read: no");
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.match(refusal(proxy), /^invalid: the action cannot be read/);
  assert.equal(refusal(thrower(proxy)), "invalid: the action cannot be read: it throws");
  const endless = new Proxy([], { get: (_, key) => key === "length" ? -1e9 : undefined });
  assert.deepEqual(checkAction(emit({ links: endless })), emit({ links: [] }));
});

Deno.test("whatever comes, an answer does; what is taken is plain JSON and taken again", () => {
  const random = seeded("check_action");
  const leaves = [
    () => undefined,
    () => null,
    () => NaN,
    () => -0,
    () => 1e308,
    () => 5n,
    () => Symbol("x"),
    () => () => 1,
    () => "text",
    () => "\ud800\u0000",
    () => "x".repeat(9_000),
    () => true,
    () => new Date(0),
    () => new Map(),
    () => trace,
    () => span,
    () => random.below(100),
  ];
  const keys = ["type", "name", "attributes", "links", "changes", "reason", "params", "workflow"]
    .concat(
      "evidence",
      "version",
      "traceId",
      "spanId",
      "__proto__",
      "constructor",
      "toString",
      "a",
    );
  const some = (depth: number): unknown => {
    const kind = random.below(depth > 3 ? 1 : 4);
    if (kind === 0) return random.pick(leaves)();
    if (kind === 1) return Array.from({ length: random.below(4) }, () => some(depth + 1));
    return Object.fromEntries(
      Array.from({ length: random.below(5) }, () => [random.pick(keys), some(depth + 1)]),
    );
  };
  const fair: Record<string, () => unknown> = {
    name: () => "x",
    reason: () => "Because.",
    changes: () => ({ a: random.below(9) }),
    attributes: () => ({ a: random.pick([1, "b", [true], NaN]) }),
    links: () => [{ traceId: trace, spanId: span }],
    params: () => ({ a: some(1) }),
  };
  const own = {
    emit: ["name", "attributes", "links"],
    propose: ["changes", "reason"],
    command: ["name", "params", "reason"],
  };
  const taken = { emit: 0, propose: 0, command: 0 };
  for (let round = 0; round < 5_000; round++) {
    const type = random.pick(["emit", "propose", "command"] as const);
    const given: Record<string, unknown> = { type };
    for (const [key, make] of Object.entries(fair)) {
      const likely = own[type].includes(key) ? 6 : 0;
      if (random.below(7) < likely || random.below(50) === 0) {
        given[key] = random.below(6) === 0 ? some(0) : make();
      }
    }
    const checked = checkAction(random.below(20) === 0 ? some(0) : given);
    if ("why" in checked) {
      assert.ok(checked.message.length > 10 && checked.message.length < 500, checked.message);
      continue;
    }
    taken[checked.type]++;
    const again = JSON.parse(JSON.stringify(checked));
    assert.deepEqual(again, checked, `seed ${random.seed}`);
    assert.deepEqual(checkAction(again), checked, `seed ${random.seed}`);
  }
  for (const count of Object.values(taken)) assert.ok(count > 50, `seed ${random.seed}`);
});
