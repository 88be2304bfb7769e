import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";

/** A mistake in a registry: the file and line, what is wrong and what to do. */
export class RegistryError extends Error {
  /** A stable name. */
  readonly code = "semconv.registry";
}

/** One mapping of a YAML file, which knows where it stands. */
export class Item {
  readonly #values: ReadonlyMap<string, unknown>;

  /** Of the file and line that it begins on. */
  constructor(
    /** The file's name, as messages show it. */
    readonly file: string,
    /** From 1. */
    readonly line: number,
    values: ReadonlyMap<string, unknown>,
  ) {
    this.#values = values;
  }

  /** A mistake here. */
  error(message: string): RegistryError {
    return new RegistryError(`${this.file}:${this.line}: ${message}`);
  }

  /** The key's value: a scalar, a list, an Item, or undefined. */
  get(key: string): unknown {
    return this.#values.get(key) ?? undefined;
  }

  /** A text; undefined if it is absent, and lines are joined. */
  optional(key: string): string | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value !== "string") throw this.error(`\`${key}\` must be a text`);
    return value.trim().replaceAll(/\s+/g, " ");
  }

  /** A text that must be there. */
  text(key: string): string {
    const value = this.optional(key);
    if (value !== undefined && value !== "") return value;
    throw this.error(`${this.#name()} lacks \`${key}\`: add it`);
  }

  /** A list of mappings; empty if it is absent. */
  items(key: string): readonly Item[] {
    const value = this.get(key) ?? [];
    if (!Array.isArray(value) || !value.every((one) => one instanceof Item)) {
      throw this.error(`\`${key}\` must be a list of mappings`);
    }
    return value;
  }

  /** A list of texts, numbers or booleans, or one of them; empty if it is absent. */
  scalars(key: string): readonly (string | number | boolean)[] {
    const value = this.get(key) ?? [];
    const all: readonly unknown[] = Array.isArray(value) ? value : [value];
    return all.flat().map((one) => {
      if (typeof one === "string" || typeof one === "number" || typeof one === "boolean") {
        return one;
      }
      throw this.error(`\`${key}\` must be a list of texts, numbers or booleans`);
    });
  }

  /** A mapping; undefined if it is absent. */
  item(key: string): Item | undefined {
    const value = this.get(key);
    if (value === undefined || value instanceof Item) return value;
    throw this.error(`\`${key}\` must be a mapping`);
  }

  /** Its keys. */
  keys(): readonly string[] {
    return [...this.#values.keys()];
  }

  #name(): string {
    const name = this.get("id") ?? this.get("ref");
    return typeof name === "string" ? name : "this";
  }
}

/** Reads a YAML file whose top is a mapping. Throws RegistryError for one that is not. */
export function readItem(file: string, text: string): Item {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    const { line } = lines.linePos(mistake.pos[0]);
    throw new RegistryError(`${file}:${line}: ${mistake.message}`);
  }
  function read(node: Node | null): unknown {
    if (isAlias(node)) return read(node.resolve(document) ?? null);
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map((one) => read(one as Node));
    if (!isMap(node)) return undefined;
    const values = node.items.map(({ key, value }): [string, unknown] => [
      String(isScalar(key) ? key.value : key),
      read(value as Node | null),
    ]);
    return new Item(file, lines.linePos(node.range?.[0] ?? 0).line, new Map(values));
  }
  const top = read(document.contents);
  if (top instanceof Item) return top;
  throw new RegistryError(`${file}:1: a registry's file is a mapping with \`groups\``);
}
