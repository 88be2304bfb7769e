import type { Import } from "./graph.ts";
import { layerOf } from "./layers.ts";

/** A sentence for each cycle of files, the shortest one through its first file. */
export function cycles(imports: readonly Import[]): readonly string[] {
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    if (to !== undefined && to !== from) add(edges, from, to);
  }
  const told = new Set<string>();
  const found: string[] = [];
  for (const start of [...edges.keys()].sort()) {
    if (told.has(start)) continue;
    const path = wayBack(edges, start);
    if (path === undefined) continue;
    for (const file of path) told.add(file);
    found.push(`${[...path, start].join(" → ")} is a cycle: move what both need into a third file`);
  }
  return found;
}

/** A sentence for each pair of layers that import each other, directly or through others. */
export function layerCycles(imports: readonly Import[]): readonly string[] {
  const edges = new Map<string, Set<string>>();
  const example = new Map<string, string>();
  for (const { from, to } of imports) {
    const layer = layerOf(from);
    const other = to === undefined ? undefined : layerOf(to);
    if (layer === undefined || other === undefined || layer === other) continue;
    add(edges, layer, other);
    const key = `${layer} ${other}`;
    if (!example.has(key)) example.set(key, `${from} imports ${to}`);
  }
  const told = new Set<string>();
  const found: string[] = [];
  for (const start of [...edges.keys()].sort()) {
    if (told.has(start)) continue;
    const path = wayBack(edges, start);
    if (path === undefined) continue;
    for (const layer of path) told.add(layer);
    const round = [...path, start];
    const files = path.map((layer, i) => example.get(`${layer} ${round[i + 1]}`));
    found.push(`Layers ${round.join(" → ")} are a cycle: ${files.join(", ")}`);
  }
  return found;
}

// The shortest path from `start` back to it, without its last node; breadth first.
function wayBack(
  edges: ReadonlyMap<string, ReadonlySet<string>>,
  start: string,
): readonly string[] | undefined {
  const before = new Map<string, string>();
  const queue = [start];
  for (const node of queue) {
    for (const next of edges.get(node) ?? []) {
      if (next === start) {
        const path = [node];
        while (path[0] !== start) path.unshift(before.get(path[0]) as string);
        return path;
      }
      if (!before.has(next)) {
        before.set(next, node);
        queue.push(next);
      }
    }
  }
  return undefined;
}

function add(edges: Map<string, Set<string>>, from: string, to: string): void {
  const targets = edges.get(from) ?? new Set();
  edges.set(from, targets.add(to));
}
