import { readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import type { Clock, Random } from "./core/clock.ts";
import type { Holder } from "./core/store.ts";

/** The system's clocks and timers. */
export function systemClock(): Clock {
  // performance.now() has microseconds and never goes back; it is anchored to the wall clock anew when the
  // two have drifted apart, as after a suspend or a correction of the time.
  let anchor = BigInt(Date.now()) * 1_000_000n - nanoseconds(performance.now());
  return {
    now() {
      const reading = anchor + nanoseconds(performance.now());
      const wall = BigInt(Date.now()) * 1_000_000n;
      const drift = wall - reading;
      if (drift > 50_000_000n || drift < -50_000_000n) {
        anchor += drift;
        return wall;
      }
      return reading;
    },
    monotonic: () => performance.now(),
    after(ms, fire) {
      const timer = setTimeout(fire, ms);
      return () => clearTimeout(timer);
    },
  };
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1_000)) * 1_000n;
}

/** The system's randomness. */
export function systemRandom(): Random {
  return {
    fill: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    next: () => Math.random(),
  };
}

/** This process as a holder of leases. */
export function thisHolder(): Holder {
  return {
    host: hostname(),
    bootId: bootId(),
    pid: Deno.pid,
    startTime: startTimeOf(Deno.pid) ?? "",
  };
}

/**
 * Whether a holder's process is certainly gone: it was of this host, and of an earlier boot, or its pid is
 * free or another process's now (R7). Of other hosts nothing is known.
 */
export function isDead(holder: Holder): boolean {
  if (holder.host !== hostname()) return false;
  if (holder.bootId !== bootId()) return true;
  if (Deno.build.os !== "linux") return false;
  return startTimeOf(holder.pid) !== holder.startTime;
}

let boot: string | undefined;

function bootId(): string {
  return boot ??= readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

// Field 22 of /proc/PID/stat (proc(5)), counted after the command's closing parenthesis: it may hold blanks.
// A zombie has ended, whatever its entry says.
function startTimeOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" ? undefined : fields[19];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // not there: the process is gone, or this is no Linux
  }
}

/** This process's standard output and error; what is written is written whole, and at once. */
export function standardStreams(): {
  readonly write: (bytes: Uint8Array) => void;
  readonly writeText: (text: string) => void;
  /** Whether standard error shows colours. */
  readonly colour: boolean;
} {
  const whole = (stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  };
  return {
    write: (bytes) => whole(Deno.stdout, bytes),
    writeText: (text) => whole(Deno.stderr, new TextEncoder().encode(text)),
    colour: Deno.stderr.isTerminal() && !Deno.env.get("NO_COLOR"),
  };
}

/** What starts another Deno process, as this one was started. */
export function denoProcess(environment: Readonly<Record<string, string>>): {
  /** Deno's executable. */
  readonly deno: string;
  /** mod.ts, which is `spanloop` to scripts and plugins; a file URL. */
  readonly library: string;
  /** Where caches of other processes go. */
  readonly cacheFolder: string;
} {
  return {
    deno: Deno.execPath(),
    library: new URL("../mod.ts", import.meta.url).href,
    cacheFolder: join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "spanloop"),
  };
}
