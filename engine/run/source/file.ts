import { type FileHandle, open } from "node:fs/promises";
import { messageOf, SpanloopError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { ItemRange } from "../../core/span.ts";
import type { ItemSource, Slice } from "./source.ts";

const CHUNK = 1 << 20;

/** The longest record, in bytes: a file that is none of the format must not be read into memory whole. */
const LONGEST_RECORD = 64 << 20;

// An estimate of how many records a file has left is cut by so much: those ahead may be longer than those at hand.
const ESTIMATED = 0.9;

/** How a file's bytes are cut into records and the records read. */
export interface Format {
  /**
   * Where the record that begins at `from` ends, one past its line end; -1 if that is not in `bytes[0, end)`.
   */
  recordEnd(bytes: Uint8Array, from: number, end: number): number;
  /** Whether `bytes[from, to)` is blank and so no item. */
  blank(bytes: Uint8Array, from: number, to: number): boolean;
  /** The items of some records; throws SpanloopError that names the item. */
  parse(bytes: Uint8Array, firstItem: number, path: string): readonly Json[];
  /** Records that are `size` items as NDJSON, one line each; absent when they are parsed for that. */
  ndjson?(bytes: Uint8Array, size: number): Uint8Array;
}

/**
 * Items of a file, read as a stream: only the bytes of the batches under way are in memory. Ranges carry
 * their byte offsets, so that resume reads what it needs and no more.
 *
 * Invariants: F2 (a range is the same items again, as long as the file is unchanged), F3 (`identity` tells
 * whether it is).
 */
export class FileSource implements ItemSource {
  /** Path, size in bytes and time of change in milliseconds (F3). */
  readonly identity: { readonly path: string; readonly size: number; readonly changed: number };
  /** Not known before the end. */
  readonly total: undefined = undefined;
  readonly #file: FileHandle;
  readonly #format: Format;
  readonly #path: string;
  // The window bytes[#at, #end) of the file; #offset is the file's offset of bytes[0].
  #bytes = new Uint8Array(CHUNK * 2);
  #at = 0;
  #end = 0;
  #offset = 0;
  #item = 0;
  #ended = false;
  // next() is called by one for_each at a time, yet its reads are asynchronous.
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    file: FileHandle,
    path: string,
    identity: FileSource["identity"],
    format: Format,
    start: number,
  ) {
    this.#file = file;
    this.#path = path;
    this.identity = identity;
    this.#format = format;
    this.#offset = start;
  }

  /** Opens a file; `format` says how its records are cut, and at which byte they start. `path` is absolute. */
  static async open(
    path: string,
    format: (file: FileHandle) => Promise<{ readonly format: Format; readonly start: number }>,
  ): Promise<FileSource> {
    let file: FileHandle;
    try {
      file = await open(path, "r");
    } catch (cause) {
      throw new SpanloopError("for_each.file", `Cannot read ${path}: ${reason(cause)}`, { cause });
    }
    try {
      const stat = await file.stat();
      if (!stat.isFile()) {
        throw new SpanloopError("for_each.file", `Cannot read ${path}: it is not a file`);
      }
      const identity = { path, size: stat.size, changed: stat.mtimeMs };
      const made = await format(file);
      return new FileSource(file, path, identity, made.format, made.start);
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
  }

  /** See ItemSource. */
  next(count: number): Promise<Slice | undefined> {
    return this.#inTurn(() => this.#next(count));
  }

  /** See ItemSource. Exact for what fits into the window; beyond it by the size of the records in it. */
  left(): Promise<number> {
    return this.#inTurn(() => this.#left());
  }

  /** See ItemSource. */
  async again(range: ItemRange): Promise<Slice> {
    const [from, to] = range.bytes ?? [0, 0];
    const bytes = new Uint8Array(to - from);
    let read = 0;
    while (read < bytes.length) {
      const { bytesRead } = await this.#file.read(bytes, read, bytes.length - read, from + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return this.#slice(range, bytes.subarray(0, read));
  }

  /** See ItemSource. */
  skipTo(range: ItemRange): void {
    const offset = range.bytes?.[1] ?? 0;
    if (offset <= this.#offset + this.#at) return;
    this.#offset = offset;
    this.#at = this.#end = 0;
    this.#item = range.to;
    this.#ended = false;
  }

  /** See ItemSource. */
  share(): number {
    return this.identity.size === 0
      ? 1
      : Math.min(1, (this.#offset + this.#at) / this.identity.size);
  }

  /** See ItemSource. */
  close(): void {
    void this.#file.close().catch(() => {}); // reading is over: nothing can be lost by a failed close
  }

  #inTurn<T>(read: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(read);
    this.#turn = done.catch(() => {}); // whoever asked hears of it
    return done;
  }

  async #left(): Promise<number> {
    if (this.#end - this.#at < CHUNK && !this.#ended) this.#at -= await this.#fill(this.#at);
    let items = 0;
    let position = this.#at;
    for (;;) {
      const end = this.#format.recordEnd(this.#bytes, position, this.#end);
      if (end < 0) break;
      if (!this.#format.blank(this.#bytes, position, end)) items++;
      position = end;
    }
    if (this.#offset + this.#end >= this.identity.size) {
      const last = position < this.#end &&
        !this.#format.blank(this.#bytes, position, this.#end);
      return items + (last ? 1 : 0);
    }
    if (items === 0) return 0;
    const bytes = this.identity.size - (this.#offset + this.#at);
    return Math.floor(items * bytes / (position - this.#at) * ESTIMATED);
  }

  async #next(count: number): Promise<Slice | undefined> {
    let items = 0;
    let from = this.#at; // first byte of the slice, in the window
    let position = this.#at;
    while (items < count) {
      const end = this.#format.recordEnd(this.#bytes, position, this.#end);
      if (end < 0) {
        if (!this.#ended) {
          const moved = await this.#fill(from);
          from -= moved;
          position -= moved;
          continue;
        }
        if (position < this.#end && !this.#format.blank(this.#bytes, position, this.#end)) items++;
        position = this.#end;
        break;
      }
      if (!this.#format.blank(this.#bytes, position, end)) items++;
      position = end;
    }
    this.#at = position;
    if (items === 0) return undefined;
    const range: ItemRange = {
      from: this.#item,
      to: this.#item + items,
      bytes: [this.#offset + from, this.#offset + position],
    };
    this.#item += items;
    return this.#slice(range, this.#bytes.slice(from, position));
  }

  // Reads more behind the window, keeping bytes from `keep` on; by how much these moved.
  async #fill(keep: number): Promise<number> {
    const kept = this.#end - keep;
    if (kept > LONGEST_RECORD) {
      throw new SpanloopError(
        "for_each.file",
        `${this.#path}: no record ends within ${LONGEST_RECORD >> 20} MiB after byte ${
          this.#offset + keep
        }; is it one of the format that for_each expects?`,
      );
    }
    if (kept + CHUNK > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, kept + CHUNK));
      larger.set(this.#bytes.subarray(keep, this.#end));
      this.#bytes = larger;
    } else if (keep > 0) {
      this.#bytes.copyWithin(0, keep, this.#end);
    }
    this.#offset += keep;
    this.#end = kept;
    const { bytesRead } = await this.#file.read(
      this.#bytes,
      kept,
      CHUNK,
      this.#offset + kept,
    );
    if (bytesRead === 0) this.#ended = true;
    this.#end += bytesRead;
    return keep;
  }

  #slice(range: ItemRange, bytes: Uint8Array): Slice {
    const format = this.#format;
    const path = this.#path;
    let items: readonly Json[] | undefined;
    const parsed = () => items ??= format.parse(bytes, range.from, path);
    return {
      range,
      size: range.to - range.from,
      get items() {
        return parsed();
      },
      ndjson: () =>
        format.ndjson?.(bytes, range.to - range.from) ??
          new TextEncoder().encode(parsed().map((item) => JSON.stringify(item) + "\n").join("")),
    };
  }
}

function reason(thrown: unknown): string {
  const code = (thrown as { code?: string }).code;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "permission denied";
  return messageOf(thrown);
}
