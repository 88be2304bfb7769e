import type { Attributes, AttributeValue } from "../core/span.ts";

/** Takes the values away that must not be exported. */
export type Redact = (attributes: Attributes) => Attributes;

const REDACTED = "[redacted]";

/** Redacts the attributes whose keys match one of `patterns`, in which `*` stands for any characters. */
export function redactor(patterns: readonly string[]): Redact {
  if (patterns.length === 0) return (attributes) => attributes;
  const sources = patterns.map((pattern) => pattern.split("*").map(RegExp.escape).join(".*"));
  const denied = new RegExp(`^(?:${sources.join("|")})$`, "s");
  return (attributes) => {
    let copy: Record<string, AttributeValue> | undefined;
    for (const key in attributes) {
      if (denied.test(key)) (copy ??= { ...attributes })[key] = REDACTED;
    }
    return copy ?? attributes;
  };
}
