import assert from "node:assert/strict";
import { StepError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { SpanEvent } from "../core/plugin.ts";
import { inProcess } from "./in_process.ts";
import { type LinkLimits, PluginLink } from "./link.ts";
import { PluginError } from "./plugin_error.ts";
import type { Channel, FromPlugin, HandlerCall, Question } from "./protocol.ts";

const clock = {
  now: () => 0n,
  monotonic: () => performance.now(),
  after(ms: number, fire: () => void) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};

interface Opened {
  readonly link: PluginLink;
  readonly lines: string[];
  readonly questions: Question[];
}

function open(channel: Channel, limits?: LinkLimits, monotonic = clock.monotonic): Opened {
  const lines: string[] = [];
  const questions: Question[] = [];
  const link = new PluginLink(channel, {
    clock: { ...clock, monotonic },
    onLog: (line) => lines.push(line),
    answer(question): Promise<Json> {
      questions.push(question);
      if (question.ask === "parameters") return Promise.reject(new TypeError("No such workflow"));
      return Promise.resolve([]);
    },
  }, limits);
  return { link, lines, questions };
}

// A plugin from its definition's text, in this process.
async function started(
  definition: string,
  given: { config?: JsonObject; state?: Record<string, Json> } = {},
): Promise<Opened> {
  const opened = open(inProcess({ monotonic: clock.monotonic }));
  await opened.link.load(moduleOf(definition));
  opened.link.start(given.config ?? {}, given.state ?? {}, "orders");
  return opened;
}

function moduleOf(definition: string): string {
  return `data:text/javascript,${
    encodeURIComponent(`export default ${definition}`)
  }#${Math.random()}`;
}

const ANALYZER = `name: "one", role: "analyzer", subscribe: { name: "a" }`;

function call(position: number): HandlerCall {
  const event: SpanEvent = {
    event: "ended",
    position,
    span: {
      traceId: "0".repeat(32),
      spanId: "0".repeat(16),
      name: "a",
      kind: "internal",
      startTime: 1,
      endTime: 2,
      duration: 1,
      status: "ok",
      attributes: { "a.b": 1 },
      links: [],
      external: false,
    },
  };
  return { kind: "span", event, now: 2 };
}

function rejects(promise: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof PluginError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("load() tells what the plugin says of itself", async () => {
  const { link } = open(inProcess({ monotonic: clock.monotonic }));
  const description = await link.load(moduleOf(`{ ${ANALYZER}, actions: ["emit"], version: "2.0",
    config: { type: "object" }, onSpan() {}, steps: { go: { with: { type: "object" }, run() {} } } }`));
  assert.deepEqual(description, {
    name: "one",
    version: "2.0",
    protocol: 1,
    role: "analyzer",
    subscribe: [{ name: "a" }],
    actions: ["emit"],
    config: { type: "object" },
    stateVersion: 1,
    steps: { go: { type: "object" } },
  });
});

const WRONG: readonly [definition: string, says: RegExp][] = [
  ["7", /default export is no plugin; write `export default definePlugin/],
  [`{ ${ANALYZER}, protocol: 2, onSpan() {} }`, /protocol 2, and this Spanloop speaks 1; update/],
  [`{ ${ANALYZER}, protocol: 0, onSpan() {} }`, /install a version of it for protocol 1/],
  [`{ ${ANALYZER}, name: "One", onSpan() {} }`, /`name` must be lower-case.*is "One"/],
  [`{ ${ANALYZER}, role: "boss", onSpan() {} }`, /`role` must be analyzer, optimizer, agent/],
  [`{ ${ANALYZER} }`, /subscribes to spans and has no `onSpan`/],
  [`{ ${ANALYZER}, onSpan: 7 }`, /`onSpan` must be a function/],
  [`{ ${ANALYZER}, onSpan() {}, onTick() {} }`, /has `onTick` and subscribes to no ticks/],
  [`{ ${ANALYZER}, subscribe: { cron: "* * * * *" }, onTick() {}, onSpan() {} }`, /to no spans/],
  [`{ ${ANALYZER}, actions: ["exec"], onSpan() {} }`, /`actions` may list emit.*lists "exec"/],
  [`{ ${ANALYZER}, onSpan() {}, onspan() {} }`, /onspan is a function, which JSON cannot/],
  [`{ ${ANALYZER}, onSpan() {}, verison: "1" }`, /A plugin has no `verison`/],
  [`{ ${ANALYZER}, subscribe: { nam: "a" }, onSpan() {} }`, /subscription to spans has no `nam`/],
  [`{ ${ANALYZER}, subscribe: { event: "end" }, onSpan() {} }`, /started or ended, and is "end"/],
  [`{ ${ANALYZER}, subscribe: ["a"], onSpan() {} }`, /must be an object such as/],
  [`{ ${ANALYZER}, stateVersion: 0, onSpan() {} }`, /`stateVersion` must be a whole number/],
  [`{ ${ANALYZER}, config: "x", onSpan() {} }`, /`config` must be a JSON Schema/],
  [`{ ${ANALYZER}, onSpan() {}, steps: { go: {} } }`, /step type go must have a function `run`/],
  [`{ ${ANALYZER}, onSpan() {}, steps: { Go: { run() {} } } }`, /step type's name must be/],
  [`{ name: "one", role: "agent" }`, /subscribes to nothing and brings no step types/],
  [`{ get name() { throw new Error("mine") } }`, /mine/],
];

Deno.test("load() refuses a wrong definition with one sentence", async () => {
  for (const [definition, says] of WRONG) {
    const { link } = open(inProcess({ monotonic: clock.monotonic }));
    await rejects(link.load(moduleOf(definition)), "plugin.definition", says);
  }
});

Deno.test("load() says why a module cannot be loaded", async () => {
  const { link } = open(inProcess({ monotonic: clock.monotonic }));
  await rejects(link.load("file:///no/such/plugin.ts"), "plugin.import", /no\/such\/plugin\.ts/);
});

Deno.test("handle() calls the handlers in order and gives what they return (J4)", async () => {
  const { link } = await started(
    `{ ${ANALYZER}, actions: ["emit"], onSpan({ position }, { now, workflow, config }) {
      if (position === 2) return;
      const emit = { type: "emit", name: workflow + config.x + now, attributes: { position } };
      return position === 3 ? Promise.resolve([emit]) : [emit];
    } }`,
    { config: { x: "!" } },
  );
  const emit = (position: number) => ({ type: "emit", name: "orders!2", attributes: { position } });
  assert.deepEqual(await link.handle([call(1), call(2), call(3), call(4)]), {
    count: 4,
    actions: [
      { index: 0, actions: [emit(1)] },
      { index: 2, actions: [emit(3)] },
      { index: 3, actions: [emit(4)] },
    ],
    state: {},
  });
});

Deno.test("a call that throws changes no state, and those before it do (T3)", async () => {
  const { link } = await started(
    `{ ${ANALYZER}, onSpan({ position }, { state }) {
      const list = state.get("list") ?? [];
      list.push(position); // in place: changes nothing
      state.set("list", [...state.get("list") ?? [], position]);
      state.delete("old");
      if (position === 3) throw new TypeError("three");
    } }`,
    { state: { old: 1 } },
  );
  const handled = await link.handle([call(1), call(2), call(3), call(4)]);
  assert.deepEqual(handled, {
    count: 2,
    actions: [],
    state: { list: [1, 2], old: null },
    failure: { name: "TypeError", message: "three", transient: false },
  });
  assert.deepEqual((await link.handle([call(4)])).state, { list: [1, 2, 4], old: null });
});

Deno.test("a rejection is a failure like a throw, and the next event is handled (H1)", async () => {
  const { link } = await started(`{ ${ANALYZER}, async onSpan({ position }) {
    await null; if (position === 1) throw { odd: true }; } }`);
  const { count, failure } = await link.handle([call(1)]);
  assert.deepEqual([count, failure?.message], [0, "[object Object]"]);
  assert.equal((await link.handle([call(2)])).count, 1);
});

Deno.test("the state keeps to its limits", async () => {
  const { link } = await started(`{ ${ANALYZER}, onSpan({ position }, { state }) {
    if (position === 1) state.set("a", "x".repeat(64 * 1024));
    if (position === 2) for (let i = 0; i < 17; i++) state.set("k" + i, "x".repeat(64 * 1024 - 2));
    if (position === 3) state.set("a", NaN);
    if (position === 4) state.set("", 1);
    if (position === 5) { state.set("b", 1); state.set("b", null); }
  } }`);
  const failures = [];
  for (let i = 1; i <= 4; i++) failures.push((await link.handle([call(i)])).failure?.message);
  assert.match(failures[0] ?? "", /a would take 65538 bytes, and a value may take 65536/);
  assert.match(failures[1] ?? "", /The state would take \d+ bytes, and it may take 1048576 in all/);
  assert.match(failures[2] ?? "", /state\.a is NaN, which JSON cannot carry/);
  assert.match(failures[3] ?? "", /key must be text of 1 to 256 characters/);
  assert.deepEqual((await link.handle([call(5)])).state, { b: null });
});

Deno.test("what JSON cannot carry is an action of no known type; what is too many is counted", async () => {
  const { link } = await started(`{ ${ANALYZER}, onSpan({ position }) {
    if (position === 1) return [{ type: "propose", changes: { a: NaN } }, { type: "emit", name: "b" }];
    if (position === 2) return Array.from({ length: 1_000_000 }, () => ({ type: "emit", name: "b" }));
    return "emit";
  } }`);
  const { actions: [{ actions }] } = await link.handle([call(1)]);
  assert.deepEqual(actions[0] as unknown, {
    type: "invalid",
    message:
      "actions[0].changes.a is NaN, which JSON cannot carry; return it as text, a number, a " +
      "list or a plain object",
  });
  assert.deepEqual(actions[1], { type: "emit", name: "b" });
  const many = await link.handle([call(2), call(3)]);
  assert.equal(many.count, 1, "an answer that is full is sent before the rest is handled");
  assert.equal(many.actions[0].actions.length, 1_000_000);
  assert.match((await link.handle([call(3)])).failure?.message ?? "", /must give back a list/);
});

Deno.test("what a plugin says moves no cursor and forges no line (H1)", async () => {
  const { link, lines } = await started(
    `{ ${ANALYZER}, version: "1\\n\\x1b[2J2", onSpan(_, { log }) {
    log("one\\nERROR two\\x1b[31m \\x9b2J\\r three");
    throw new Error("first\\n\\x1b[2Jsecond");
  } }`,
  );
  const { failure } = await link.handle([call(1)]);
  assert.deepEqual(lines, ["one", "ERROR two [31m 2J three"]);
  assert.equal(failure?.message, "first [2Jsecond");
});

Deno.test("a handler asks, and hears the answer or why there is none", async () => {
  const { link, questions } = await started(
    `{ ${ANALYZER}, async onSpan(event, { query, parameters, log }) {
    log("found " + (await query({ limit: 3 })).length);
    await parameters("other").catch((error) => log(error.message));
  } }`,
  );
  assert.equal((await link.handle([call(1)])).count, 1);
  assert.deepEqual(questions, [
    { ask: "query", query: { limit: 3 }, now: 2, workflow: "orders" },
    { ask: "parameters", now: 2, workflow: "other" },
  ]);
});

Deno.test("a context that a handler kept serves no later call", async () => {
  const { link, lines } = await started(
    `(() => { let kept; return { ${ANALYZER}, onSpan(_, context) {
    try { kept?.state.set("a", 1); } catch (error) { context.log(error.message); }
    kept = context;
  } }; })()`,
  );
  const handled = await link.handle([call(1), call(2)]);
  assert.deepEqual(handled.state, {});
  assert.match(lines.join(), /The handler has returned/);
});

Deno.test("a handler that never returns is stopped, and its link with it (H1)", async () => {
  const limits = { load: 120_000, handle: 20, abort: 20 };
  const { link } = open(inProcess({ monotonic: clock.monotonic }), limits);
  await link.load(moduleOf(`{ ${ANALYZER}, onSpan() { return new Promise(() => {}); } }`));
  link.start({}, {});
  const gone = new Promise<PluginError>((resolve) => link.onGone = resolve);
  await rejects(link.handle([call(1)]), "plugin.time", /did not handle an event within 0\.02 s/);
  assert.equal((await gone).code, "plugin.time");
  await rejects(link.handle([call(1)]), "plugin.time", /did not handle/);
});

Deno.test("steps run at once, log, fail by class, and hear that they were aborted", async () => {
  const { link } = await started(
    `{ name: "one", role: "agent", steps: { go: { async run(context) {
    context.log("try " + context.attempt);
    if (context.with.wait) await new Promise((_, reject) =>
      context.signal.addEventListener("abort", () => reject(context.signal.reason)));
    if (context.with.fail) throw Object.assign(new Error("again"), { errorClass: "transient" });
    return { sum: context.items.length + context.config.x };
  } } } }`,
    { config: { x: 1 } },
  );
  const lines: string[] = [];
  const run = (input: JsonObject, signal = new AbortController().signal) =>
    link.step(
      { step: "go", with: input, items: [1, 2], attempt: 1, idempotencyKey: "k", now: 1 },
      { signal, onLine: (line) => lines.push(line), answer: () => Promise.resolve(null) },
    );
  const controller = new AbortController();
  const waiting = run({ wait: true }, controller.signal);
  assert.deepEqual(await run({}), { sum: 3 });
  await assert.rejects(run({ fail: true }), { code: "plugin.transient", errorClass: "transient" });
  controller.abort(new TypeError("Enough"));
  await assert.rejects(waiting, { code: "step.ended", message: /Enough/ });
  assert.deepEqual(lines, ["try 1", "try 1", "try 1"]);
});

Deno.test("attempts at a step ask each for itself, and get the class of a refusal with it", async () => {
  const { link } = await started(
    `{ name: "one", role: "agent", steps: { go: { async run(context) {
    const asked = context.with.times.map(() => context[context.with.ask]("w"));
    const answers = await Promise.allSettled(asked);
    const refused = answers.find((one) => one.status === "rejected");
    if (refused && context.with.fail) throw refused.reason;
    return { answered: answers.filter((one) => one.status === "fulfilled").length,
      first: answers[0].value ?? null, message: refused?.reason.message ?? null };
  } } } }`,
  );
  const release = Promise.withResolvers<void>();
  const run = (ask: string, times: number, more: JsonObject = {}) =>
    link.step({
      step: "go",
      with: { ask, times: new Array(times).fill(0), ...more },
      items: [],
      attempt: 1,
      idempotencyKey: "k",
      now: 1,
    }, {
      signal: new AbortController().signal,
      onLine: () => {},
      answer: async ({ ask, workflow }): Promise<Json> => {
        if (ask === "parameters") {
          throw new StepError("store.busy", "Busy", { errorClass: "transient" });
        }
        await release.promise;
        return { ask, workflow: workflow ?? null };
      },
    });
  const [all, many] = [run("kept", 16), run("kept", 17)];
  await assert.rejects(run("parameters", 1, { fail: true }), {
    code: "plugin.transient",
    errorClass: "transient",
  });
  release.resolve();
  const first = { ask: "kept", workflow: "w" };
  assert.deepEqual(await all, { answered: 16, first, message: null });
  assert.deepEqual(await many, {
    answered: 16,
    first,
    message: "16 questions are open already; await some before you ask more",
  });
});

Deno.test("a question for an attempt that is over is refused, and nobody is asked", async () => {
  const said: unknown[] = [];
  const channel = new Saying((say) => {
    say({ type: "question", id: 5, question: { ask: "kept", step: 99 } });
    say({ type: "handled", id: 1, handled });
  });
  const send = channel.send.bind(channel);
  channel.send = (message) => {
    said.push(message);
    send(message);
  };
  const { link } = open(channel);
  await link.load("file:///plugin.ts");
  await link.handle([call(1)]);
  assert.deepEqual(said.at(-1), {
    type: "refusal",
    id: 5,
    message: "Ask while a handler or the step runs: nothing is handled",
    transient: false,
  });
});

// Whatever may come out of a sandbox: a channel that says what a test wants.
class Saying implements Channel {
  onMessage: (message: FromPlugin) => void = () => {};
  onGone: Channel["onGone"] = () => {};
  closed = 0;
  readonly #say: (say: (message: unknown) => void) => void;
  constructor(say: (say: (message: unknown) => void) => void) {
    this.#say = say;
  }
  send(message: { readonly type: string }): void {
    const description = { name: "one", protocol: 1, role: "agent", actions: [], stateVersion: 1 };
    if (message.type === "load") {
      this.onMessage({
        type: "loaded",
        description: { ...description, role: "agent", subscribe: [{}], steps: {} },
      });
    }
    if (message.type === "handle") this.#say((said) => this.onMessage(said as FromPlugin));
  }
  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

const nested = JSON.parse("[".repeat(5_000) + "]".repeat(5_000));
const handled = { count: 1, actions: [], state: {} };
const FORGED: readonly unknown[] = [
  null,
  7,
  "loaded",
  [],
  {},
  { type: "__proto__" },
  { type: "answer", id: 1, value: 1 },
  { type: "loaded", description: {} },
  { type: "failed", during: "import", thrown: {} },
  { type: "handled", id: 7, handled },
  { type: "handled", id: 1 },
  { type: "handled", id: 1, handled: { ...handled, count: 2 } },
  { type: "handled", id: 1, handled: { ...handled, count: -1 } },
  { type: "handled", id: 1, handled: { ...handled, count: 0 } },
  { type: "handled", id: 1, handled: { ...handled, actions: { length: 1 } } },
  { type: "handled", id: 1, handled: { ...handled, actions: [{ index: 1, actions: [] }] } },
  { type: "handled", id: 1, handled: { ...handled, actions: [{ index: 0, actions: "no" }] } },
  { type: "handled", id: 1, handled: { ...handled, actions: [{ index: 0, actions: [nested] }] } },
  { type: "handled", id: 1, handled: { ...handled, state: [] } },
  { type: "handled", id: 1, handled: { ...handled, state: { a: "x".repeat(70_000) } } },
  { type: "handled", id: 1, handled: { ...handled, state: { ["x".repeat(300)]: 1 } } },
  { type: "question", id: 1, question: { ask: "everything" } },
  { type: "question", id: 1, question: { ask: "query", query: { limit: "1" }, now: 1 } },
  { type: "question", id: 1, question: { ask: "kept", now: 1 } },
  { type: "question", id: 1, question: { ask: "propose", action: {}, now: 1 } },
  { type: "question", id: 1, question: { ask: "parameters", step: "1" } },
  { type: "question", id: 1, question: { ask: "propose", action: [], step: 1 } },
  { type: "question", id: 1, question: { ask: "propose", action: { reason: nested }, step: 1 } },
  { type: "log", line: { toString: 1 } },
];

Deno.test("what the protocol does not allow ends the plugin, whatever it is (H1)", async () => {
  for (const said of FORGED) {
    const channel = new Saying((say) => say(said));
    const { link } = open(channel);
    let gone = 0;
    link.onGone = () => gone++;
    await link.load("file:///plugin.ts");
    link.start({}, {});
    const shown = JSON.stringify(said).slice(0, 100);
    await assert.rejects(link.handle([call(1)]), { code: "plugin.protocol" }, shown);
    assert.deepEqual([gone, channel.closed], [1, 1], shown);
  }
});

Deno.test("a key such as __proto__ is a key like any other", async () => {
  const { link } = await started(`{ ${ANALYZER}, onSpan(_, { state }) {
    const odd = JSON.parse('{"__proto__": {"polluted": 1}}');
    state.set("__proto__", odd);
    return [{ type: "emit", name: "b", attributes: odd }];
  } }`);
  const { actions: [{ actions: [action] }], state } = await link.handle([call(1)]);
  assert.deepEqual(Object.keys((action as { attributes: object }).attributes), ["__proto__"]);
  assert.deepEqual(Object.keys(state), ["__proto__"]);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

Deno.test("a log that floods is cut, and one that floods the engine ends the plugin (H1)", async () => {
  const lines = (count: number) => (say: (message: unknown) => void) => {
    for (let i = 0; i < count; i++) say({ type: "log", line: `${i}` });
    say({ type: "handled", id: 1, handled });
  };
  // All within one second, however long it takes here.
  const still = () => 0;
  const some = open(new Saying(lines(1_000)), undefined, still);
  await some.link.load("file:///plugin.ts");
  assert.equal((await some.link.handle([call(1)])).count, 1);
  assert.equal(some.lines.length, 101);
  assert.match(some.lines[100], /More than 100 lines a second/);
  const many = open(new Saying(lines(10_001)), undefined, still);
  await many.link.load("file:///plugin.ts");
  await rejects(many.link.handle([call(1)]), "plugin.protocol", /10000 messages a second/);
});

Deno.test("events handed over ahead wait, and none of them overtakes one that threw (J4)", async () => {
  const { link, lines } = await started(`(() => { let failed = false; return { ${ANALYZER},
    async onSpan({ position }, { log }) {
    log("at " + position);
    await null;
    if (position === 2 && !failed) { failed = true; throw new Error("once"); }
    return [{ type: "emit", name: "n" + position }];
  } }; })()`);
  const sent = [[1], [2, 3], [4], [5]].map((positions) => link.handOver(positions.map(call)));
  const counts = async (answers: typeof sent) =>
    (await Promise.all(answers)).map(({ count, failure }) => [count, failure?.message]);
  assert.deepEqual(await counts(sent), [
    [1, undefined],
    [0, "once"],
    [0, undefined],
    [0, undefined],
  ]);
  assert.deepEqual(await counts([link.handOver([call(2), call(3)]), link.handOver([call(4)])]), [
    [2, undefined],
    [1, undefined],
  ]);
  assert.deepEqual(lines, [1, 2, 2, 3, 4].map((position) => `at ${position}`));
});
