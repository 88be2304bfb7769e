import type { Attribute } from "./model.ts";

/** Text as code. */
export function code(text: string): string {
  return `\`${text}\``;
}

/** A row of a table. */
export function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** A key as a reader sees it: a template's with the place of the name. */
export function shownKey({ id, type }: Pick<Attribute, "id" | "type">): string {
  return type.startsWith("template[") ? `${id}.<key>` : id;
}
