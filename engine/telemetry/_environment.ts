import { isAbsolute, join } from "node:path";

/** What a warning shows of a value that is not understood. */
const LONGEST_SHOWN = 60;
/** OpenTelemetry's largest integer; also what `0`, no limit, means for a timeout. */
const LARGEST = 2 ** 31 - 1;

/**
 * Reads values as OpenTelemetry's specification types them, and collects the warnings: an empty value is as
 * good as none, and what is not understood is warned of and ignored.
 * https://opentelemetry.io/docs/specs/otel/configuration/common/
 */
export class EnvironmentReader {
  /** What a person should see, in the order of reading. */
  readonly warnings: string[] = [];
  readonly #environment: Readonly<Record<string, string>>;

  /** Reads from `environment`. */
  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  /** Adds a warning, once. */
  warn(message: string): void {
    if (!this.warnings.includes(message)) this.warnings.push(message);
  }

  /** The text of the variable, without blanks around it; undefined when it is not set or empty. */
  text(name: string): string | undefined {
    const value = Object.hasOwn(this.#environment, name) ? this.#environment[name].trim() : "";
    return value === "" ? undefined : value;
  }

  /** The first of the variables that is set: its name and its text. */
  first(names: readonly string[]): { readonly name: string; readonly value: string } | undefined {
    for (const name of names) {
      const value = this.text(name);
      if (value !== undefined) return { name, value };
    }
    return undefined;
  }

  /** The path in the first of the variables that is set, as `fromCaller` has it. */
  path(...names: string[]): string | undefined {
    const found = this.first(names);
    return found === undefined ? undefined : this.fromCaller(found.value);
  }

  /** A path; under a task a relative one is meant from the caller's folder, which is not the process's. */
  fromCaller(path: string): string {
    const caller = this.text("INIT_CWD");
    return caller === undefined || isAbsolute(path) ? path : join(caller, path);
  }

  /** True for `true` in any case, otherwise false; of what is neither it warns. */
  boolean(...names: string[]): boolean {
    const found = this.first(names);
    if (found === undefined) return false;
    const value = found.value.toLowerCase();
    if (value === "true") return true;
    if (value !== "false") {
      this.warn(`${found.name} is ${shown(found.value)}, which is neither true nor false: false`);
    }
    return false;
  }

  /** A whole number from `least` to `most`: of the first variable that has one, else `otherwise`. */
  integer<T>(
    names: string | readonly string[],
    otherwise: T,
    { least = 0, most = LARGEST }: { readonly least?: number; readonly most?: number } = {},
  ): number | T {
    for (const name of typeof names === "string" ? [names] : names) {
      const value = this.text(name);
      if (value === undefined) continue;
      const number = /^[+-]?\d+$/.test(value) ? Number(value) : NaN;
      if (number >= least && number <= most) return number;
      this.warn(
        `${name} is ${shown(value)}, which is not a whole number from ${least} to ${most}: ignored`,
      );
    }
    return otherwise;
  }

  /** Milliseconds after which to give up; 0 in the environment means never, which is 24 days here. */
  timeout(names: string | readonly string[], otherwise: number): number {
    const value = this.integer(names, otherwise);
    return value === 0 ? LARGEST : value;
  }

  /** One of `known`, in any case: of the first variable that has one. */
  choice<T extends string>(names: string | readonly string[], known: readonly T[]): T | undefined {
    for (const name of typeof names === "string" ? [names] : names) {
      const value = this.text(name);
      if (value === undefined) continue;
      const choice = known.find((one) => one === value.toLowerCase());
      if (choice !== undefined) return choice;
      this.unknown(name, value, known);
    }
    return undefined;
  }

  /** Warns that a variable holds a word that is not understood. */
  unknown(name: string, value: string, known: readonly string[]): void {
    this.warn(`${name} is ${shown(value)}, which is not supported: ignored; ${oneOf(known)}`);
  }

  /** The words of a comma-separated list, in lower case, each once; undefined when there is none. */
  list(name: string): readonly string[] | undefined {
    const words = (this.text(name) ?? "").toLowerCase().split(",").map((word) => word.trim())
      .filter((word) => word !== "");
    return words.length === 0 ? undefined : [...new Set(words)];
  }

  /**
   * The words of a list that `known` has, by what it makes of them; `none` alone is an empty list. Undefined when
   * the variable is not set, or holds nothing that is understood.
   */
  choices<T extends string>(
    name: string,
    known: ReadonlyMap<string, T>,
  ): readonly T[] | undefined {
    const words = this.list(name);
    if (words === undefined) return undefined;
    const chosen = new Set<T>();
    for (const word of words) {
      if (word === "none") continue;
      const choice = known.get(word);
      if (choice === undefined) this.unknown(name, word, [...known.keys(), "none"]);
      else chosen.add(choice);
    }
    if (chosen.size > 0 && words.includes("none")) {
      this.warn(`${name} has \`none\` beside others: \`none\` is ignored`);
    }
    return chosen.size === 0 && !words.includes("none") ? undefined : [...chosen];
  }
}

/** What is wrong with a list of pairs; says nothing of what stands in it, which may be secret. */
export interface PairFault {
  /** Which entry, counted from 1. */
  readonly entry: number;
  /** What is wrong with it: `is not name=value`. */
  readonly fault: string;
}

/**
 * Reads `name=value,name=value`, percent-decoded, as OTEL_RESOURCE_ATTRIBUTES and the header variables have it;
 * the caller decides what a fault does. `strict`: an equals sign within a value is a fault unless it is encoded.
 */
export function readPairs(
  text: string,
  { strict = false }: { readonly strict?: boolean } = {},
): { readonly pairs: readonly (readonly [string, string])[]; readonly faults: PairFault[] } {
  const pairs: (readonly [string, string])[] = [];
  const faults: PairFault[] = [];
  for (const [index, entry] of text.split(",").entries()) {
    if (entry.trim() === "") continue;
    const at = entry.indexOf("=");
    const name = at === -1 ? "" : entry.slice(0, at).trim();
    if (name === "") {
      faults.push({ entry: index + 1, fault: "is not name=value" });
      continue;
    }
    if (strict && entry.includes("=", at + 1)) {
      faults.push({ entry: index + 1, fault: "has a second = sign: write %3D" });
      continue;
    }
    try {
      pairs.push([decodeURIComponent(name), decodeURIComponent(entry.slice(at + 1).trim())]);
    } catch {
      faults.push({ entry: index + 1, fault: "is not percent-encoded as it should be" });
    }
  }
  return { pairs, faults };
}

function shown(value: string): string {
  return JSON.stringify(
    value.length <= LONGEST_SHOWN ? value : `${value.slice(0, LONGEST_SHOWN - 1)}…`,
  );
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? `there is ${words[0]}` : `there are ${words.join(", ")}`;
}
