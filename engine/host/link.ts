/**
 * The host's side of the protocol: promises, time limits, and a check of all that a plugin says, since a sandbox may
 * send anything (H1). Whatever breaks the protocol, comes too late or is gone ends the link: what was asked is
 * rejected, the channel is closed, and `onGone` hears why, once.
 */
import type { Clock } from "../core/clock.ts";
import { type ErrorClass, messageOf, StepError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { oneLine } from "../sandbox/denial.ts";
import { broken, readHandled, readOutputs, readQuestion, readThrown } from "./_said.ts";
import { readDescription } from "./description.ts";
import { goneError, PluginError, threwError } from "./plugin_error.ts";
import { LARGEST_STATE, LARGEST_STATE_VALUE, LONGEST_STATE_KEY, stateSize } from "./program.ts";
import type {
  Channel,
  FromPlugin,
  Handled,
  HandlerCall,
  PluginDescription,
  Question,
  StepQuestion,
  Thrown,
} from "./protocol.ts";
import type { PluginStepCall } from "../core/step.ts";

/** What a link needs of the host. */
export interface LinkPorts {
  /** Time, for limits. */
  readonly clock: Clock;
  /** Answers a question of the plugin's; a rejection's message goes to the plugin. */
  answer(question: Question): Promise<Json>;
  /** Takes a line of the plugin's log. */
  onLog(line: string): void;
}

/** How long a plugin may take, milliseconds. */
export interface LinkLimits {
  /** From `load` until it has said what it is. */
  readonly load: number;
  /** For an answer to some events; a plugin that is merely busy answers in parts. */
  readonly handle: number;
  /** From an attempt's abort to its end. */
  readonly abort: number;
}

/** The limits that hold unless a test shortens them. */
export const LINK_LIMITS: LinkLimits = { load: 30_000, handle: 5_000, abort: 5_000 };

/** What an attempt at a plugin's step needs. */
export interface StepOptions {
  /** Aborted on cancel and timeout. */
  readonly signal: AbortSignal;
  /** Takes a line of the attempt's log. */
  onLine(line: string): void;
  /**
   * Answers a question of the step's; a rejection's message goes to the plugin, and so does its class, if it is an error
   * that has one.
   */
  answer(question: StepQuestion): Promise<Json>;
}

// At once; handlers, or an attempt at a step, that ask more are refused.
const MOST_QUESTIONS = 16;
// Lines of the log a second; of the others only the number is told.
const MOST_LINES = 100;
// Of one call of `log`, UTF-16 units.
const LONGEST_LINE = 2_000;
// Messages a second that are of no use. A sandbox that sends more keeps the engine from its work; our own side of the
// protocol never does.
const MOST_UNASKED = 10_000;

interface PendingHandle extends Partial<PromiseWithResolvers<Handled>> {
  readonly id: number;
  readonly round: number;
  readonly calls: number;
  // There before anybody waits for it, where the plugin is in this process.
  handled?: Handled;
}

// Who asks, and how many questions of his are open.
interface Asker {
  questions: number;
}

interface PendingStep extends PromiseWithResolvers<JsonObject>, Asker {
  readonly onLine: (line: string) => void;
  readonly answer: (question: StepQuestion) => Promise<Json>;
}

/** The host's end of a channel to one plugin. Call `load`, `start`, and then whatever is to be done. */
export class PluginLink {
  /** Hears once, if the plugin is gone without having been closed. Set it before `load`. */
  onGone: (error: PluginError) => void = () => {};
  readonly #channel: Channel;
  readonly #ports: LinkPorts;
  readonly #limits: LinkLimits;
  readonly #steps = new Map<number, PendingStep>();
  readonly #lines: Rate;
  readonly #unasked: Rate;
  readonly #stateSizes = new Map<string, number>();
  #stateSize = 0;
  #loading: PromiseWithResolvers<PluginDescription> | undefined;
  // In the order in which they were sent; the first has the time limit.
  readonly #handling: PendingHandle[] = [];
  // Those before it are over: an answer was to a part of its calls.
  #round = 0;
  #cancelLimit: () => void = () => {};
  readonly #handlers: Asker = { questions: 0 };
  #id = 0;
  #ended: PluginError | undefined;

  /** Takes over the channel. */
  constructor(channel: Channel, ports: LinkPorts, limits: LinkLimits = LINK_LIMITS) {
    this.#channel = channel;
    this.#ports = ports;
    this.#limits = limits;
    this.#lines = new Rate(ports.clock);
    this.#unasked = new Rate(ports.clock);
    channel.onMessage = (message) => this.#hear(message);
    channel.onGone = (why) => this.#end(goneError(why));
  }

  /** Loads the module at `url`, once. Rejects with PluginError that says what is wrong with it. */
  load(url: string): Promise<PluginDescription> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const loading = this.#loading = Promise.withResolvers<PluginDescription>();
    this.#channel.send({ type: "load", url });
    return this.#within(loading, this.#limits.load, "load its module");
  }

  /** Begins, once, with a configuration that was checked and the state that was kept. */
  start(config: JsonObject, state: Readonly<Record<string, Json>>, workflow?: string): void {
    if (this.#ended !== undefined) return;
    this.#measureState(state);
    this.#channel.send({
      type: "start",
      config,
      state,
      ...(workflow === undefined ? {} : { workflow }),
    });
  }

  /**
   * Has the calls handled, one after the other, until one throws. What it gives is checked: the actions are plain data,
   * and `{ type: "invalid", message }` stands for what was none; beyond `MOST_ACTIONS` of one event they are null, so
   * that they can be counted. It may have handled fewer without a failure: hand over the others again. Rejects with
   * PluginError when the plugin is gone; then nothing of the answer is known.
   */
  async handle(calls: readonly HandlerCall[]): Promise<Handled> {
    return await this.handOver(calls);
  }

  /**
   * As `handle`; but what handlers in process answer at once comes at once, for those whom a promise costs too much. The
   * next calls may be handed over before the answer: once one is to a part of its calls, all others of its `round` are
   * answered with nothing handled, and are to be handed over again, in a later round.
   */
  handOver(calls: readonly HandlerCall[], round = this.#round): Handled | Promise<Handled> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const pending: PendingHandle = { id: ++this.#id, round, calls: calls.length };
    this.#handling.push(pending);
    this.#channel.send({ type: "handle", id: pending.id, round, calls });
    if (pending.handled !== undefined) return pending.handled;
    // Sending may have ended it.
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    Object.assign(pending, Promise.withResolvers<Handled>());
    if (this.#handling[0] === pending) this.#limit();
    return pending.promise!;
  }

  /**
   * Runs an attempt at a step; several may be under way. Rejects with StepError: `plugin.transient` for a
   * TransientError, `plugin.threw` for what else the step throws, `step.ended` when it was aborted, and `plugin.*` of
   * class transient when the plugin is gone.
   */
  async step(call: PluginStepCall, options: StepOptions): Promise<JsonObject> {
    if (this.#ended !== undefined) throw stepGone(this.#ended);
    const { signal } = options;
    if (signal.aborted) throw stepEnded(signal);
    const id = ++this.#id;
    const pending = {
      ...Promise.withResolvers<JsonObject>(),
      questions: 0,
      onLine: (line: string) => options.onLine(line),
      answer: (question: StepQuestion) => options.answer(question),
    };
    this.#steps.set(id, pending);
    let cancel: (() => void) | undefined;
    const onAbort = () => {
      this.#channel.send({ type: "abort", id });
      cancel = this.#ports.clock.after(
        this.#limits.abort,
        () => this.#tooLate(this.#limits.abort, "end a step that was aborted"),
      );
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#channel.send({ type: "step", id, call });
    try {
      return await pending.promise;
    } catch (error) {
      if (signal.aborted) throw stepEnded(signal);
      throw error instanceof PluginError ? stepGone(error) : error;
    } finally {
      this.#steps.delete(id);
      signal.removeEventListener("abort", onAbort);
      cancel?.();
    }
  }

  /** Ends the plugin now, whatever it does; what was asked is rejected. Safe to call twice. */
  close(): Promise<void> {
    this.#reject(new PluginError("plugin.closed", "The plugin was closed by the engine"));
    return this.#channel.close();
  }

  // What a channel in process throws here is the host's own mistake; of a sandbox only the plugin's are caught.
  #hear(message: FromPlugin): void {
    if (this.#ended !== undefined) return;
    try {
      this.#take(message);
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      this.#end(error);
    }
  }

  #take(message: FromPlugin): void {
    switch (message?.type) {
      case "loaded": {
        const loading = this.#loading;
        if (loading === undefined) break;
        const description = readDescription(message.description);
        this.#loading = undefined;
        return loading.resolve(description);
      }
      case "failed": {
        if (this.#loading === undefined) break;
        const thrown = readThrown(message.thrown);
        throw message.during === "definition"
          ? new PluginError("plugin.definition", thrown.message, { place: thrown.place })
          : importError(thrown);
      }
      case "handled": {
        const [pending] = this.#handling;
        if (pending === undefined || message.id !== pending.id) break;
        const isOver = pending.round < this.#round;
        const handled = readHandled(message.handled, pending.calls, isOver);
        this.#keepSizes(handled.state);
        if (!isOver && handled.count < pending.calls) this.#round = pending.round + 1;
        this.#handling.shift();
        this.#limit();
        pending.handled = handled;
        return pending.resolve?.(handled);
      }
      case "stepped": {
        // One that was not waited for any longer, or that there never was.
        const step = this.#steps.get(message.id);
        if (step === undefined) return this.#unaskedFor();
        if (message.thrown !== undefined) return step.reject(stepError(readThrown(message.thrown)));
        return step.resolve(readOutputs(message.outputs));
      }
      case "question": {
        const question = readQuestion(message.question);
        if ("step" in question) {
          const step = this.#steps.get(question.step);
          return this.#answer(message.id, step, () => step!.answer(question));
        }
        const asker = this.#handling.length > 0 ? this.#handlers : undefined;
        return this.#answer(message.id, asker, () => this.#ports.answer(question));
      }
      case "log":
        return this.#log(message.line, message.step);
    }
    throw broken(`${JSON.stringify(message?.type)?.slice(0, 40)}, which nobody asked for`);
  }

  #answer(id: number, asker: Asker | undefined, answer: () => Promise<Json>): void {
    const refuse = (message: string, transient = false) => {
      if (this.#ended === undefined) {
        this.#channel.send({ type: "refusal", id, message, transient });
      }
    };
    if (typeof id !== "number") throw broken("a question without a number");
    if (asker === undefined) {
      this.#unaskedFor();
      return refuse("Ask while a handler or the step runs: nothing is handled");
    }
    if (asker.questions >= MOST_QUESTIONS) {
      this.#unaskedFor();
      return refuse(`${MOST_QUESTIONS} questions are open already; await some before you ask more`);
    }
    asker.questions++;
    answer().finally(() => asker.questions--).then(
      (value) => {
        if (this.#ended === undefined) this.#channel.send({ type: "answer", id, value });
      },
      (error) => {
        const { errorClass } = Object(error) as { readonly errorClass?: ErrorClass };
        refuse(messageOf(error), errorClass === "transient");
      },
    );
  }

  #log(line: string, step: number | undefined): void {
    if (typeof line !== "string") throw broken("a line that is no text");
    const attempt = step === undefined ? undefined : this.#steps.get(step);
    if (attempt === undefined) this.#unaskedFor();
    for (const one of line.slice(0, LONGEST_LINE).split("\n")) {
      if (attempt === undefined) this.#logLine(oneLine(one));
      else attempt.onLine(one);
    }
  }

  #logLine(line: string): void {
    const count = this.#lines.add();
    if (count <= MOST_LINES) this.#ports.onLog(line);
    else if (count === MOST_LINES + 1) {
      this.#ports.onLog(
        `More than ${MOST_LINES} lines a second: the rest of this second's are left out`,
      );
    }
  }

  #unaskedFor(): void {
    if (this.#unasked.add() <= MOST_UNASKED) return;
    throw broken(`more than ${MOST_UNASKED} messages a second that nobody asked for`);
  }

  // One in process that answers at once is never first here, and needs no timer.
  #limit(): void {
    this.#cancelLimit();
    this.#cancelLimit = () => {};
    const [first] = this.#handling;
    if (first === undefined) return;
    const ms = this.#limits.handle;
    const what = first.calls === 1 ? "handle an event" : `handle ${first.calls} events`;
    this.#cancelLimit = this.#ports.clock.after(ms, () => this.#tooLate(ms, what));
  }

  #within<T>(asked: PromiseWithResolvers<T>, ms: number, what: string): Promise<T> {
    const cancel = this.#ports.clock.after(ms, () => this.#tooLate(ms, what));
    return asked.promise.finally(cancel);
  }

  #tooLate(ms: number, what: string): void {
    this.#end(
      new PluginError(
        "plugin.time",
        `The plugin did not ${what} within ${
          ms / 1_000
        } s, and was stopped; see what it waits for, or ` +
          "whether a loop in it never ends",
      ),
    );
  }

  // A plugin that was still loading has told whoever loads it.
  #end(error: PluginError): void {
    const loading = this.#loading !== undefined;
    if (!this.#reject(error)) return;
    this.#channel.close().catch(() => {
      // It is gone, or will be: nothing is heard of it any more in either case.
    });
    if (!loading) this.onGone(error);
  }

  #reject(error: PluginError): boolean {
    if (this.#ended !== undefined) return false;
    this.#ended = error;
    this.#cancelLimit();
    const asked = [this.#loading, ...this.#handling.splice(0), ...this.#steps.values()];
    this.#loading = undefined;
    for (const one of asked) one?.reject?.(error);
    return true;
  }

  #measureState(state: Readonly<Record<string, Json>>): void {
    for (const [key, value] of Object.entries(state)) {
      const bytes = stateSize(key, JSON.stringify(value));
      this.#stateSize += bytes;
      this.#stateSizes.set(key, bytes);
    }
  }

  // The plugin's own side holds the limits; a sandbox's own side may be anything.
  #keepSizes(changes: Readonly<Record<string, Json | null>>): void {
    for (const [key, value] of Object.entries(changes)) {
      const bytes = value === null ? 0 : stateSize(key, JSON.stringify(value));
      this.#stateSize += bytes - (this.#stateSizes.get(key) ?? 0);
      if (value === null) this.#stateSizes.delete(key);
      else this.#stateSizes.set(key, bytes);
      const most = LARGEST_STATE_VALUE + 4 * LONGEST_STATE_KEY;
      if (key.length > LONGEST_STATE_KEY || bytes > most || this.#stateSize > LARGEST_STATE) {
        throw broken("a state that is past its limits");
      }
    }
  }
}

// How many there were in the second that began with the first.
class Rate {
  readonly #clock: Clock;
  #began = -Infinity;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(): number {
    const now = this.#clock.monotonic();
    if (now - this.#began >= 1_000) {
      this.#began = now;
      this.#count = 0;
    }
    return ++this.#count;
  }
}

function importError(thrown: Thrown): PluginError {
  const hint = /--no-remote/.test(thrown.message)
    ? "; copy it into the plugin's folder"
    : /--no-npm|not found in cache|--cached-only|not in import map/.test(thrown.message)
    ? "; name the package in a deno.json beside the plugin"
    : "";
  return new PluginError("plugin.import", `Its module cannot be loaded: ${thrown.message}${hint}`, {
    place: thrown.place,
  });
}

function stepError(thrown: Thrown): StepError {
  return new StepError(
    thrown.transient ? "plugin.transient" : "plugin.threw",
    threwError(thrown).message,
    { errorClass: thrown.transient ? "transient" : "error" },
  );
}

// The plugin's other work may have ended it, and it is started again: another try may help.
function stepGone(error: PluginError): StepError {
  return new StepError(error.code, error.message, { errorClass: "transient", cause: error });
}

function stepEnded(signal: AbortSignal): StepError {
  const reason: unknown = signal.reason;
  return new StepError("step.ended", `The step was ended: ${messageOf(reason)}`, {
    errorClass: reason instanceof StepError ? reason.errorClass : "error",
    cause: reason,
  });
}
