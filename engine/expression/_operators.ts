import { ExpressionError } from "./error.ts";
import type { Frame } from "./_frame.ts";
import type { BinaryOperator } from "./_syntax.ts";
import { Duration, type Kind, kindOf, nameOf, Timestamp, type Value } from "./_values.ts";

// Numbers are JSON's (V1): one kind, in which 7 / 2 is 3.5 and nothing turns silently into Infinity, NaN or a
// rounded integer.

const COMPARED: ReadonlySet<Kind | "any"> = new Set(["number", "string", "timestamp", "duration"]);
const SUMS: readonly (readonly [Kind, "+" | "-", Kind, Kind])[] = [
  ["timestamp", "+", "duration", "timestamp"],
  ["duration", "+", "timestamp", "timestamp"],
  ["duration", "+", "duration", "duration"],
  ["timestamp", "-", "timestamp", "duration"],
  ["timestamp", "-", "duration", "timestamp"],
  ["duration", "-", "duration", "duration"],
];

/** The kind an operator gives for operands of these kinds; undefined when it does not take them. */
export function resultOf(
  operator: BinaryOperator,
  left: Kind | "any",
  right: Kind | "any",
): Kind | "any" | undefined {
  const some = left === "any" || right === "any";
  const both = (kind: Kind) =>
    (left === kind || left === "any") && (right === kind || right === "any");
  switch (operator) {
    case "||":
    case "&&":
      return both("boolean") ? "boolean" : undefined;
    case "==":
    case "!=":
      return some || left === right || left === "null" || right === "null" ? "boolean" : undefined;
    case "<":
    case "<=":
    case ">":
    case ">=":
      if (some) {
        return [left, right].every((k) => k === "any" || COMPARED.has(k)) ? "boolean" : undefined;
      }
      return left === right && COMPARED.has(left) ? "boolean" : undefined;
    case "in":
      if (right === "any" || right === "list") return "boolean";
      return right === "object" && (left === "string" || left === "any") ? "boolean" : undefined;
    case "*":
    case "/":
    case "%":
      return both("number") ? "number" : undefined;
    default:
      return sumOf(operator, left, right);
  }
}

function sumOf(operator: "+" | "-", left: Kind | "any", right: Kind | "any") {
  const fits = SUMS.filter(([a, o, b]) =>
    o === operator && (a === left || left === "any") && (b === right || right === "any")
  ).map(([, , , kind]) => kind as Kind);
  const kinds: readonly Kind[] = operator === "+" ? ["number", "string", "list"] : ["number"];
  for (const kind of kinds) {
    if ((left === kind || left === "any") && (right === kind || right === "any")) fits.push(kind);
  }
  if (fits.length === 0) return undefined;
  return fits.every((kind) => kind === fits[0]) ? fits[0] : "any";
}

/** What to say when an operator does not take its operands. */
export function misfit(
  operator: BinaryOperator,
  left: Kind | "any",
  right: Kind | "any",
): string {
  const [a, b] = [nameOf(left), nameOf(right)];
  const texts = (left === "string" ? 1 : 0) + (right === "string" ? 1 : 0);
  const numbers = (left === "number" ? 1 : 0) + (right === "number" ? 1 : 0);
  const mixed = texts === 1 && numbers === 1;
  switch (operator) {
    case "==":
    case "!=":
      return `${a} never equals ${b}` +
        (mixed ? "; turn the text into a number with int() or double()" : "");
    case "+":
      if (!mixed) return `\`+\` does not take ${a} and ${b}`;
      return `\`+\` does not take ${a} and ${b}; write int() or double() around the text to add, string() around the number to join`;
    case "||":
    case "&&":
      return `\`${operator}\` takes true or false on both sides, not ${a} and ${b}`;
    case "in":
      return `\`in\` looks for a value in a list, or for a key in an object, not for ${a} in ${b}`;
    default:
      return `\`${operator}\` does not take ${a} and ${b}` +
        (texts > 0 && operator !== "-" || mixed
          ? "; turn the text into a number with int() or double()"
          : "");
  }
}

type Operate = (left: Value, right: Value, frame: Frame) => Value;

/** The operators that evaluate both operands; `&&` and `||` are the evaluator's. */
export const OPERATE: Readonly<Record<Exclude<BinaryOperator, "||" | "&&">, Operate>> = {
  "==": equal,
  "!=": (left, right, frame) => !equal(left, right, frame),
  "<": (left, right) => compare("<", left, right) < 0,
  "<=": (left, right) => compare("<=", left, right) <= 0,
  ">": (left, right) => compare(">", left, right) > 0,
  ">=": (left, right) => compare(">=", left, right) >= 0,
  in: contains,
  "+": add,
  "-": (left, right) => {
    if (typeof left === "number" && typeof right === "number") {
      return exact(left - right, "-", left, right);
    }
    if (left instanceof Timestamp && right instanceof Timestamp) {
      return new Duration(left.ms - right.ms);
    }
    if (left instanceof Timestamp && right instanceof Duration) return moved(left, -right.ms);
    if (left instanceof Duration && right instanceof Duration) {
      return new Duration(left.ms - right.ms);
    }
    throw refusal("-", left, right);
  },
  "*": (left, right) => {
    const [a, b] = numbers("*", left, right);
    return exact(a * b, "*", a, b);
  },
  "/": (left, right) => {
    const [a, b] = numbers("/", left, right);
    if (b === 0) throw new ExpressionError(`Cannot divide ${a} by zero; test the divisor first`);
    return exact(a / b, "/", a, b);
  },
  "%": (left, right) => {
    const [a, b] = numbers("%", left, right);
    if (b === 0) {
      throw new ExpressionError(`Cannot take ${a} modulo zero; test the divisor first`);
    }
    return a % b + 0;
  },
};

function numbers(operator: BinaryOperator, left: Value, right: Value): readonly [number, number] {
  if (typeof left === "number" && typeof right === "number") return [left, right];
  throw refusal(operator, left, right);
}

function exact(result: number, operator: string, left: number, right: number): number {
  if (Number.isSafeInteger(result)) return result + 0;
  if (!Number.isFinite(result)) {
    throw new ExpressionError(`${left} ${operator} ${right} is too large a number`);
  }
  if (
    Number.isInteger(result) && Number.isSafeInteger(left) && Number.isSafeInteger(right)
  ) {
    throw new ExpressionError(
      `${left} ${operator} ${right} is beyond 2^53 - 1, the largest integer of JSON`,
    );
  }
  return result;
}

function add(left: Value, right: Value, frame: Frame): Value {
  if (typeof left === "number" && typeof right === "number") {
    return exact(left + right, "+", left, right);
  }
  if (typeof left === "string" && typeof right === "string") {
    frame.text(left.length + right.length);
    return left + right;
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    frame.charge(left.length + right.length);
    return [...left, ...right];
  }
  if (right instanceof Duration) {
    if (left instanceof Timestamp) return moved(left, right.ms);
    if (left instanceof Duration) return new Duration(left.ms + right.ms);
  }
  if (left instanceof Duration && right instanceof Timestamp) return moved(right, left.ms);
  throw refusal("+", left, right);
}

function moved(time: Timestamp, by: number): Timestamp {
  const ms = time.ms + by;
  if (Math.abs(ms) <= 8.64e15) return new Timestamp(ms);
  throw new ExpressionError("The timestamp is too far from 1970");
}

function compare(operator: BinaryOperator, left: Value, right: Value): number {
  if (
    typeof left === "number" && typeof right === "number" ||
    typeof left === "string" && typeof right === "string"
  ) {
    return left < right ? -1 : left > right ? 1 : 0;
  }
  if (left instanceof Timestamp && right instanceof Timestamp) return left.ms - right.ms;
  if (left instanceof Duration && right instanceof Duration) return left.ms - right.ms;
  throw refusal(operator, left, right);
}

function contains(left: Value, right: Value, frame: Frame): boolean {
  if (Array.isArray(right)) return right.some((item) => equal(left, item, frame));
  if (kindOf(right) === "object" && typeof left === "string") {
    return Object.hasOwn(right as object, left);
  }
  throw refusal("in", left, right);
}

/** Whether two values are equal as JSON; a value of another kind is unequal. */
export function equal(left: Value, right: Value, frame: Frame): boolean {
  frame.charge(1);
  if (left === right) return true;
  const kind = kindOf(left);
  if (kind !== kindOf(right)) return false;
  switch (kind) {
    case "list": {
      const [a, b] = [left as readonly Value[], right as readonly Value[]];
      return a.length === b.length && a.every((item, i) => equal(item, b[i], frame));
    }
    case "object": {
      const [a, b] = [left, right] as readonly { readonly [key: string]: Value }[];
      const keys = Object.keys(a);
      return keys.length === Object.keys(b).length &&
        keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key], frame));
    }
    case "timestamp":
    case "duration":
      return (left as Timestamp).ms === (right as Timestamp).ms;
    default:
      return false;
  }
}

function refusal(operator: BinaryOperator, left: Value, right: Value): ExpressionError {
  return new ExpressionError(misfit(operator, kindOf(left), kindOf(right)));
}
