import type { Json } from "../core/json.ts";

/** A node of a workflow file with its place in the text, in UTF-16 offsets; anchors are resolved. */
export type Node = Scalar | List | Mapping;

/** How a scalar is written, which decides how its characters map to the text. */
export type Style = "plain" | "single" | "double" | "literal" | "folded";

/** A text, number, boolean or null. */
export class Scalar {
  /** Tells the kinds of node apart. */
  readonly kind = "scalar";
  /** How many nodes it is. */
  readonly size = 1;

  /** `from` and `to` enclose the quotes or the block header too. */
  constructor(
    readonly value: string | number | boolean | null,
    readonly from: number,
    readonly to: number,
    readonly style: Style,
  ) {}
}

/** A list. */
export class List {
  /** Tells the kinds of node apart. */
  readonly kind = "list";

  /** `size` counts it and all nodes below, aliases as often as they stand. */
  constructor(
    readonly items: readonly Node[],
    readonly from: number,
    readonly to: number,
    readonly size: number,
  ) {}
}

/** A key and its value. */
export interface Entry {
  readonly key: string;
  /** The key's place. */
  readonly from: number;
  readonly to: number;
  readonly value: Node;
}

/** A mapping; its keys are unique. */
export class Mapping {
  /** Tells the kinds of node apart. */
  readonly kind = "mapping";

  /** `size` counts it and all nodes below, aliases as often as they stand. */
  constructor(
    readonly entries: readonly Entry[],
    readonly from: number,
    readonly to: number,
    readonly size: number,
  ) {}

  /** The entry of a key. */
  entry(key: string): Entry | undefined {
    for (const entry of this.entries) if (entry.key === key) return entry;
  }

  /** The value of a key. */
  get(key: string): Node | undefined {
    return this.entry(key)?.value;
  }
}

/** The value as JSON. A key such as `__proto__` becomes an ordinary own property. */
export function toJson(node: Node): Json {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toJson);
  return Object.fromEntries(node.entries.map((entry) => [entry.key, toJson(entry.value)]));
}

/** The mapping, if it is one. */
export function asMapping(node: Node | undefined): Mapping | undefined {
  return node?.kind === "mapping" ? node : undefined;
}

/** The list's items; none if it is no list. */
export function itemsOf(node: Node | undefined): readonly Node[] {
  return node?.kind === "list" ? node.items : [];
}

/** The text, if it is one. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}

/** The number, if it is one. */
export function numberOf(node: Node | undefined): number | undefined {
  return node?.kind === "scalar" && typeof node.value === "number" ? node.value : undefined;
}

/** The text if it is one of `words`. */
export function wordOf<T extends string>(
  node: Node | undefined,
  words: readonly T[],
): T | undefined {
  const text = textOf(node);
  return words.find((word) => word === text);
}
