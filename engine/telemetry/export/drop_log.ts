import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/log.ts";
import type { OnDropped } from "./sender.ts";

type Drop = Parameters<OnDropped>[0];

// What is dropped within this time is told of in one line, in milliseconds.
const GATHER_MS = 1_000;
// And no more often than this, in milliseconds.
const QUIET_MS = 60_000;

const WHAT: Readonly<Record<Drop["signal"], readonly [string, string]>> = {
  traces: ["span", "spans"],
  metrics: ["collection of metrics", "collections of metrics"],
  logs: ["log record", "log records"],
};

/** Says in one line, and at most once a minute and sender, how much telemetry was lost, and why. */
export class DropLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #lost = new Map<string, { count: number; last: Drop; toldAt: number | undefined }>();
  #cancel: (() => void) | undefined;

  /** Writes to `logger`. */
  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Counts a drop, to be told of soon. */
  readonly hear: OnDropped = (drop) => {
    const key = `${drop.signal} ${drop.sender}`;
    const lost = this.#lost.get(key) ?? { count: 0, last: drop, toldAt: undefined };
    this.#lost.set(key, { ...lost, count: lost.count + drop.count, last: drop });
    this.#arm();
  };

  /** Tells of what was not told yet. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#tell(true);
  }

  #arm(): void {
    this.#cancel ??= this.#clock.after(GATHER_MS, () => {
      this.#cancel = undefined;
      this.#tell(false);
    });
  }

  #tell(all: boolean): void {
    const now = this.#clock.monotonic();
    for (const [key, { count, last, toldAt }] of this.#lost) {
      if (count === 0) continue;
      if (!all && toldAt !== undefined && now - toldAt < QUIET_MS) {
        this.#arm();
        continue;
      }
      this.#lost.set(key, { count: 0, last, toldAt: now });
      this.#logger.log({ severity: "warn", body: sentence(count, last) });
    }
  }
}

function sentence(count: number, { signal, sender, reason, message }: Drop): string {
  const [one, many] = WHAT[signal];
  const what = `${count} ${count === 1 ? one : many}`;
  return reason === "rejected"
    ? `${what} refused by ${sender}: ${message}`
    : `${what} not exported to ${sender}: ${message}`;
}
