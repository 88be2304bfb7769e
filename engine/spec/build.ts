import {
  type Alias,
  isAlias,
  isCollection,
  isMap,
  type Node as YamlNode,
  type Pair,
  type Scalar as YamlScalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Report } from "./report.ts";
import { type Entry, List, Mapping, type Node, Scalar, type Style } from "./tree.ts";

// Nodes that aliases and merge keys may add (V5): far more than a person shares, far less than hurts.
const MOST_EXPANDED = 100_000;

const STYLES: Readonly<Record<string, Style>> = {
  QUOTE_SINGLE: "single",
  QUOTE_DOUBLE: "double",
  BLOCK_LITERAL: "literal",
  BLOCK_FOLDED: "folded",
};

const TAGS = new Set(["str", "int", "float", "bool", "null", "map", "seq"]
  .map((tag) => `tag:yaml.org,2002:${tag}`));

/** Turns npm:yaml's nodes into a tree: resolves anchors and merge keys, refuses tags and duplicate keys. */
export class Builder {
  readonly #text: string;
  readonly #base: number;
  readonly #report: Report;
  readonly #anchors = new Map<string, Node | undefined>();
  #expanded = 0;
  #refused = false;

  /** Offsets of the nodes count from `base` in `text`. */
  constructor(text: string, base: number, report: Report) {
    this.#text = text;
    this.#base = base;
    this.#report = report;
  }

  /** The tree of a document's contents. */
  build(node: YamlNode): Node {
    const at = node as YamlScalar | YAMLMap | YAMLSeq | Alias;
    if (isAlias(at)) return this.#alias(at);
    const anchor = at.anchor;
    // Undefined marks an anchor whose node is not complete: an alias to it would hold itself.
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    if (at.tag !== undefined && !TAGS.has(at.tag)) {
      this.#add(at, "tag", `the tag ${tagName(at.tag)} is not allowed; write a plain value`);
    }
    const built = isCollection(at) ? this.#collection(at) : this.#scalar(at);
    if (anchor !== undefined) this.#anchors.set(anchor, built);
    return built;
  }

  #collection(node: YAMLMap | YAMLSeq): Node {
    const [from, to] = this.#range(node);
    if (!isMap(node)) {
      const items: Node[] = [];
      let size = 1;
      for (const item of node.items as YamlNode[]) {
        const built = this.build(item);
        items.push(built);
        size += built.size;
      }
      return new List(items, from, to, size);
    }
    const entries: Entry[] = [];
    const places = new Map<string, number>();
    const merged: Entry[] = [];
    let size = 1;
    for (const pair of node.items as Pair<YamlNode | null, YamlNode | null>[]) {
      const key = this.#key(pair.key);
      if (key === undefined) continue;
      const value = pair.value === null
        ? new Scalar(null, key.to, key.to, "plain")
        : this.build(pair.value);
      if (key.merges) {
        merged.push(...this.#merge(value, key));
        continue;
      }
      const before = places.get(key.text);
      if (before !== undefined) {
        this.#report.add({
          from: key.from,
          to: key.to,
          code: "duplicate-key",
          message: `the key \`${key.text}\` stands here twice; the first is on line ${
            this.#report.line(before)
          }`,
        });
        continue;
      }
      places.set(key.text, key.from);
      entries.push({ key: key.text, from: key.from, to: key.to, value });
      size += 1 + value.size;
    }
    // A mapping's own keys win over merged ones, and of those the earlier (YAML merge key type).
    for (const entry of merged) {
      if (places.has(entry.key)) continue;
      places.set(entry.key, entry.from);
      entries.push(entry);
      size += 1 + entry.value.size;
    }
    return new Mapping(entries, from, to, size);
  }

  #key(
    node: YamlNode | null,
  ): { text: string; from: number; to: number; merges: boolean } | undefined {
    const [from, to] = node === null ? [this.#base, this.#base + 1] : this.#range(node);
    const built = node === null || isCollection(node) ? undefined : this.build(node);
    if (built?.kind !== "scalar" || built.value === null) {
      this.#report.add({
        from,
        to,
        code: "key",
        message: "a key must be a word; quote it if need be",
      });
      return undefined;
    }
    const text = typeof built.value === "string" ? built.value : this.#text.slice(from, to);
    return { text, from, to, merges: text === "<<" && built.style === "plain" };
  }

  #merge(value: Node, key: { from: number; to: number }): Entry[] {
    const sources = value.kind === "list" ? value.items : [value];
    const entries: Entry[] = [];
    for (const source of sources) {
      if (source.kind !== "mapping") {
        this.#report.add({
          from: key.from,
          to: key.to,
          code: "merge",
          message: "`<<` takes a mapping or a list of mappings, such as `<<: *defaults`",
        });
        continue;
      }
      this.#expand(source.size, key.from, key.to);
      if (this.#refused) return [];
      for (const entry of source.entries) entries.push(entry);
    }
    return entries;
  }

  #alias(node: Alias): Node {
    const [from, to] = this.#range(node);
    const target = this.#anchors.get(node.source);
    if (target === undefined) {
      this.#report.add({
        from,
        to,
        code: "alias",
        message: this.#anchors.has(node.source)
          ? `the anchor \`${node.source}\` holds itself`
          : `no anchor \`&${node.source}\` stands above`,
      });
      return new Scalar(null, from, to, "plain");
    }
    this.#expand(target.size, from, to);
    return this.#refused ? new Scalar(null, from, to, "plain") : target;
  }

  // Sizes count expanded nodes, so a bomb is seen before anything of it is visited.
  #expand(nodes: number, from: number, to: number): void {
    this.#expanded += nodes;
    if (this.#expanded <= MOST_EXPANDED || this.#refused) return;
    this.#refused = true;
    this.#report.add({
      from,
      to,
      code: "expansion",
      message: `aliases and merge keys add more than ${MOST_EXPANDED} values up to here; ` +
        "write fewer of them",
    });
  }

  #scalar(node: YamlScalar): Node {
    const [from, to] = this.#range(node);
    const style = STYLES[node.type ?? ""] ?? "plain";
    const value = node.value;
    if (typeof value === "number") {
      if (!Number.isFinite(value)) {
        this.#add(node, "number", "a number must be finite");
      } else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        this.#add(
          node,
          "number",
          `${this.#text.slice(from, to)} is too large to be exact; quote it to keep it as text`,
        );
      }
      return new Scalar(value, from, to, style);
    }
    if (typeof value === "string" || typeof value === "boolean") {
      return new Scalar(value, from, to, style);
    }
    return new Scalar(null, from, to, style);
  }

  #range(node: YamlNode): [number, number] {
    const range = node.range;
    if (range === undefined || range === null) return [this.#base, this.#base];
    return [this.#base + range[0], this.#base + range[1]];
  }

  #add(node: YamlNode, code: string, message: string): void {
    const [from, to] = this.#range(node);
    this.#report.add({ from, to: Math.max(to, from + 1), code, message });
  }
}

function tagName(tag: string): string {
  const name = tag.startsWith("tag:yaml.org,2002:") ? `!!${tag.slice(18)}` : tag;
  return name.length > 40 ? `${name.slice(0, 37)}...` : name;
}
