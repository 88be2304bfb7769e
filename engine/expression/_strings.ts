import { ExpressionError } from "./error.ts";
import type { Frame } from "./_frame.ts";
import type { Overload } from "./_overload.ts";
import { compilePattern } from "./pattern.ts";
import { kindOf, nameOf, type Value } from "./_values.ts";

const text = (value: Value): string => value as string;

function method(
  takes: Overload["takes"],
  gives: Overload["gives"],
  run: (args: readonly Value[], frame: Frame) => Value,
): Overload {
  // Every method reads its text at most a few times: paid here, so that no method can forget it.
  return {
    takes,
    gives,
    run(args, frame) {
      for (const arg of args) if (typeof arg === "string") frame.charge(arg.length >> 4);
      return run(args, frame);
    },
  };
}

/** The methods of text, and `join` of lists. */
export const STRING_METHODS: ReadonlyMap<string, readonly Overload[]> = new Map([
  ["startsWith", [
    method(["string", "string"], "boolean", ([a, b]) => text(a).startsWith(text(b))),
  ]],
  ["endsWith", [method(["string", "string"], "boolean", ([a, b]) => text(a).endsWith(text(b)))]],
  ["contains", [method(["string", "string"], "boolean", ([a, b]) => text(a).includes(text(b)))]],
  ["matches", [
    method(["string", "string"], "boolean", ([a, b], frame) => {
      // RE2 is linear in the text, but a character may visit every instruction (up to 35 ns each, measured).
      const pattern = compilePattern(text(b));
      frame.charge(Math.ceil(text(a).length * (1 + pattern.size / 2)));
      return pattern.find(text(a));
    }),
  ]],
  ["lowerAscii", [
    method(["string"], "string", ([a]) => text(a).replace(/[A-Z]+/g, (s) => s.toLowerCase())),
  ]],
  ["upperAscii", [
    method(["string"], "string", ([a]) => text(a).replace(/[a-z]+/g, (s) => s.toUpperCase())),
  ]],
  ["trim", [method(["string"], "string", ([a]) => text(a).trim())]],
  ["indexOf", [method(["string", "string"], "number", ([a, b]) => text(a).indexOf(text(b)))]],
  ["lastIndexOf", [
    method(["string", "string"], "number", ([a, b]) => text(a).lastIndexOf(text(b))),
  ]],
  ["substring", [
    method(["string", "number"], "string", ([a, from]) => slice(text(a), from)),
    method(["string", "number", "number"], "string", ([a, from, to]) => slice(text(a), from, to)),
  ]],
  ["split", [
    method(["string", "string"], "list", ([a, b], frame) => split(text(a), text(b), frame)),
  ]],
  ["replace", [
    method(["string", "string", "string"], "string", ([a, b, c], frame) => {
      const parts = split(text(a), text(b), frame);
      const gain = text(c).length - text(b).length;
      frame.text(text(a).length + (parts.length - 1) * gain);
      return parts.join(text(c));
    }),
  ]],
  ["join", [
    method(["list"], "string", ([list], frame) => join(list as readonly Value[], "", frame)),
    method(
      ["list", "string"],
      "string",
      ([list, by], frame) => join(list as readonly Value[], text(by), frame),
    ),
  ]],
]);

function split(whole: string, by: string, frame: Frame): readonly string[] {
  const parts = whole.split(by);
  frame.charge(parts.length);
  return parts;
}

function slice(whole: string, from: Value, to: Value = whole.length): string {
  const [a, b] = [from as number, to as number];
  if (Number.isInteger(a) && Number.isInteger(b) && a >= 0 && a <= b && b <= whole.length) {
    return whole.slice(a, b);
  }
  throw new ExpressionError(
    `substring(${a}, ${b}) reaches outside a text of ${whole.length} characters`,
  );
}

function join(list: readonly Value[], by: string, frame: Frame): string {
  frame.charge(list.length);
  let length = 0;
  for (const item of list) {
    if (typeof item !== "string") {
      throw new ExpressionError(
        `join() takes a list of texts; it holds ${
          nameOf(kindOf(item))
        }: write .map(x, string(x)).join()`,
      );
    }
    length += item.length + by.length;
  }
  frame.text(length);
  return list.join(by);
}
