/** What a secret's text becomes. */
export const MASK = "***";

/** The least length of a secret, in characters; a shorter one would mask ordinary text (V4). */
export const LEAST_SECRET = 6;

// Encoders break base64 into lines of 60 to 76 characters (RFC 2045, RFC 7468). A piece of 8 characters is
// 6 bytes, the least that is masked at all.
const SHORTEST_LINE = 60;
const PIECE = 8;
const BASE64_RUN = /[A-Za-z0-9+/_-]{8,}/g;

/**
 * Replaces secrets in text as it enters the engine (V4): each value, its JSON, URL, base64 and base64url
 * forms, and each line of a value of several.
 */
export class Masker {
  readonly #pattern: RegExp | undefined;
  // Windows of the base64 of long secrets, which encoders break into lines.
  readonly #pieces = new Set<string>();

  /** Makes a masker of the secrets' values. */
  constructor(secrets: Iterable<string>) {
    const forms = new Map<string, number>();
    for (const secret of secrets) {
      for (const part of [secret, ...secret.split(/\r?\n/)]) {
        if (part.length < LEAST_SECRET) continue;
        forms.set(anyForm(part), part.length);
        for (const form of base64Forms(part)) {
          forms.set(escapeRegExp(form), form.length);
          if (form.length > SHORTEST_LINE) this.#addPieces(form);
        }
      }
    }
    // Of a secret and a part of it, both may match at one place: the longer one has to.
    const longestFirst = [...forms].sort(([, a], [, b]) => b - a).map(([pattern]) => pattern);
    this.#pattern = longestFirst.length === 0 ? undefined : new RegExp(longestFirst.join("|"), "g");
  }

  /** Whether there is nothing to mask. */
  get idle(): boolean {
    return this.#pattern === undefined;
  }

  /** `text` with every secret replaced. */
  text(text: string): string {
    if (this.#pattern === undefined) return text;
    const masked = text.replace(this.#pattern, MASK);
    return this.#pieces.size === 0
      ? masked
      : masked.replace(BASE64_RUN, (run) => this.#withoutPieces(run));
  }

  /** `value` with every secret in its strings and keys replaced; the same object when there is none. */
  value<T>(value: T): T {
    return this.#pattern === undefined ? value : this.#deep(value) as T;
  }

  #addPieces(form: string): void {
    for (let at = 0; at + PIECE <= form.length; at++) {
      const piece = form.slice(at, at + PIECE);
      if (!piece.includes("=")) this.#pieces.add(piece);
    }
  }

  #withoutPieces(run: string): string {
    let text = "";
    let kept = 0; // what stands before it is in `text`, or masked
    for (let at = 0; at + PIECE <= run.length;) {
      if (!this.#pieces.has(run.slice(at, at + PIECE))) {
        at++;
        continue;
      }
      let end = at + PIECE;
      while (end < run.length && this.#pieces.has(run.slice(end + 1 - PIECE, end + 1))) end++;
      text += run.slice(kept, at) + MASK;
      kept = at = end;
    }
    return kept === 0 ? run : text + run.slice(kept);
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

/**
 * A pattern for a text in which each character may stand as itself, as a URL or a form has it, or as JSON
 * does: encoders differ in which characters they leave alone.
 */
function anyForm(text: string): string {
  let pattern = "";
  for (const character of text) {
    if (/[A-Za-z0-9]/.test(character)) {
      pattern += character;
      continue;
    }
    const bytes = new TextEncoder().encode(character);
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    const ways = new Set([
      escapeRegExp(character),
      Array.from(bytes, (byte) => `%${hex(byte, 2)}`).join(""),
      escapeRegExp(JSON.stringify(character).slice(1, -1)),
      units.map((unit) => `\\\\u${hex(unit, 4)}`).join(""),
    ]);
    if (character === " ") ways.add("\\+");
    if (character === "/") ways.add("\\\\\\/");
    pattern += `(?:${[...ways].join("|")})`;
  }
  return pattern;
}

// Hexadecimal digits in either case.
function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, "0").replace(
    /[a-f]/g,
    (d) => `[${d}${d.toUpperCase()}]`,
  );
}

function base64Forms(secret: string): string[] {
  const forms = base64OfBytes(new TextEncoder().encode(secret));
  // btoa() of a browser or a script takes each character for a byte.
  const codes = Array.from(secret, (character) => character.codePointAt(0) as number);
  if (codes.some((code) => code > 127) && codes.every((code) => code < 256)) {
    forms.push(...base64OfBytes(Uint8Array.from(codes)));
  }
  return forms;
}

function base64OfBytes(bytes: Uint8Array): string[] {
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
