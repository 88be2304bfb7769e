import { type StepContext, TransientError } from "../../../mod.ts";

/**
 * A step that leaves a trace outside of the engine: a line when it begins and one when it ends, each in one
 * write to a file opened for appending, so that runs of it can be counted whatever becomes of the engine.
 */
export default async function work(context: StepContext) {
  const { ms = 8, succeeds_at: succeedsAt = 1, fails = false, bad = "none" } = context.with;
  const { from } = context.with;
  note(context, "begin");
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, Number(ms));
    context.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(context.signal.reason);
    });
  });
  // Every other batch fails at first, so that interrupted and failed attempts meet.
  const wanted = from === undefined || Number(from) % 2 === 0 ? Number(succeedsAt) : 1;
  if (context.attempt < wanted) throw new TransientError(`not before try ${wanted}`);
  if (fails === true) throw new Error("this step fails");
  note(context, "end");
  const failed = context.items.filter((item) => text(item).includes(String(bad))).length;
  return {
    value: text(context.with.of) + context.idempotencyKey.split("/")[1],
    // Differs each time: whoever gets it can tell which execution it came from.
    nonce: crypto.randomUUID(),
    ...(context.items.length === 0 ? {} : { processed: context.items.length - failed, failed }),
  };
}

function note(context: StepContext, event: "begin" | "end"): void {
  Deno.writeTextFileSync(
    String(context.with.log),
    JSON.stringify({ event, key: context.idempotencyKey, attempt: context.attempt }) + "\n",
    { append: true },
  );
}

function text(value: unknown): string {
  return value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
}
