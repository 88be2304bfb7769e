import { nearest } from "../core/diagnostic.ts";
import type { Report } from "./report.ts";
import { itemsOf, type Mapping, type Node, textOf } from "./tree.ts";

/** A step's place in its list, before it is compiled. */
export interface Vertex {
  readonly id: string;
  readonly node: Mapping;
  /** Indices of the steps that it needs, in its own list. */
  readonly needs: readonly number[];
}

/** One list of steps (`steps`, `on_failure` or `finally`) as a graph without cycles. */
export class Graph {
  /** In the file's order. */
  readonly vertices: readonly Vertex[];
  readonly #index: ReadonlyMap<string, number>;
  readonly #rank: readonly number[];
  // Per vertex a bit for each vertex of lower rank; made only for steps whose expressions reach further up
  // than their own needs.
  readonly #above = new Map<number, Uint32Array>();

  /** `ranks` gives every vertex a number greater than those of its needs. */
  constructor(vertices: readonly Vertex[], order: readonly number[]) {
    this.vertices = vertices;
    this.#index = new Map(vertices.map((vertex, index) => [vertex.id, index]));
    const rank = new Array<number>(vertices.length);
    order.forEach((vertex, at) => rank[vertex] = at);
    this.#rank = rank;
  }

  /** Whether a step of this list has the id. */
  has(id: string): boolean {
    return this.#index.has(id);
  }

  /** The ids in the file's order. */
  ids(): Iterable<string> {
    return this.#index.keys();
  }

  /** Whether the step `id` has settled whenever the vertex `reader` runs. */
  isAbove(id: string, reader: number): boolean {
    const target = this.#index.get(id);
    if (target === undefined) return false;
    if (this.vertices[reader].needs.includes(target)) return true;
    if (this.#rank[target] >= this.#rank[reader]) return false;
    const rank = this.#rank[target];
    return (this.#bits(reader)[rank >>> 5] >>> (rank & 31) & 1) === 1;
  }

  #bits(reader: number): Uint32Array {
    // An explicit stack: a chain of thousands of steps is ordinary.
    const stack = [reader];
    while (stack.length > 0) {
      const vertex = stack[stack.length - 1];
      const missing = this.vertices[vertex].needs.filter((need) => !this.#above.has(need));
      if (missing.length > 0 && !this.#above.has(vertex)) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      if (this.#above.has(vertex)) continue;
      const bits = new Uint32Array((this.#rank[vertex] + 32) >>> 5);
      for (const need of this.vertices[vertex].needs) {
        const theirs = this.#above.get(need)!;
        for (let word = 0; word < theirs.length; word++) bits[word] |= theirs[word];
        bits[this.#rank[need] >>> 5] |= 1 << (this.#rank[need] & 31);
      }
      this.#above.set(vertex, bits);
    }
    return this.#above.get(reader)!;
  }
}

/**
 * Resolves the `needs` of one list (S1) and reports unknown, repeated and circular ones; the graph that is
 * returned leaves those out. Steps without an id of their own are left out too; their shape is reported
 * elsewhere.
 */
export function buildGraph(
  list: Node | undefined,
  where: string,
  taken: Map<string, { from: number; list: string }>,
  report: Report,
): Graph {
  const steps: { id: string; node: Mapping }[] = [];
  for (const node of itemsOf(list)) {
    if (node.kind !== "mapping") continue;
    const at = node.get("id");
    const id = textOf(at);
    if (id === undefined || at === undefined) continue;
    const before = taken.get(id);
    if (before !== undefined) {
      report.add({
        from: at.from,
        to: at.to,
        code: "duplicate-id",
        message: `the id \`${id}\` is taken by the step on line ${report.line(before.from)}; ` +
          "ids are unique over steps, on_failure and finally",
      });
      continue;
    }
    taken.set(id, { from: at.from, list: where });
    steps.push({ id, node });
  }
  const index = new Map(steps.map((step, at) => [step.id, at]));
  const needs = steps.map((step, at) => resolve(step, at, index, where, taken, report));
  const order = sort(steps, needs, report);
  return new Graph(steps.map((step, at) => ({ ...step, needs: needs[at] })), order);
}

function resolve(
  step: { id: string; node: Mapping },
  at: number,
  index: ReadonlyMap<string, number>,
  where: string,
  taken: ReadonlyMap<string, { list: string }>,
  report: Report,
): number[] {
  const given = step.node.get("needs");
  if (given === undefined) return at === 0 ? [] : [at - 1];
  const found = new Set<number>();
  for (const item of given.kind === "list" ? given.items : [given]) {
    const id = textOf(item);
    if (id === undefined) continue;
    const target = index.get(id);
    if (target !== undefined) {
      found.add(target);
      continue;
    }
    const other = taken.get(id);
    const suggestion = other === undefined && !report.full()
      ? nearest(id, index.keys())
      : undefined;
    report.add({
      from: item.from,
      to: item.to,
      code: "unknown-step",
      message: other === undefined
        ? `\`${step.id}\` needs \`${id}\`, and no step in \`${where}\` has that id`
        : `\`${step.id}\` needs \`${id}\`, which stands in \`${other.list}\`; ` +
          `a step of \`${where}\` can only need steps of the same list`,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
  return [...found];
}

// Kahn's algorithm; what it leaves over stands on a cycle or above one, and each cycle is cut and named.
function sort(
  steps: readonly { id: string; node: Mapping }[],
  needs: number[][],
  report: Report,
): number[] {
  const followers: number[][] = steps.map(() => []);
  const open = needs.map((list) => list.length);
  needs.forEach((list, at) => list.forEach((need) => followers[need].push(at)));
  const order: number[] = [];
  const done = new Set<number>();
  const settle = (vertex: number) => {
    done.add(vertex);
    order.push(vertex);
  };
  for (let at = 0; at < steps.length; at++) if (open[at] === 0) settle(at);
  for (let head = 0, from = 0; order.length < steps.length;) {
    for (; head < order.length; head++) {
      for (const next of followers[order[head]]) if (--open[next] === 0) settle(next);
    }
    if (order.length === steps.length) break;
    while (done.has(from)) from++;
    if (report.full()) {
      // Nothing more is shown: the order of the rest no longer matters.
      for (let at = from; at < steps.length; at++) if (!done.has(at)) settle(at);
      needs.forEach((_, at) => needs[at] = []);
      break;
    }
    const cycle = findCycle(from, needs, done);
    const names = cycle.map((vertex) => steps[vertex].id);
    const shown = names.length > 12
      ? [...names.slice(0, 6), `... ${names.length - 10} more ...`, ...names.slice(-4)]
      : names;
    const first = steps[cycle[0]].node.entry("needs") ?? steps[cycle[0]].node.entry("id")!;
    report.add({
      from: first.from,
      to: first.to,
      code: "cycle",
      message: cycle.length === 1
        ? `\`${names[0]}\` needs itself`
        : `these steps wait for one another: ${shown.join(" -> ")} -> ${names[0]}; ` +
          "remove one of these needs",
    });
    // Cut, so that what is left can be checked and further cycles found.
    for (const vertex of cycle) {
      needs[vertex] = needs[vertex].filter((need) => done.has(need));
      if (!done.has(vertex)) settle(vertex);
    }
    for (const vertex of cycle) open[vertex] = 0;
  }
  return order;
}

// Follows open needs from `start` until a step comes up again.
function findCycle(start: number, needs: readonly number[][], done: ReadonlySet<number>): number[] {
  const path: number[] = [];
  const position = new Map<number, number>();
  for (let vertex = start;;) {
    const before = position.get(vertex);
    if (before !== undefined) {
      const cycle = path.slice(before);
      // Told from the step that stands first in the file.
      const first = cycle.indexOf(Math.min(...cycle));
      return [...cycle.slice(first), ...cycle.slice(0, first)];
    }
    position.set(vertex, path.length);
    path.push(vertex);
    vertex = needs[vertex].find((need) => !done.has(need))!;
  }
}
