import { clean } from "../text.ts";

/** A piece of HTML or SVG. What is not one is text, and is escaped. */
export class Markup {
  /** As it stands in the page. */
  readonly html: string;

  /** Takes markup as it is. */
  constructor(html: string) {
    this.html = html;
  }
}

/** What an element may hold: markup, text, or nothing. */
export type Content = Markup | string | number | undefined | readonly Content[];

/** An element; its attributes and texts are escaped, and made safe for whoever reads them. */
export function tag(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
  ...content: readonly Content[]
): Markup {
  const given = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escaped(String(value))}"`]
  ).join("");
  const inner = htmlOf(content);
  return new Markup(
    inner === "" && EMPTY.has(name) ? `<${name}${given}/>` : `<${name}${given}>${inner}</${name}>`,
  );
}

/** Its HTML. */
export function htmlOf(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.html;
  if (typeof content === "number") return String(content);
  return typeof content === "string" ? escaped(content) : content.map(htmlOf).join("");
}

const EMPTY = new Set(["line", "circle", "path", "rect", "meta", "br"]);
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return clean(text).replace(/[&<>"']/g, (one) => ENTITIES[one]);
}
