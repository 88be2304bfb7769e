// The bounds of V6. A text of 8 KiB parses to at most some 4,000 nodes; the others keep recursion within a
// tenth of the stack and one evaluation within some tenths of a second at worst, as measured.

/** Longest expression, in UTF-16 units. */
export const MAX_SOURCE = 8_192;

/** Deepest nesting of brackets, calls and field chains in the text. */
export const MAX_NESTING = 64;

/** Deepest tree: a chain such as `a + b + c` is as deep as it is long. */
export const MAX_DEPTH = 256;

/** Most elements in a list or map literal. */
export const MAX_ELEMENTS = 1_000;

/** Most macros (all, exists, map, filter) inside each other. */
export const MAX_MACROS = 2;

/** Longest text an expression may make, in UTF-16 units. */
export const MAX_TEXT = 1 << 20;

/** Largest list or object an expression may make, in values and UTF-16 units of text. */
export const MAX_RESULT = 1 << 24;

/** Longest regular expression, in UTF-16 units. */
export const MAX_PATTERN = 1_024;

/** Work one evaluation may do, in visited nodes of macro bodies; see Frame. */
export const FUEL = 4_000_000;
