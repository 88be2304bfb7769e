import type { Parameter } from "../core/parameter.ts";
import type { Environment } from "../expression/environment.ts";
import type { Graph } from "./graph.ts";
import type { Report } from "./report.ts";
import type { Names } from "./texts.ts";

const NONE: ReadonlySet<string> = new Set();

/** What a place in the file lets its expressions see. */
export interface Place {
  /** The declared environment there. */
  readonly env?: ReadonlySet<string>;
  /** The steps that have settled; none when absent. */
  readonly steps?: Settled;
  /** Which roots of for_each there are. */
  readonly batch?: Environment["batch"];
  /** Whether it is an `if`. */
  readonly conditions?: boolean;
}

/** Which steps have settled at a place. */
export interface Settled {
  /** Whether the step has. */
  has(id: string): boolean;
}

/** Makes the environments of expressions, without a set of all steps for each of thousands of them. */
export class Scopes {
  readonly #params: Environment["params"];
  readonly #graphs: readonly Graph[];
  readonly #report: Report;
  readonly #cache = new Map<ReadonlySet<string>, Map<string, Environment>>();

  /** `graphs` hold all steps of the file. */
  constructor(params: ReadonlyMap<string, Parameter>, graphs: readonly Graph[], report: Report) {
    this.#params = new Map([...params.values()].map(({ name, type }) => [name, type]));
    this.#graphs = graphs;
    this.#report = report;
  }

  /** The names at a place. */
  at(place: Place): Names {
    const base = this.#base(place);
    const names = (text: string) => {
      if (!/\bsteps\b/.test(text)) return base;
      return { ...base, ...this.#steps(text, place.steps) };
    };
    return place.steps === undefined ? Object.assign(names, { early: true }) : names;
  }

  // One object for all places alike, so that what is made from it can be kept.
  #base(place: Place): Environment {
    const env = place.env ?? NONE;
    const batch = place.batch ?? "none";
    const conditions = place.conditions ?? false;
    const key = `${batch} ${conditions}`;
    let known = this.#cache.get(env);
    if (known === undefined) this.#cache.set(env, known = new Map());
    let base = known.get(key);
    if (base === undefined) {
      base = { params: this.#params, env, steps: NONE, otherSteps: NONE, batch, conditions };
      known.set(key, base);
    }
    return base;
  }

  // Only ids that the text mentions matter, unless it reaches for one that is not there: then all are
  // given, so that the nearest can be named.
  #steps(text: string, settled: Settled | undefined): Pick<Environment, "steps" | "otherSteps"> {
    const steps = new Set<string>();
    const otherSteps = new Set<string>();
    const sort = (id: string) => (settled?.has(id) ? steps : otherSteps).add(id);
    for (const [word] of text.matchAll(/[A-Za-z_][A-Za-z0-9_]*/g)) {
      if (this.#exists(word)) sort(word);
    }
    const fields = [...text.matchAll(/\bsteps\s*(?:\.\s*([A-Za-z_]\w*)|\[)?/g)];
    const plain = fields.every(([, id]) => id !== undefined && this.#exists(id));
    if (!plain && !this.#report.full()) {
      for (const graph of this.#graphs) for (const id of graph.ids()) sort(id);
    }
    return { steps, otherSteps };
  }

  #exists(id: string): boolean {
    return this.#graphs.some((graph) => graph.has(id));
  }
}
