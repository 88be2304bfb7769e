/**
 * A sandbox's process. Whatever it does, it is stopped alone (H1): what it sends that is no frame, takes too much memory
 * or computes unasked is a SIGKILL, and `onGone` says which, once. It does not outlive the engine either: it ends with
 * its stdin, and if it spins, by the watchdog, a process that waits for the engine's end.
 */
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import { ConsoleLines } from "./_console_lines.ts";
import { FrameReader, FrameWriter } from "./_frames.ts";
import { type UsageLimits, UsageWatch } from "./_usage.ts";
import type { Channel, FromPlugin, Gone, ToPlugin } from "./protocol.ts";

/** What is started. */
export interface ProcessRequest {
  /** The Deno executable. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working directory, absolute. */
  readonly cwd: string;
  /** What it may take; undefined where the system does not tell. */
  readonly limits: UsageLimits | undefined;
}

const READ = 64 * 1024;
// A process that closed its pipes is given so long to end by itself, so that its own reason is known.
const ENDING_MS = 500;
// One in uninterruptible sleep cannot be killed at all: nobody waits for it longer.
const GIVE_UP_MS = 5_000;
const ASKS: readonly string[] = ["load", "handle", "step"];
const ANSWERS: readonly unknown[] = ["loaded", "failed", "handled", "stepped"];

/** A channel to a process of its own. */
export class SandboxProcess implements Channel {
  onMessage: (message: FromPlugin) => void = () => {};
  onGone: (why: Gone) => void = () => {};
  readonly #clock: Clock;
  readonly #child: Deno.ChildProcess;
  readonly #writer: FrameWriter;
  readonly #console = new ConsoleLines();
  readonly #usage: UsageWatch | undefined;
  readonly #watchdog: Deno.ChildProcess | undefined;
  readonly #exited: Promise<void>;
  #running = true;
  #dying = false;
  #over = false;

  /** Starts the process. Throws what starting a process throws. */
  constructor(clock: Clock, request: ProcessRequest) {
    this.#clock = clock;
    this.#child = new Deno.Command(request.command, {
      args: [...request.args],
      cwd: request.cwd,
      clearEnv: true,
      env: request.env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      // A group of its own: Ctrl-C in a terminal goes to the engine, which then ends its plugins.
      detached: true,
    }).spawn();
    this.#watchdog = watchdogOf(this.#child.pid);
    this.#writer = new FrameWriter(this.#child.stdin, () => this.#broken("stdin"));
    if (request.limits !== undefined) {
      this.#usage = new UsageWatch(
        clock,
        this.#child.pid,
        request.limits,
        (code, message) => this.#end({ code, message }),
      );
    }
    const printed = this.#console.read(this.#child.stderr, clock, (line) => this.#print(line));
    this.#listen();
    this.#exited = this.#child.status.then(async (status) => {
      this.#running = false;
      this.#usage?.stop();
      letGo(this.#watchdog);
      // What it wrote last says why. Another process may hold the pipe.
      await within(clock, printed, ENDING_MS);
      this.#end(whyEnded(status, this.#console.last));
    });
  }

  send(message: ToPlugin): void {
    if (this.#over) return;
    if (ASKS.includes(message.type)) this.#usage?.ask();
    try {
      this.#writer.send(message);
    } catch (error) {
      this.#end({
        code: "plugin.frame",
        message: `The plugin cannot be sent a message, and was stopped: ${messageOf(error)}`,
      });
    }
  }

  async close(): Promise<void> {
    this.#over = true;
    this.#kill();
    await within(this.#clock, this.#exited, GIVE_UP_MS);
  }

  async #listen(): Promise<void> {
    const frames = new FrameReader((message) => this.#hear(message as FromPlugin));
    const reader = this.#child.stdout.getReader({ mode: "byob" });
    let buffer = new Uint8Array(READ);
    try {
      for (;;) {
        const { done, value } = await reader.read(buffer);
        if (done) break;
        if (!this.#over) frames.push(value);
        buffer = new Uint8Array(value.buffer);
      }
    } catch (error) {
      return this.#end(
        frame(`The plugin wrote what is no message to its stdout (${messageOf(error)})`),
      );
    }
    await this.#broken("stdout");
  }

  #hear(message: FromPlugin): void {
    if (this.#over) return;
    if (ANSWERS.includes(message?.type)) this.#usage?.answered();
    this.onMessage(message);
  }

  #print(line: string): void {
    this.#dying ||= LAST_WORDS.test(line);
    if (!this.#over && !this.#dying) this.onMessage({ type: "log", line });
  }

  async #broken(pipe: "stdin" | "stdout"): Promise<void> {
    await within(this.#clock, this.#exited, ENDING_MS);
    this.#end(frame(`The plugin closed its ${pipe}`));
  }

  #end(why: Gone): void {
    this.#kill();
    if (this.#over) return;
    this.#over = true;
    this.onGone(why);
  }

  #kill(): void {
    this.#usage?.stop();
    this.#writer.close();
    if (!this.#running) return;
    for (
      const kill of [
        () => Deno.kill(-this.#child.pid, "SIGKILL"),
        () => this.#child.kill("SIGKILL"),
      ]
    ) {
      try {
        kill();
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

function frame(what: string): Gone {
  return {
    code: "plugin.frame",
    message:
      `${what}, and was stopped; stdin and stdout are the engine's: print by console or context.log`,
  };
}

// Resolves when `done` has, after `ms` milliseconds at the latest.
function within(clock: Clock, done: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    done.finally(cancel).then(resolve, resolve);
  });
}

// What V8 and Deno write when they give up; it is told in one sentence instead.
const LAST_WORDS = /^<--- Last few GCs|^# Fatal|^Fatal error in|^error: /;

function whyEnded(status: Deno.CommandStatus, printed: readonly string[]): Gone {
  const text = printed.join("\n");
  if (/out of memory|heap limit|OOM/i.test(text) && status.signal !== null) {
    return {
      code: "plugin.memory",
      message:
        "The plugin's process ran out of the memory that its heap may take; see what it keeps",
    };
  }
  const uncaught = /^error: (?:Uncaught )?(?:\(in (?:promise|worker[^)]*)\) )*(.*)$/m.exec(text)
    ?.[1];
  if (uncaught !== undefined) {
    const place = /at (?:.*\()?file:\/\/\S*?([^/\s]+:\d+:\d+)/.exec(text)?.[1];
    return {
      code: "plugin.exit",
      message: `The plugin's process ended by an error that nothing caught: ${uncaught}` +
        `${place === undefined ? "" : ` (${place})`}; catch it, and await every promise`,
    };
  }
  const how = status.signal === null ? `with code ${status.code}` : `by ${status.signal}`;
  return {
    code: "plugin.exit",
    message:
      `The plugin's process ended ${how}; a plugin must neither exit nor end itself otherwise`,
  };
}

// A process whose stdin ends with this one, however this one ends; then it kills the group. A plugin that spins does
// not notice that its own stdin has ended.
function watchdogOf(pid: number): Deno.ChildProcess | undefined {
  try {
    const watchdog = new Deno.Command("/bin/sh", {
      args: ["-c", `read -r _; kill -9 -${pid}`],
      clearEnv: true,
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    watchdog.unref();
    return watchdog;
  } catch {
    return undefined; // a system without a shell: a plugin that spins lives on when the engine is killed
  }
}

function letGo(watchdog: Deno.ChildProcess | undefined): void {
  try {
    watchdog?.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
  watchdog?.stdin.abort().catch(() => {
    // Its pipe is broken.
  });
}
