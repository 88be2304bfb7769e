/**
 * Whether `text` matches `pattern`, in which `*` stands for any characters. Goes back to the last `*` alone, so
 * that no pattern takes longer than the product of both lengths.
 */
export function matches(pattern: string, text: string): boolean {
  let [p, t] = [0, 0];
  let [star, resume] = [-1, 0];
  while (t < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      resume = t;
    } else if (pattern[p] === text[t]) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** Whether a text matches one of these patterns, compiled: most have no star, or one at their end. */
export function matcherOf(patterns: readonly string[]): (text: string) => boolean {
  if (patterns.includes("*")) return () => true;
  const tests = patterns.map(compile);
  return tests.length === 1 ? tests[0] : (text) => tests.some((test) => test(text));
}

function compile(pattern: string): (text: string) => boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return (text) => text === pattern;
  if (star < pattern.length - 1) return (text) => matches(pattern, text);
  const beginning = pattern.slice(0, star);
  return (text) => text.startsWith(beginning);
}
