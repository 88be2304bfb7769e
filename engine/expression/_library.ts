import { createRequire } from "node:module";
import type * as Cel from "@marcbachmann/cel-js";
import type * as Re2 from "re2js";
import { MAX_ELEMENTS, MAX_NESTING } from "./_limits.ts";

// Loaded on first use, because a workflow without expressions needs neither, and compiling is synchronous, so
// that import() cannot serve. The type imports keep both in the module graph, hence in the cache.
const load = createRequire(import.meta.url);

let parser: Cel.Environment | undefined;
let re2: typeof Re2 | undefined;

/** The CEL parser with the bounds of V6; only its syntax trees are used. */
export function celParser(): Cel.Environment {
  if (parser === undefined) {
    const { Environment } = load("@marcbachmann/cel-js") as typeof Cel;
    parser = new Environment({
      unlistedVariablesAreDyn: true,
      limits: {
        maxAstNodes: 8_192,
        maxDepth: MAX_NESTING,
        maxListElements: MAX_ELEMENTS,
        maxMapEntries: MAX_ELEMENTS,
        maxCallArguments: 8,
      },
    });
  }
  return parser;
}

/** The RE2 regular expressions: linear time (V6). */
export function re2js(): typeof Re2 {
  return re2 ??= load("re2js") as typeof Re2;
}
