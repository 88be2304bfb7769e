/**
 * The plugin's side of the protocol: loads the module, keeps the state, calls the handlers, runs the steps. The same
 * file is the bootstrap of a sandbox's process, so it imports mod.ts alone: what stands in a bootstrap's own graph may
 * be read by the plugin without a permission (I2).
 *
 * Its invariants: handlers are called one after the other (J4); what a call changed that threw is rolled back, so that
 * a redelivered event finds the state of the first time (T3); nothing that a plugin throws, rejects or returns comes
 * out of `receive` (H1).
 */
import type { Action } from "../core/action.ts";
import type {
  HeldForm,
  PluginContext,
  PluginDefinition,
  PluginSpan,
  PluginState,
  PluginStepContext,
  SpanQuery,
  StepDecision,
  TunableParameters,
} from "../core/plugin.ts";
import type {
  FromPlugin,
  HandlerCall,
  PluginDescription,
  Question,
  StepQuestion,
  Thrown,
  ToPlugin,
} from "./protocol.ts";
import type { PluginStepCall } from "../core/step.ts";
import {
  copyJson,
  type Json,
  type JsonObject,
  PLUGIN_PROTOCOL,
  SpanloopError,
  TransientError,
} from "../../mod.ts";

/** The most that a value of the state may take, bytes of JSON. */
export const LARGEST_STATE_VALUE = 64 * 1024;
/** The most that the state may take in all, bytes of JSON with its keys. */
export const LARGEST_STATE = 1024 * 1024;
/** The longest key of the state, UTF-16 units. */
export const LONGEST_STATE_KEY = 256;

// An answer is sent early once it holds so many actions, or took so long: a batch of a thousand events is
// neither one huge message nor one long silence.
const FULL_ANSWER = 1_000;
const LONG_ANSWER_MS = 500;
// The host carries out no more of one event's; of the others only the number is told.
const ACTIONS_COPIED = 1_000;
const ACTIONS_COUNTED = 1_000_000;
const LONGEST_MESSAGE = 2_000;
// The host shows fewer, and says that there were more.
const LINES_A_SECOND = 1_000;

interface Batch {
  readonly id: number;
  readonly round: number;
  readonly calls: readonly HandlerCall[];
  began: number;
  readonly actions: { index: number; actions: readonly Action[] }[];
  collected: number;
}

// A question; `step`: of which attempt, else of a handler.
interface Asked extends PromiseWithResolvers<Json> {
  readonly step?: number;
}

/** A plugin's program: what runs where the plugin runs, in the engine's process or in a sandbox's. */
export class PluginProgram {
  readonly #send: (message: FromPlugin) => void;
  readonly #monotonic: () => number;
  readonly #import: (url: string) => Promise<{ readonly default?: unknown }>;
  readonly #questions = new Map<number, Asked>();
  readonly #attempts = new Map<number, AbortController>();
  readonly #state = new StateValues();
  #definition: Partial<PluginDefinition> = {};
  #config: JsonObject = {};
  #workflow: string | undefined;
  #url = "";
  #asked = 0;
  // The batch that is handled, and those that wait for it.
  readonly #batches: Batch[] = [];
  // Those before it are over.
  #round = 0;
  #logged = { since: -Infinity, lines: 0 };
  // The call whose handler runs: a context that a handler kept serves no later one.
  #current: HandlerContext | undefined;

  /**
   * Says what it has to say by `send`, which never throws; `monotonic` reads a clock in milliseconds. `load` gives the
   * module of a URL for those who have it already, as a test has.
   */
  constructor(
    send: (message: FromPlugin) => void,
    monotonic: () => number,
    load = (url: string): Promise<{ readonly default?: unknown }> => import(url),
  ) {
    this.#send = send;
    this.#monotonic = monotonic;
    this.#import = load;
  }

  /** Takes a message of the host. Never throws. */
  receive(message: ToPlugin): void {
    switch (message.type) {
      case "load":
        return void this.#load(message.url);
      case "start":
        this.#config = copyJson(message.config, "config") as JsonObject;
        this.#workflow = message.workflow;
        return this.#state.load(message.state);
      case "handle": {
        const { id, round, calls } = message;
        if (round < this.#round) return this.#send(nothingHandled(id));
        this.#batches.push({ id, round, calls, began: 0, actions: [], collected: 0 });
        if (this.#batches.length === 1) this.#next();
        return;
      }
      case "answer":
        return this.#questions.get(message.id)?.resolve(message.value);
      case "refusal":
        return this.#questions.get(message.id)?.reject(
          message.transient
            ? new TransientError(message.message)
            : new SpanloopError("plugin.refused", message.message),
        );
      case "step":
        return void this.#step(message.id, message.call);
      case "abort":
        return this.#attempts.get(message.id)?.abort(
          new SpanloopError("step.ended", "The step was ended"),
        );
    }
  }

  async #load(url: string): Promise<void> {
    this.#url = url;
    let exported: unknown;
    try {
      exported = (await this.#import(url)).default;
    } catch (error) {
      return this.#send({ type: "failed", during: "import", thrown: this.#thrown(error) });
    }
    try {
      const description = describe(exported);
      this.#definition = exported as PluginDefinition;
      this.#send({ type: "loaded", description });
    } catch (error) {
      this.#send({ type: "failed", during: "definition", thrown: this.#thrown(error) });
    }
  }

  #next(): void {
    const [batch] = this.#batches;
    if (batch === undefined) return;
    if (batch.calls.length > 1) batch.began = this.#monotonic();
    this.#handle(batch, 0);
  }

  // Goes on without a pause while handlers return at once: an await costs more than most of them do.
  #handle(batch: Batch, from: number): void {
    for (let index = from; index < batch.calls.length; index++) {
      if (index > from && this.#isLong(batch)) return this.#answer(batch, index);
      try {
        const returned = this.#call(batch.calls[index]);
        if (isThenable(returned)) {
          return void Promise.resolve(returned).then(
            (value) => this.#goOn(batch, index, value),
            (error) => this.#answer(batch, index, error),
          );
        }
        this.#settle(batch, index, returned);
      } catch (error) {
        return this.#answer(batch, index, error);
      }
    }
    this.#answer(batch, batch.calls.length);
  }

  #goOn(batch: Batch, index: number, returned: unknown): void {
    try {
      this.#settle(batch, index, returned);
    } catch (error) {
      return this.#answer(batch, index, error);
    }
    if (this.#isLong(batch)) this.#answer(batch, index + 1);
    else this.#handle(batch, index + 1);
  }

  #isLong(batch: Batch): boolean {
    return batch.collected >= FULL_ANSWER || this.#monotonic() - batch.began >= LONG_ANSWER_MS;
  }

  #call(call: HandlerCall): unknown {
    const about = call.kind === "span" ? call.event.span.workflow : undefined;
    this.#current = new HandlerContext(
      call.now,
      this.#config,
      this.#workflow,
      about ?? this.#workflow,
      this.#services,
    );
    const context = this.#current as PluginContext;
    return call.kind === "span"
      ? this.#definition.onSpan?.(call.event, context)
      : this.#definition.onTick?.({ time: call.now }, context);
  }

  #settle(batch: Batch, index: number, returned: unknown): void {
    if (returned !== undefined && returned !== null) {
      const actions = actionsOf(returned);
      if (actions.length > 0) batch.actions.push({ index, actions });
      batch.collected += actions.length;
    }
    this.#current = undefined;
    this.#state.keep();
  }

  #answer(batch: Batch, count: number, ...failed: readonly unknown[]): void {
    if (failed.length > 0) {
      this.#current = undefined;
      this.#state.rollBack();
    }
    this.#forget(undefined);
    try {
      this.#state.write();
    } catch (error) {
      // What was handled cannot be kept, so it was not.
      this.#state.rollBack();
      batch.actions.length = 0;
      [count, failed] = [0, [error]];
    }
    this.#send({
      type: "handled",
      id: batch.id,
      handled: {
        count,
        actions: batch.actions,
        state: this.#state.changes(),
        ...(failed.length > 0 ? { failure: this.#thrown(failed[0]) } : {}),
      },
    });
    this.#batches.shift();
    if (count < batch.calls.length) {
      this.#round = batch.round + 1;
      for (const { id } of this.#batches.splice(0)) this.#send(nothingHandled(id));
    }
    this.#next();
  }

  // What a handler's context may use, as long as its handler runs.
  readonly #services: ContextServices = {
    state: (context) => {
      this.#mustRun(context);
      return this.#state;
    },
    ask: (context, question) => {
      this.#mustRun(context);
      return this.#ask(question);
    },
    log: (line) => this.#log(line),
  };

  #ask(question: Question | StepQuestion): Promise<Json> {
    const id = ++this.#asked;
    const answer = Promise.withResolvers<Json>();
    const { step } = question as Partial<StepQuestion>;
    this.#questions.set(id, step === undefined ? answer : { ...answer, step });
    this.#send({ type: "question", id, question });
    return answer.promise.finally(() => this.#questions.delete(id));
  }

  // Nobody waits for the answers any more: the handler has returned, or the attempt `step` is over.
  #forget(step: number | undefined): void {
    for (const [id, asked] of this.#questions) if (asked.step === step) this.#questions.delete(id);
  }

  #log(line: unknown): void {
    const now = this.#monotonic();
    if (now - this.#logged.since >= 1_000) this.#logged = { since: now, lines: 0 };
    if (++this.#logged.lines <= LINES_A_SECOND) this.#send({ type: "log", line: lineOf(line) });
  }

  #mustRun(context: HandlerContext): void {
    if (context === this.#current) return;
    throw new SpanloopError(
      "plugin.context",
      "The handler has returned, and its context with it; await what it starts, and use the context of each call",
    );
  }

  async #step(id: number, call: PluginStepCall): Promise<void> {
    const controller = new AbortController();
    this.#attempts.set(id, controller);
    try {
      const steps = this.#definition.steps ?? {};
      const step = Object.hasOwn(steps, call.step) ? steps[call.step] : undefined;
      if (step === undefined) {
        throw new SpanloopError("plugin.step", `The plugin has no step type ${call.step}`);
      }
      const returned: unknown = await step.run(this.#stepContext(id, call, controller.signal));
      const outputs = copyJson(returned ?? {}, "outputs");
      if (typeof outputs !== "object" || outputs === null || Array.isArray(outputs)) {
        throw new SpanloopError(
          "plugin.outputs",
          "The step must return an object of outputs or nothing",
        );
      }
      this.#send({ type: "stepped", id, outputs: outputs as JsonObject });
    } catch (error) {
      this.#send({ type: "stepped", id, thrown: this.#thrown(error) });
    } finally {
      this.#attempts.delete(id);
      this.#forget(id);
    }
  }

  #stepContext(
    step: number,
    { step: _, ...given }: PluginStepCall,
    signal: AbortSignal,
  ): PluginStepContext {
    // Plain data is what it asks with, whatever it does with its own meanwhile.
    const ask = async (question: JsonObject, workflow: string | undefined): Promise<unknown> => {
      if (!this.#attempts.has(step)) {
        throw new SpanloopError(
          "plugin.context",
          "The step has returned, and its context with it; await what it starts",
        );
      }
      const asked = { ...question, step, ...workflow === undefined ? {} : { workflow } };
      return await this.#ask(asked as unknown as StepQuestion);
    };
    return {
      ...given,
      config: this.#config,
      signal,
      log: (line) => this.#send({ type: "log", line: lineOf(line), step }),
      query: async (query) => {
        const asked = copyJson(query, "query") as JsonObject & SpanQuery;
        return await ask({ ask: "query", query: asked }, asked.workflow) as readonly PluginSpan[];
      },
      parameters: async (workflow) =>
        await ask({ ask: "parameters" }, workflow) as TunableParameters,
      kept: async (workflow) => await ask({ ask: "kept" }, workflow) as Record<string, Json>,
      propose: async (action) => {
        const asked = copyJson(action, "the proposal") as JsonObject;
        return await ask({ ask: "propose", action: asked }, undefined) as StepDecision;
      },
    };
  }

  #thrown(thrown: unknown): Thrown {
    try {
      return readThrown(thrown, this.#url);
    } catch {
      // A value whose own members throw when they are read.
      return { name: "", message: "it threw what cannot be read", transient: false };
    }
  }
}

function nothingHandled(id: number): FromPlugin {
  return { type: "handled", id, handled: { count: 0, actions: [], state: {} } };
}

interface ContextServices {
  state(context: HandlerContext): StateValues;
  ask(context: HandlerContext, question: Question): Promise<Json>;
  log(line: unknown): void;
}

// Made for each call, so everything in it is made when it is asked for. Functions are made by getters, so that a
// plugin can take them out of the object.
class HandlerContext implements PluginContext {
  readonly now: number;
  readonly config: JsonObject;
  readonly workflow: string | undefined;
  // The event's workflow, which is asked about unless the plugin names another.
  readonly #about: string | undefined;
  readonly #services: ContextServices;

  constructor(
    now: number,
    config: JsonObject,
    workflow: string | undefined,
    about: string | undefined,
    of: ContextServices,
  ) {
    this.now = now;
    this.config = config;
    this.workflow = workflow;
    this.#about = about;
    this.#services = of;
  }

  get state(): PluginState {
    const values = () => this.#services.state(this);
    return {
      has: (key) => values().has(key),
      get: (key) => values().get(key),
      set: (key, value) => values().set(key, value),
      delete: (key) => values().delete(key),
      keys: () => values().keys(),
      hold: (key, form) => values().hold(key, form),
    };
  }

  get query(): (query: SpanQuery) => Promise<readonly PluginSpan[]> {
    return async (query) => {
      const asked = copyJson(query, "query") as SpanQuery;
      const question = { ask: "query" as const, query: asked, ...this.#asking(asked.workflow) };
      return await this.#services.ask(this, question) as unknown as readonly PluginSpan[];
    };
  }

  get parameters(): (workflow?: string) => Promise<TunableParameters> {
    return async (workflow) => {
      const question = { ask: "parameters" as const, ...this.#asking(workflow) };
      return await this.#services.ask(this, question) as unknown as TunableParameters;
    };
  }

  get log(): (line: string) => void {
    return (line) => this.#services.log(line);
  }

  #asking(workflow = this.#about): Pick<Question, "now" | "workflow"> {
    return { now: this.now, ...(workflow === undefined ? {} : { workflow }) };
  }
}

// The values as text: whoever gets one cannot change what is kept, and nobody changes what was given.
class StateValues {
  readonly #kept = new Map<string, string>();
  readonly #staged = new Map<string, string | undefined>();
  readonly #unsent = new Set<string>();
  // Objects that handlers change in place, and those that were asked for since they were written last.
  readonly #held = new Map<string, unknown>();
  readonly #unwritten = new Map<string, () => Json>();
  #size = 0;
  #stagedSize = 0;

  load(state: Readonly<Record<string, Json>>): void {
    for (const [key, value] of Object.entries(state)) {
      const text = JSON.stringify(value);
      this.#kept.set(key, text);
      this.#size += stateSize(key, text);
    }
    this.#stagedSize = this.#size;
  }

  has(key: string): boolean {
    return this.#held.has(key) || this.#text(key) !== undefined;
  }

  get(key: string): Json | undefined {
    const text = this.#text(key);
    return text === undefined ? undefined : JSON.parse(text);
  }

  set(key: string, value: Json): void {
    checkKey(key);
    // The protocol's null takes a value away, so one cannot be kept.
    if (value === null) return this.delete(key);
    this.#let(key);
    this.#stage(key, value);
  }

  #stage(key: string, value: Json): void {
    const text = JSON.stringify(copyJson(value, `state.${key}`));
    const bytes = byteLength(text);
    if (bytes > LARGEST_STATE_VALUE) {
      throw tooLarge(
        `The state's ${key} would take ${bytes} bytes, and a value may take ${LARGEST_STATE_VALUE}`,
      );
    }
    const size = this.#stagedSize - stateSize(key, this.#text(key)) + stateSize(key, text);
    if (size > LARGEST_STATE) {
      throw tooLarge(`The state would take ${size} bytes, and it may take ${LARGEST_STATE} in all`);
    }
    this.#staged.set(key, text);
    this.#stagedSize = size;
  }

  delete(key: string): void {
    this.#let(key);
    this.#stagedSize -= stateSize(key, this.#text(key));
    this.#staged.set(key, undefined);
  }

  keys(): readonly string[] {
    const keys = new Set(this.#kept.keys());
    for (const [key, text] of this.#staged) text === undefined ? keys.delete(key) : keys.add(key);
    for (const key of this.#held.keys()) keys.add(key);
    return [...keys].sort();
  }

  hold<T>(key: string, form: HeldForm<T>): T {
    checkKey(key);
    if (!this.#held.has(key)) this.#held.set(key, form.read(this.get(key)));
    const value = this.#held.get(key) as T;
    if (!this.#unwritten.has(key)) this.#unwritten.set(key, () => form.write(value));
    return value;
  }

  // Keeps what held objects say now. Throws for one that is too large; it is then read again.
  write(): void {
    if (this.#unwritten.size === 0) return;
    const unwritten = [...this.#unwritten];
    this.#unwritten.clear();
    try {
      for (const [key, write] of unwritten) this.#stage(key, write());
    } catch (error) {
      this.#held.clear();
      throw error;
    }
    this.keep();
  }

  #let(key: string): void {
    this.#held.delete(key);
    this.#unwritten.delete(key);
  }

  // A handler returned: what it changed stays.
  keep(): void {
    if (this.#staged.size === 0) return;
    for (const [key, text] of this.#staged) {
      if (text === undefined) this.#kept.delete(key);
      else this.#kept.set(key, text);
      this.#unsent.add(key);
    }
    this.#staged.clear();
    this.#size = this.#stagedSize;
  }

  rollBack(): void {
    this.#staged.clear();
    this.#stagedSize = this.#size;
  }

  // What was kept since this was called last.
  changes(): Record<string, Json | null> {
    if (this.#unsent.size === 0) return {};
    const changes = Object.fromEntries(
      Array.from(this.#unsent, (key): [string, Json] => {
        const text = this.#kept.get(key);
        return [key, text === undefined ? null : JSON.parse(text)];
      }),
    );
    this.#unsent.clear();
    return changes;
  }

  #text(key: string): string | undefined {
    return this.#staged.has(key) ? this.#staged.get(key) : this.#kept.get(key);
  }
}

function checkKey(key: string): void {
  if (typeof key === "string" && key !== "" && key.length <= LONGEST_STATE_KEY) return;
  throw tooLarge(`A state key must be text of 1 to ${LONGEST_STATE_KEY} characters`);
}

function tooLarge(message: string): SpanloopError {
  return new SpanloopError("plugin.state", message);
}

/** What a value of the state takes, bytes of JSON with its key. */
export function stateSize(key: string, text: string | undefined): number {
  return text === undefined ? 0 : byteLength(key) + byteLength(text);
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

// What JSON cannot carry becomes an action of no known type, which is refused by itself; what is beyond the limit
// is null, so that the host can count it.
function actionsOf(returned: unknown): readonly Action[] {
  if (!Array.isArray(returned)) {
    throw new SpanloopError(
      "plugin.returned",
      "A handler must give back a list of actions, or nothing",
    );
  }
  const actions = returned.slice(0, ACTIONS_COPIED).map((action, i) => {
    try {
      return copyJson(action, `actions[${i}]`);
    } catch (error) {
      return { type: "invalid", message: (error as Error).message };
    }
  });
  const beyond = Math.min(returned.length, ACTIONS_COUNTED) - actions.length;
  const all = beyond > 0 ? actions.concat(new Array(beyond).fill(null)) : actions;
  return all as unknown as readonly Action[];
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}

function lineOf(line: unknown): string {
  return String(line).slice(0, LONGEST_MESSAGE);
}

// What only the plugin's side can see is checked here: that functions are functions. What is data goes to the host as
// it is, and is checked there, since it may come from a sandbox.
function describe(exported: unknown): PluginDescription {
  if (typeof exported !== "object" || exported === null) {
    throw definitionError(
      "The module's default export is no plugin; write `export default definePlugin({ ... })`",
    );
  }
  const { onSpan, onTick, steps = {}, subscribe = [], ...data } = exported as PluginDefinition;
  for (const [name, handler] of Object.entries({ onSpan, onTick })) {
    if (handler !== undefined && typeof handler !== "function") {
      throw definitionError(`\`${name}\` must be a function`);
    }
  }
  if (typeof steps !== "object" || steps === null) {
    throw definitionError("`steps` must be an object of step types by their names");
  }
  const schemas = Object.entries(steps).map(([name, step]): [string, JsonObject | null] => {
    if (typeof step?.run !== "function") {
      throw definitionError(`The step type ${name} must have a function \`run\``);
    }
    return [name, step.with ?? null];
  });
  const description = {
    protocol: PLUGIN_PROTOCOL,
    actions: [],
    stateVersion: 1,
    ...data,
    subscribe: Array.isArray(subscribe) ? subscribe : [subscribe],
    steps: Object.fromEntries(schemas),
  };
  const copied = copyJson(description, "the definition") as unknown as PluginDescription;
  for (const [handler, wanted, what] of HANDLERS) {
    const subscribed = copied.subscribe.some((one) =>
      one !== null && wanted === "cron" in Object(one)
    );
    const defined = (handler === "onSpan" ? onSpan : onTick) !== undefined;
    if (subscribed && !defined) {
      throw definitionError(`It subscribes to ${what} and has no \`${handler}\`; add it`);
    }
    if (defined && !subscribed) {
      throw definitionError(
        `It has \`${handler}\` and subscribes to no ${what}; add a subscription`,
      );
    }
  }
  return copied;
}

const HANDLERS = [["onSpan", false, "spans"], ["onTick", true, "ticks"]] as const;

function definitionError(message: string): SpanloopError {
  return new SpanloopError("plugin.definition", message);
}

// A TransientError is known by its class, since a plugin may have another copy of it.
function readThrown(thrown: unknown, url: string): Thrown {
  const error = (typeof thrown === "object" && thrown !== null ? thrown : {}) as {
    readonly name?: unknown;
    readonly message?: unknown;
    readonly stack?: unknown;
    readonly errorClass?: unknown;
  };
  const message = typeof error.message === "string" ? error.message : String(thrown);
  const place = typeof error.stack === "string" ? placeIn(error.stack, url) : undefined;
  return {
    name: String(error.name ?? "").slice(0, LONGEST_MESSAGE),
    message: message.slice(0, LONGEST_MESSAGE),
    ...(place === undefined ? {} : { place }),
    transient: error.errorClass === "transient",
  };
}

/** The first place in a stack that lies in the folder of the module at `url`: `plugin.ts:12:8`. */
export function placeIn(stack: string, url: string): string | undefined {
  const folder = url.replace(/[^/]*$/, "");
  // A package of npm is named by no folder.
  if (folder === "") return undefined;
  for (const [, file, line, column] of stack.matchAll(/(file:\/\/[^\s)]+?):(\d+):(\d+)/g)) {
    if (!file.startsWith(folder)) continue;
    return `${decodeURI(file.slice(folder.length).replace(/\?.*$/, ""))}:${line}:${column}`;
  }
}

// Frames are a length of four bytes, big-endian, and as many bytes of JSON.
if (import.meta.main) {
  // stdout is the host's alone; what a plugin prints are lines of its log.
  for (
    const name of [
      "log",
      "info",
      "debug",
      "dir",
      "dirxml",
      "table",
      "count",
      "group",
      "timeLog",
      "timeEnd",
    ]
  ) {
    Reflect.set(console, name, console.error);
  }
  const decoder = new TextDecoder();
  let out = new Uint8Array(64 * 1024);
  const program = new PluginProgram((message) => {
    const text = JSON.stringify(message);
    if (out.length < 4 + text.length * 3) out = new Uint8Array(4 + text.length * 3);
    const { written } = encoder.encodeInto(text, out.subarray(4));
    new DataView(out.buffer).setUint32(0, written);
    for (let at = 0; at < 4 + written;) at += Deno.stdout.writeSync(out.subarray(at, 4 + written));
    // deno-lint-ignore spanloop/no-ambient -- this process has no other root
  }, () => performance.now());
  let buffer = new Uint8Array(256 * 1024);
  let held = 0;
  for (;;) {
    const read = await Deno.stdin.read(buffer.subarray(held));
    // The host is gone, or has closed it.
    if (read === null) Deno.exit(0);
    held += read;
    let at = 0;
    let wanted = 4;
    while (held - at >= 4) {
      wanted = 4 + new DataView(buffer.buffer).getUint32(at);
      if (held - at < wanted) break;
      program.receive(JSON.parse(decoder.decode(buffer.subarray(at + 4, at + wanted))));
      at += wanted;
    }
    const rest = buffer.subarray(at, held);
    held -= at;
    if (wanted > buffer.length) {
      buffer = new Uint8Array(wanted);
      buffer.set(rest);
    } else if (at > 0) buffer.copyWithin(0, at, at + held);
  }
}
