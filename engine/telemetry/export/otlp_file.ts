import { dirname, join, parse } from "node:path";
import { type Clock, sleep } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { FileSettings, Signal } from "../settings.ts";
import type { Sender, Sent } from "./sender.ts";
import type { Serializer } from "./serializer.ts";

// How long other processes may hold the file before the batch is kept for later, in milliseconds, and how often
// to look: each holds it for one write.
const LOCKED_MS = 2_000;
const LOOK_MS = 1;
const LINE_FEED = 10;

type ToJson<T> = Pick<Serializer<T>, "serializeRequest">;

/**
 * Appends OTLP requests in JSON to a file, one a line, as OpenTelemetry's file exporter specifies:
 * https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/. The file is made for its owner alone (0600). One
 * that would grow past `settings.maxBytes` is set aside first: `out.jsonl` becomes `out.1.jsonl`, that one
 * `out.2.jsonl`, up to `settings.keep`.
 *
 * Invariants:
 * - J5: `send` never throws, and waits for nobody longer than two seconds.
 * - Any number of processes may write to one file: each line is one write in append mode, under an advisory lock
 *   of the file (flock), so lines are whole, rotation included, and none is lost by it. What a full disk or a
 *   killed process left of a line is cut off, or ended before the next one. On a network file system that has
 *   neither locks nor atomic appends lines can tear.
 */
export function otlpFileSender<T>(
  signal: Signal,
  settings: FileSettings,
  serializer: ToJson<T>,
  clock: Clock,
): Sender<T> {
  const file = new SharedFile(settings.path.replaceAll("{signal}", signal), settings, clock);
  return {
    signal,
    name: `otlp_file ${file.path}`,
    send: (batch) => sent(batch, serializer, (line) => file.append(line)),
    close: () => Promise.resolve(file.close()),
  };
}

/**
 * Writes OTLP requests in JSON, one a line, to standard output or wherever `write` writes: the specification's
 * `otlp/stdout`.
 */
export function otlpStdoutSender<T>(
  signal: Signal,
  write: (line: Uint8Array) => void | Promise<void>,
  serializer: ToJson<T>,
): Sender<T> {
  return {
    signal,
    name: "otlp/stdout",
    send: (batch) =>
      sent(batch, serializer, async (line) => {
        await write(line);
        return { status: "ok" };
      }),
    close: () => Promise.resolve(),
  };
}

async function sent<T>(
  batch: readonly T[],
  serializer: ToJson<T>,
  write: (line: Uint8Array) => Promise<Sent>,
): Promise<Sent> {
  try {
    const json = serializer.serializeRequest(batch);
    if (json === undefined) return { status: "failed", message: "It cannot be serialized" };
    const line = new Uint8Array(json.length + 1);
    line.set(json);
    line[json.length] = LINE_FEED;
    return await write(line);
  } catch (thrown) {
    // A full disk, a folder that is gone: the batch is lost, the next one is tried.
    return { status: "failed", message: messageOf(thrown) };
  }
}

class SharedFile {
  readonly path: string;
  readonly #settings: FileSettings;
  readonly #clock: Clock;
  #file: Deno.FsFile | undefined;

  constructor(path: string, settings: FileSettings, clock: Clock) {
    this.path = path;
    this.#settings = settings;
    this.#clock = clock;
  }

  async append(line: Uint8Array): Promise<Sent> {
    const until = this.#clock.monotonic() + LOCKED_MS;
    while (!this.#tryAppend(line)) {
      if (this.#clock.monotonic() >= until) {
        return { status: "retry", message: `Another process holds ${this.path}` };
      }
      await sleep(this.#clock, LOOK_MS);
    }
    return { status: "ok" };
  }

  // False when another process holds the file. All of it at once: what holds a lock must not wait its turn.
  #tryAppend(line: Uint8Array): boolean {
    for (;;) {
      const file = this.#file ??= open(this.path);
      if (!tryLock(file)) return false;
      try {
        const info = file.statSync();
        if (!info.isFile) {
          // A pipe or a device takes what it is given.
          write(file, line);
          return true;
        }
        const current = this.#isCurrent(info);
        if (current && (info.size === 0 || info.size + line.length <= this.#settings.maxBytes)) {
          appendTo(file, info.size, line);
          return true;
        }
        // Too large; otherwise another process has set it aside.
        if (current) setAside(this.path, this.#settings.keep);
      } finally {
        unlock(file);
      }
      this.close();
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #isCurrent(ours: Deno.FileInfo): boolean {
    const there = statOf(this.path);
    return there?.ino === ours.ino && there?.dev === ours.dev;
  }
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function open(path: string): Deno.FsFile {
  const there = statOf(path);
  if (there === undefined) Deno.mkdirSync(dirname(path), { recursive: true });
  // Of a pipe nothing is read.
  const read = there === undefined || there.isFile;
  return Deno.openSync(path, { read, append: true, create: true, mode: 0o600 });
}

// A file system without locks has atomic appends at best.
function tryLock(file: Deno.FsFile): boolean {
  try {
    return file.tryLockSync(true);
  } catch {
    return true; // not supported here
  }
}

function unlock(file: Deno.FsFile): void {
  try {
    file.unlockSync();
  } catch {
    // There was no lock: see tryLock.
  }
}

// Appends under the lock, where nobody else's line comes between `size` and the write.
function appendTo(file: Deno.FsFile, size: number, line: Uint8Array): void {
  try {
    write(file, endsInside(file, size) ? withLineFeed(line) : line);
  } catch (thrown) {
    file.truncateSync(size);
    throw thrown;
  }
}

// One write takes all; if there is no room for all, the next one says why.
function write(file: Deno.FsFile, line: Uint8Array): void {
  for (let at = 0; at < line.length;) at += file.writeSync(line.subarray(at));
}

// Whether a process died within a line.
function endsInside(file: Deno.FsFile, size: number): boolean {
  if (size === 0) return false;
  const last = new Uint8Array(1);
  file.seekSync(size - 1, Deno.SeekMode.Start);
  file.readSync(last);
  return last[0] !== LINE_FEED;
}

function withLineFeed(line: Uint8Array): Uint8Array {
  const ended = new Uint8Array(line.length + 1);
  ended[0] = LINE_FEED;
  ended.set(line, 1);
  return ended;
}

// The oldest go first, so that none is overwritten that is to be kept; the file itself goes last: whoever finds
// it gone makes a new one.
function setAside(path: string, keep: number): void {
  if (keep === 0) return Deno.removeSync(path);
  const { dir, name, ext } = parse(path);
  const numbered = (number: number) => number === 0 ? path : join(dir, `${name}.${number}${ext}`);
  for (let number = keep - 1; number >= 0; number--) {
    try {
      Deno.renameSync(numbered(number), numbered(number + 1));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
