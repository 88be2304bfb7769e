import { LONGEST_DURATION_MS, parseDuration } from "../core/duration.ts";
import { StepError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { StepType } from "../core/step.ts";

/**
 * The step type `wait`: `for` a duration (`90s`, or a number of milliseconds), or `until` a time of
 * RFC 3339. The deadline is absolute and survives an interruption (R2, R5); one that has passed is no
 * error. It has no outputs.
 */
export function waitStep(): StepType {
  return {
    name: "wait",
    interruption: "continue",
    async run(context) {
      await context.services.waitUntil(deadlineOf(context.with.for, context.with.until));
      return { outputs: {} };
    },
  };
}

function deadlineOf(length: Json | undefined, until: Json | undefined): (now: bigint) => bigint {
  if ((length === undefined) === (until === undefined)) {
    throw new StepError("step.input", "A wait step needs either `for` or `until`");
  }
  if (until !== undefined) {
    const at = instant(until);
    return () => at;
  }
  const ms = typeof length === "string" ? parseDuration(length) : length;
  if (typeof ms !== "number" || !(ms >= 0 && ms <= LONGEST_DURATION_MS)) {
    throw new StepError(
      "step.input",
      `\`for\` must be a duration such as 90s or 1h30m, not ${JSON.stringify(length)}`,
    );
  }
  return (now) => now + BigInt(Math.round(ms * 1e6));
}

function instant(until: Json): bigint {
  // A time without its zone would mean another instant on another machine.
  const [, whole, fraction = "", zone] =
    /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(
      String(until),
    ) ?? [];
  const ms = whole === undefined
    ? NaN
    : Date.parse(whole.replace(/[t ]/, "T") + zone.toUpperCase());
  if (Number.isNaN(ms)) {
    throw new StepError(
      "step.input",
      `\`until\` must be a time with its zone such as 2030-01-31T08:00:00Z, not ${
        JSON.stringify(until)
      }`,
    );
  }
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
