/** What a secret's text becomes. */
export const MASK = "***";

/** The least length of a secret, in characters; a shorter one would mask ordinary text (V4). */
export const LEAST_SECRET = 6;

/**
 * Replaces secrets in text as it enters the engine (V4): each value, its JSON, URL, base64 and base64url
 * forms, and each line of a value of several.
 */
export class Masker {
  readonly #pattern: RegExp | undefined;

  /** Makes a masker of the secrets' values. */
  constructor(secrets: Iterable<string>) {
    const forms = new Set<string>();
    for (const secret of secrets) {
      for (const part of [secret, ...secret.split(/\r?\n/)]) {
        if (part.length < LEAST_SECRET) continue;
        for (const form of encodings(part)) forms.add(form);
      }
    }
    const longestFirst = [...forms].sort((a, b) => b.length - a.length);
    this.#pattern = longestFirst.length === 0
      ? undefined
      : new RegExp(longestFirst.map(escapeRegExp).join("|"), "g");
  }

  /** Whether there is nothing to mask. */
  get idle(): boolean {
    return this.#pattern === undefined;
  }

  /** `text` with every secret replaced. */
  text(text: string): string {
    return this.#pattern === undefined ? text : text.replace(this.#pattern, MASK);
  }

  /** `value` with every secret in its strings and keys replaced; the same object when there is none. */
  value<T>(value: T): T {
    return this.#pattern === undefined ? value : this.#deep(value) as T;
  }

  #deep(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#deep(item));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [this.text(key), this.#deep(item)]),
      );
    }
    return value;
  }
}

function encodings(secret: string): string[] {
  const forms = [secret, JSON.stringify(secret).slice(1, -1)];
  let url: string;
  try {
    url = encodeURIComponent(secret);
  } catch {
    url = secret; // a lone surrogate has no URL form
  }
  forms.push(url, url.replaceAll("%20", "+"), url.toLowerCase());
  forms.push(...base64Forms(new TextEncoder().encode(secret)));
  // btoa() of a browser or a script takes each character for a byte.
  const codes = Array.from(secret, (character) => character.codePointAt(0) as number);
  if (codes.some((code) => code > 127) && codes.every((code) => code < 256)) {
    forms.push(...base64Forms(Uint8Array.from(codes)));
  }
  return forms;
}

function base64Forms(bytes: Uint8Array): string[] {
  const forms: string[] = [];
  // In base64 the text around a secret shifts it: each of the three alignments has a core of its own.
  for (let shift = 0; shift < 3; shift++) {
    const shifted = new Uint8Array(bytes.length + shift);
    shifted.set(bytes, shift);
    const whole = btoa(String.fromCharCode(...shifted));
    if (shift === 0) forms.push(whole);
    const from = [0, 2, 3][shift];
    const spare = [0, 3, 2][shifted.length % 3];
    const core = whole.slice(from, whole.length - spare);
    if (core.length >= LEAST_SECRET) {
      forms.push(core, core.replaceAll("+", "-").replaceAll("/", "_"));
    }
  }
  return forms;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}
