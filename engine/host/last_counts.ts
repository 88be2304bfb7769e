import type { Json } from "../core/json.ts";
import type { PluginState } from "../core/plugin.ts";
import type { Count } from "../parameters/count.ts";

interface Brought {
  readonly values: Readonly<Record<string, Json>>;
  readonly count: Count;
}

const PREFIX = "brought/";
// The values of an experiment to come ruled some of these, whichever arm they were of then.
const MOST_KEPT = 12;
// Where both arms break their guard, 1 candidate in 7 takes the blame for it when nothing was known before, 1 in 40 when two
// runs were; with more, a trouble that is over excuses a candidate for too long (tests/sequential/FIGURES.md).
const MOST_TOLD = 2;

/** What values brought lately in slices, or whole steps, of a workflow's work; of a plugin's own state. */
export class LastCounts {
  readonly #state: Pick<PluginState, "get" | "set">;

  /** Keeps what it knows in `state`. */
  constructor(state: Pick<PluginState, "get" | "set">) {
    this.#state = state;
  }

  /** Takes note of a slice, or a whole step, under these values. */
  note(step: string, values: Brought["values"], count: Count): void {
    if (count.items === 0) return;
    const all = [...this.#of(step), { values, count }];
    this.#state.set(PREFIX + step, JSON.stringify(all.slice(-MOST_KEPT)));
  }

  /** The last counts under values such as these, oldest first. */
  under(step: string, values: Brought["values"]): readonly Count[] {
    const names = Object.keys(values);
    return this.#of(step)
      .filter((one) => names.every((name) => (one.values[name] ?? null) === values[name]))
      .map(({ count }) => count)
      .slice(-MOST_TOLD);
  }

  #of(step: string): readonly Brought[] {
    const kept = this.#state.get(PREFIX + step);
    return typeof kept === "string" ? JSON.parse(kept) : [];
  }
}
