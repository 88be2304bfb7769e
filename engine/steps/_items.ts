import { StepError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { ItemCount } from "../core/span.ts";

/**
 * The item counts that outputs report as `processed` and `failed` (S5); undefined when they report none.
 * With one of the two, the other is what is left of the batch. Throws StepError when they are not counts,
 * or are more than the batch's `size`.
 */
export function reportedItems(
  outputs: JsonObject,
  size: number | undefined,
): ItemCount | undefined {
  const { processed, failed } = outputs;
  if (processed === undefined && failed === undefined) return undefined;
  const done = processed === undefined ? undefined : count("processed", processed);
  const lost = failed === undefined ? undefined : count("failed", failed);
  const items = {
    processed: done ?? Math.max(0, (size ?? 0) - (lost ?? 0)),
    failed: lost ?? (size === undefined ? 0 : Math.max(0, size - (done ?? 0))),
  };
  if (size !== undefined && items.processed + items.failed > size) {
    throw new StepError(
      "step.items",
      `The step reports ${items.processed} processed and ${items.failed} failed items, but its batch ` +
        `has ${size}; report each item once`,
    );
  }
  return items;
}

function count(name: string, value: unknown): number {
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw new StepError(
    "step.items",
    `The output \`${name}\` is reserved for a count of items, a whole number from 0, but is ${
      JSON.stringify(value)
    }; name your output otherwise`,
  );
}
