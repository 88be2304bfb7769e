import { nearest } from "../core/diagnostic.ts";
import { clean } from "./text.ts";

const FEW = 10;

/** What a person may have meant by a name that is not there, to end a sentence: the nearest one, else all of a few. */
export function meant(name: string, candidates: readonly string[]): string {
  const near = nearest(name, candidates);
  if (near !== undefined) return `; did you mean \`${clean(near)}\`?`;
  if (candidates.length === 0 || candidates.length > FEW) return "";
  return `; it has ${candidates.map((one) => `\`${clean(one)}\``).join(", ")}`;
}
