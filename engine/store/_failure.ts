import { messageOf, StoreError } from "../core/errors.ts";

/** SQLite's primary result codes that mean something to the user (sqlite.org/rescode.html). */
const BY_RESULT: Readonly<Record<number, string>> = {
  3: "store.read_only",
  5: "store.busy",
  6: "store.busy",
  8: "store.read_only",
  11: "store.corrupt",
  13: "store.full",
  26: "store.corrupt",
};

// Deno's node:sqlite leaves `errcode` out of some errors, so the fixed texts of sqlite3_errstr stand in.
const BY_TEXT: readonly (readonly [string, number])[] = [
  ["is locked", 5],
  ["readonly database", 8],
  ["disk I/O error", 10],
  ["disk image is malformed", 11],
  ["database or disk is full", 13],
  ["unable to open database file", 14],
  ["file is not a database", 26],
];

// A shared-memory index that cannot grow is a full disk (SQLITE_IOERR_SHMSIZE).
const SHARED_MEMORY_SIZE = 4874;

const BY_ERRNO: Readonly<Record<string, string>> = {
  ENOSPC: "store.full",
  EDQUOT: "store.full",
  EROFS: "store.read_only",
  EACCES: "store.read_only",
  EPERM: "store.read_only",
};

const ADVICE: Readonly<Record<string, string>> = {
  "store.full": "the disk is full; free some space and resume",
  "store.read_only":
    "the file or its folder cannot be written; change its permissions or choose another --store",
  "store.busy": "another process has kept it locked; wait until that one is done and try again",
  "store.corrupt":
    "the file is damaged or is not a store; restore it from a copy or choose another --store",
  "store.unavailable": "check that the file, its folder and its disk are there and can be read",
};

/** Where a failure happened, for its sentence. */
export interface Place {
  /** The database's file, absolute. */
  readonly file: string;
  /** What could not be done: `write to`, `read`, `open`. */
  readonly action: string;
}

/**
 * What a failure of SQLite or of the file system means to the user: a StoreError with the failure as its
 * cause. Errors of neither (a caller's callback that threw) come back as they are.
 */
export function storeFailure(thrown: unknown, place: Place): unknown {
  if (!(thrown instanceof Error) || thrown instanceof StoreError) return thrown;
  const { code, errcode } = thrown as Error & { code?: unknown; errcode?: unknown };
  if (code === "ERR_INVALID_ARG_VALUE" || code === "ERR_INVALID_ARG_TYPE") {
    return new StoreError(
      "store.invalid",
      `Cannot ${place.action} the store ${place.file}: a value does not fit (${thrown.message}); ` +
        "times are nanoseconds in 64 bits",
      { cause: thrown },
    );
  }
  const meaning = code === "ERR_SQLITE_ERROR" || code === "ERR_INVALID_STATE"
    ? meaningOfResult(thrown.message, errcode)
    : typeof code === "string" && /^E[A-Z0-9]+$/.test(code)
    ? BY_ERRNO[code] ?? "store.unavailable"
    : undefined;
  if (meaning === undefined) return thrown;
  return new StoreError(
    meaning,
    `Cannot ${place.action} the store ${place.file}: ${ADVICE[meaning]} (${messageOf(thrown)})`,
    { cause: thrown },
  );
}

function meaningOfResult(message: string, errcode: unknown): string {
  if (errcode === SHARED_MEMORY_SIZE) return "store.full";
  const result = typeof errcode === "number"
    ? errcode & 0xff
    : BY_TEXT.find(([text]) => message.includes(text))?.[1];
  return BY_RESULT[result ?? 0] ?? "store.unavailable";
}
