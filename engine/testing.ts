/**
 * What the author of a plugin tests it with: spans in, expected actions out. The spans may be those that an engine
 * exported in production.
 *
 * @module
 */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Action, ActionType, ProposeAction } from "./core/action.ts";
import { messageOf, SpanloopError } from "./core/errors.ts";
import type { Json, JsonObject } from "./core/json.ts";
import type {
  PluginDefinition,
  SpanEvent,
  SpanQuery,
  StepDecision,
  TickEvent,
  TunableParameter,
  TunableParameters,
} from "./core/plugin.ts";
import { checkConfig } from "./host/config.ts";
import { readFixture, withStarts } from "./host/fixture.ts";
import { type GivenSpan, givenSpan } from "./host/given_span.ts";
import type { Heard } from "./host/heard.ts";
import { inProcess } from "./host/in_process.ts";
import { Judge, type Judged } from "./host/judge.ts";
import { PluginLink } from "./host/link.ts";
import { PluginError, threwError } from "./host/plugin_error.ts";
import { nameOf, toSpanEvent } from "./host/plugin_span.ts";
import type { HandlerCall, PluginDescription, Question, StepQuestion } from "./host/protocol.ts";
import { querySpans } from "./host/query.ts";
import { recordedRuns } from "./host/recorded_runs.ts";
import { Routes } from "./host/routes.ts";
import type { Sees } from "./host/sees.ts";
import { checkedCall } from "./host/step_call.ts";
import { compileSubscriptions } from "./host/subscription.ts";
import { systemClock } from "./system.ts";

export type { GivenSpan };

/** The tunable parameters that a tested plugin sees, by name; what is left out of one is as for a new one. */
export type GivenParameters = Readonly<Record<string, Partial<TunableParameter>>>;

/** What else a tested plugin sees of a workflow's contract; what is left out is as before the first change. */
export type GivenContract = Partial<Omit<TunableParameters, "parameters">>;

/** How a plugin is used in a test. */
export interface PluginSetup {
  /** Its configuration, as `with:` in a workflow. */
  readonly config?: JsonObject;
  /** What it has kept before. */
  readonly state?: Readonly<Record<string, Json>>;
  /** The workflow that uses it; absent: it is used for all. */
  readonly workflow?: string;
  /** The tunable parameters of every workflow; a function is asked each time. */
  readonly parameters?: GivenParameters | (() => GivenParameters);
  /** The version, objective, guards and experiment of every workflow; a function is asked each time. */
  readonly contract?: GivenContract | (() => GivenContract);
}

/** An action, and what it answers. */
export interface Answer {
  /** The action. */
  readonly action: Action;
  /** The span's event, or the tick. */
  readonly event: SpanEvent | TickEvent;
}

/** What a test gives a plugin, and what it expects of it. */
export interface PluginTest extends PluginSetup {
  /**
   * The spans, in the order in which they end: a file of JSON lines, as SPANLOOP_OTLP_FILE writes them, by a path
   * relative to the current folder or by its URL; or the spans themselves.
   */
  readonly spans?: string | URL | readonly GivenSpan[];
  /** When ticks of its schedule come, seconds since the Unix epoch. */
  readonly ticks?: readonly number[];
  /** All actions, in order; or a function that looks at them. */
  readonly expect: readonly Action[] | ((actions: readonly Action[]) => void | Promise<void>);
}

/** What a tested plugin did. */
export interface PluginTested {
  /** Its actions with what they answer, in order. */
  readonly actions: readonly Answer[];
  /** What it has kept in the end. */
  readonly state: Readonly<Record<string, Json>>;
  /** The lines of its log. */
  readonly log: readonly string[];
}

/**
 * Lets a plugin hear spans and ticks as in an engine: through its own subscriptions, one after the other, without what it
 * emitted itself. It runs in this process and sees the spans of all workflows.
 *
 * Errors: AssertionError with the difference when it acts otherwise than expected, or gives back what an engine would
 * refuse; PluginError for a definition or a configuration that does not hold, and for what the plugin throws;
 * `plugin.fixture` for spans that cannot be read.
 */
export async function testPlugin<Allowed extends ActionType, Schema extends JsonObject>(
  plugin: PluginDefinition<Allowed, Schema>,
  test: PluginTest,
): Promise<PluginTested> {
  const { spans = [], ticks = [], expect } = test;
  const session = await new Session(plugin, test).start();
  try {
    const heard = Array.isArray(spans) ? heardOf(spans) : await readFile(spans as string | URL);
    const due = ticks.toSorted((a, b) => a - b);
    const answers: Answer[] = [];
    for (const one of heard) {
      while (due.length > 0 && due[0] * 1e9 < Number(one.at)) {
        answers.push(...await session.tickAnswers(due.shift()!));
      }
      answers.push(...await session.hear(one));
    }
    for (const time of due) answers.push(...await session.tickAnswers(time));
    const actions = answers.map(({ action }) => action);
    if (typeof expect === "function") await expect(actions);
    else assert.deepEqual(actions, expect);
    return { actions: answers, state: session.state, log: session.log };
  } finally {
    await session.close();
  }
}

/** An attempt at a step type of a tested plugin. */
export interface StepGiven {
  /** As the step's `with:`. */
  readonly with?: JsonObject;
  /** A batch's items; none when absent. */
  readonly items?: readonly Json[];
  /** Which try it is; the first when absent. */
  readonly attempt?: number;
  /** When it begins, seconds since the Unix epoch; the time of the last event when absent. */
  readonly now?: number;
  /** What is decided on a proposal; all are applied when absent. */
  readonly decide?: (proposal: ProposeAction) => Partial<StepDecision>;
}

/** What an attempt at a step type did. */
export interface StepTested {
  /** Its outputs. */
  readonly outputs: JsonObject;
  /** What it proposed, in order. */
  readonly proposals: readonly ProposeAction[];
  /** The lines of its log. */
  readonly log: readonly string[];
}

/** A plugin that hears spans one by one: for a test whose next span depends on the last action. */
export interface OpenedPlugin {
  /** What it has kept. */
  readonly state: Readonly<Record<string, Json>>;
  /** The lines of its log. */
  readonly log: readonly string[];
  /** Hears a span's start and end, if it subscribes to them; gives its actions. Errors: as of `testPlugin`. */
  span(span: GivenSpan): Promise<readonly Action[]>;
  /** Hears a tick at `time`, seconds since the Unix epoch; gives its actions. Errors: as of `testPlugin`. */
  tick(time: number): Promise<readonly Action[]>;
  /**
   * Runs an attempt at one of its step types. It sees the spans that were heard, the parameters of the test, and what the
   * plugin has kept, whichever workflow it asks about. Errors: AssertionError for a proposal that an engine would refuse;
   * StepError for what the step throws.
   */
  step(name: string, given?: StepGiven): Promise<StepTested>;
  /** Lets go of it. */
  close(): Promise<void>;
}

class Session implements OpenedPlugin {
  readonly state: Record<string, Json>;
  readonly log: string[] = [];
  readonly #link: PluginLink;
  readonly #setup: PluginSetup;
  readonly #heard: Heard[] = [];
  #judge: Judge | undefined;
  #steps: PluginDescription["steps"] = {};
  readonly #routes = new Routes<true>();
  #sees: Sees | undefined;
  #now = 0n;

  constructor(plugin: unknown, setup: PluginSetup) {
    const clock = systemClock();
    this.#setup = setup;
    this.state = { ...setup.state };
    const load = () => Promise.resolve({ default: plugin });
    this.#link = new PluginLink(inProcess({ monotonic: () => clock.monotonic(), load }), {
      clock,
      answer: (question) => this.#answer(question),
      onLog: (line) => void this.log.push(line),
    });
  }

  async start(): Promise<this> {
    // Places in its stack traces are told from here.
    const description = await this.#link.load(pathToFileURL(`${Deno.cwd()}/plugin.ts`).href);
    const { name, actions: declared } = description;
    const { workflow, state = {} } = this.#setup;
    const sees = { see: ["*"], workflows: ["*"], external: true };
    this.#sees = { ...sees, plugin: name };
    this.#steps = description.steps;
    const { spans } = compileSubscriptions(description.subscribe);
    this.#routes.add(true, spans, this.#sees);
    const grant = {
      ...sees,
      propose: ["*"],
      command: ["*"],
      actions: ["emit", "propose", "command"] as const,
      permissions: {},
      rate: Infinity,
    };
    this.#judge = new Judge({ id: name, workflow, declared, grant });
    this.#link.start(configOf(description, this.#setup.config ?? {}), state, workflow);
    return this;
  }

  async span(span: GivenSpan): Promise<readonly Action[]> {
    const answers: Answer[] = [];
    const before = this.#heard.at(-1);
    for (const heard of withStarts([givenSpan(span, before)])) {
      const position = (before?.position ?? 0) + heard.position;
      answers.push(...await this.hear({ ...heard, position }));
    }
    return answers.map(({ action }) => action);
  }

  async hear(heard: Heard): Promise<readonly Answer[]> {
    this.#heard.push(heard);
    if (this.#routes.match(heard).length === 0) return [];
    const event = toSpanEvent(heard);
    const { workflow } = event.span;
    const depth = heard.kind === "journal"
      ? heard.depth
      : heard.kind === "emitted"
      ? heard.span.depth
      : 0;
    const what = `${nameOf(heard)} (${heard.event}, position ${heard.position})`;
    return await this.#call({ kind: "span", event, now: Number(heard.at) / 1e9 }, event, {
      at: heard.at,
      depth,
      workflow,
      what,
    });
  }

  async tick(time: number): Promise<readonly Action[]> {
    return (await this.tickAnswers(time)).map(({ action }) => action);
  }

  async tickAnswers(time: number): Promise<readonly Answer[]> {
    const at = BigInt(Math.round(time * 1e3)) * 1_000_000n;
    const what = `the tick at ${new Date(time * 1e3).toISOString()}`;
    return await this.#call({ kind: "tick", now: time }, { time }, { at, depth: 0, what });
  }

  async step(step: string, given: StepGiven = {}): Promise<StepTested> {
    const { with: inputs = {}, items = [], attempt = 1, now = Number(this.#now) / 1e9 } = given;
    const call = { step, with: inputs, items, attempt, idempotencyKey: `test/${step}`, now };
    const at = BigInt(Math.round(now * 1e6)) * 1_000n;
    const proposals: ProposeAction[] = [];
    const log: string[] = [];
    let refused: unknown;
    const workflow = this.#workflow() ?? "test";
    const propose = (action: Omit<ProposeAction, "type">): Json => {
      try {
        const asked = this.#judge!.judge({ key: "test", at, depth: 0, workflow }, [
          { ...action, type: "propose" },
        ]);
        const [judged] = accepted(asked, `in \`${step}\``);
        const change = proposals.push(judged as ProposeAction);
        const decision = { outcome: "applied", rule: "accepted", message: "", change };
        return { ...decision, ...given.decide?.(judged as ProposeAction) };
      } catch (thrown) {
        refused ??= thrown;
        throw thrown;
      }
    };
    const answer = async (question: StepQuestion): Promise<Json> => {
      switch (question.ask) {
        case "query":
          return await this.#query(question.query, at);
        case "parameters":
          return this.#parameters();
        case "kept":
          return this.state;
        case "propose":
          return propose(question.action);
      }
    };
    const outputs = await this.#link.step(checkedCall(this.#sees!.plugin, this.#steps, call), {
      signal: new AbortController().signal,
      onLine: (line) => void log.push(line),
      answer,
    }).catch((thrown) => {
      throw refused ?? thrown;
    });
    if (refused !== undefined) throw refused;
    return { outputs, proposals, log };
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  async #call(
    call: HandlerCall,
    event: Answer["event"],
    of: { readonly at: bigint; readonly depth: number; readonly workflow?: string; what: string },
  ): Promise<readonly Answer[]> {
    this.#now = of.at;
    const { state, actions, failure } = await this.#link.handle([call]);
    if (failure !== undefined) throw threwError(failure);
    for (const [key, value] of Object.entries(state)) {
      if (value === null) delete this.state[key];
      else this.state[key] = value;
    }
    const judged = this.#judge!.judge({ ...of, key: "test" }, actions[0]?.actions ?? []);
    return accepted(judged, `that answers ${of.what}`).map((action) => ({ action, event }));
  }

  async #answer(question: Question): Promise<Json> {
    return question.ask === "parameters"
      ? this.#parameters()
      : await this.#query(question.query, this.#now);
  }

  #parameters(): Json {
    const { parameters = {}, contract = {} } = this.#setup;
    const given = typeof parameters === "function" ? parameters() : parameters;
    const rest = typeof contract === "function" ? contract() : contract;
    const entries = Object.entries(given).map(([name, one]) => [name, { ...NEW, ...one }]);
    return {
      version: 0,
      guards: [],
      ...rest,
      parameters: Object.fromEntries(entries),
    } as unknown as Json;
  }

  async #query(query: SpanQuery, at: bigint): Promise<Json> {
    const asker = { sees: this.#sees!, workflow: this.#workflow(), at };
    return await querySpans(recordedRuns(this.#heard), query, asker) as unknown as Json;
  }

  #workflow(): string | undefined {
    const last = this.#heard.at(-1);
    return (last?.kind === "journal" ? last.workflow : undefined) ?? this.#setup.workflow;
  }
}

/**
 * Opens a plugin for a test that gives it one span after the other. Close it in the end.
 *
 * Errors: PluginError for a definition or a configuration that does not hold.
 */
export async function openPlugin<Allowed extends ActionType, Schema extends JsonObject>(
  plugin: PluginDefinition<Allowed, Schema>,
  setup: PluginSetup = {},
): Promise<OpenedPlugin> {
  return await new Session(plugin, setup).start();
}

function accepted(judged: readonly Judged[], where: string): readonly Action[] {
  return judged.map(({ action, refused }, index) => {
    // What else there is the engine's own plugin alone asks for.
    if (refused === undefined) return action as Action;
    throw new assert.AssertionError({
      message: `An engine would refuse action ${index} ${where}: ${refused.message}`,
    });
  });
}

const NEW: TunableParameter = {
  type: "integer",
  value: null,
  default: null,
  scale: "linear",
  apply: "next_run",
  mode: "auto",
  frozen: false,
};

function configOf({ config: schema }: PluginDescription, given: JsonObject): JsonObject {
  const checked = checkConfig(schema, given);
  if ("config" in checked) return checked.config;
  const problems = checked.problems.join("; ");
  throw new PluginError("plugin.definition", `The configuration does not hold: ${problems}`);
}

function heardOf(spans: readonly GivenSpan[]): readonly Heard[] {
  const ended: Heard[] = [];
  for (const span of spans) ended.push(givenSpan(span, ended.at(-1)));
  return withStarts(ended);
}

async function readFile(file: string | URL): Promise<readonly Heard[]> {
  const url = file instanceof URL || file.startsWith("file:") ? file : undefined;
  const path = url === undefined ? resolve(String(file)) : fileURLToPath(url);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw new SpanloopError("plugin.fixture", `Cannot read ${file}: ${messageOf(cause)}`, {
      exitCode: 2,
      cause,
    });
  }
  return readFixture(text, String(file));
}
