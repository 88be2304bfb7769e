/**
 * Ends the processes of an attempt (R6). Each carries the attempt's span id in its environment, which
 * costs nothing at start and survives setsid, daemons and a killed engine; a process group would survive
 * none of these.
 */
import { sleep } from "../core/clock.ts";
import type { StepPorts } from "./ports.ts";

/** The variable that holds the span id of the attempt that a process belongs to. */
export const MARKER = "SPANLOOP_SPAN_ID";

/**
 * The variable that holds the span ids around it, comma-separated: a shell step may itself run Spanloop,
 * whose processes carry the inner id. They get to stop gently with the inner engine, and are killed with
 * the outer attempt otherwise.
 */
export const OUTER_MARKER = "SPANLOOP_OUTER_SPAN_IDS";

/** How long processes may take to end after SIGTERM, milliseconds. */
export const GRACE_MS = 2_000;

// A process in uninterruptible sleep cannot be killed at all: the step must not hang with it.
const GIVE_UP_MS = 10_000;

/** Which processes to end, and how to ask whether a person has lost patience. */
export interface EndRequest {
  /** The attempt's span id. */
  readonly spanId: string;
  /** The process group that takes the marker's place on macOS. */
  readonly group?: number;
  /** Asked before each round: whether to skip the grace (a second Ctrl-C). */
  readonly isForced?: () => boolean;
}

/** The marker variables of a child of this engine, which may itself be a marked process. */
export function markers(
  spanId: string,
  environment: Readonly<Record<string, string>>,
): Record<string, string> {
  const outer = [environment[OUTER_MARKER], environment[MARKER]].filter((id) => id);
  return outer.length === 0
    ? { [MARKER]: spanId }
    : { [MARKER]: spanId, [OUTER_MARKER]: outer.join(",") };
}

/**
 * Ends every process of the attempt: SIGTERM, `GRACE_MS` to comply, then SIGKILL until none is left.
 * Resolves to how many it found, and whether some could not be ended.
 */
export async function endProcesses(
  ports: Pick<StepPorts, "clock" | "pid" | "platform">,
  request: EndRequest,
): Promise<{ readonly found: number; readonly survived: number }> {
  const asked = new Set<number>();
  const start = ports.clock.monotonic();
  for (let pause = 2;; pause = Math.min(pause * 2, 100)) {
    const waited = ports.clock.monotonic() - start;
    const kill = waited >= GRACE_MS || request.isForced?.() === true;
    const alive = living(ports, request, kill);
    if (alive.length === 0) return { found: asked.size, survived: 0 };
    for (const pid of alive) {
      if (kill) signalProcess(pid, "SIGKILL");
      else if (!asked.has(pid)) signalProcess(pid, "SIGTERM");
      asked.add(pid);
    }
    if (waited >= GIVE_UP_MS) return { found: asked.size, survived: alive.length };
    await sleep(ports.clock, pause);
  }
}

function living(
  ports: Pick<StepPorts, "pid" | "platform">,
  request: EndRequest,
  nested: boolean,
): number[] {
  if (ports.platform === "linux") return marked(request.spanId, ports.pid, nested);
  return request.group !== undefined && signalProcess(-request.group, 0) ? [-request.group] : [];
}

/** The ids of processes that carry `spanId`; with `nested`, also those that carry it as an outer one. */
export function marked(spanId: string, self: number, nested: boolean): number[] {
  const found: number[] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    const pid = Number(entry.name);
    if (!(pid > 0) || pid === self) continue;
    let environment: string;
    try {
      environment = Deno.readTextFileSync(`/proc/${pid}/environ`);
    } catch {
      continue; // ended meanwhile, or another person's
    }
    if (carries(environment, spanId, nested)) found.push(pid);
  }
  return found;
}

function carries(environment: string, spanId: string, nested: boolean): boolean {
  if (!environment.includes(spanId)) return false;
  for (const line of environment.split("\0")) {
    if (line === `${MARKER}=${spanId}`) return true;
    if (nested && line.startsWith(`${OUTER_MARKER}=`)) {
      if (line.slice(OUTER_MARKER.length + 1).split(",").includes(spanId)) return true;
    }
  }
  return false;
}

// Whether there was a process to signal; signal 0 only asks.
function signalProcess(pid: number, signal: Deno.Signal | 0): boolean {
  try {
    Deno.kill(pid, signal as Deno.Signal);
    return true;
  } catch (error) {
    // A process of another person in the group is there, but is not ours to end.
    return error instanceof Deno.errors.PermissionDenied;
  }
}
