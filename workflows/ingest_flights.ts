import { type StepContext, TransientError } from "spanloop";

/** Sends one batch of flights to the service. Those that it refuses count as failed. */
export default async function ingest(context: StepContext) {
  let answer: { stored: number; refused: number; files: number };
  try {
    const response = await fetch(String(context.with.url), {
      method: "POST",
      body: JSON.stringify(context.items),
      signal: context.signal,
    });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    answer = await response.json();
  } catch (thrown) {
    if (context.signal.aborted) throw thrown;
    throw new TransientError(`The service did not answer: ${(thrown as Error).message}`);
  }
  if (answer.refused > 0) {
    context.log(`${answer.refused} flights refused: ${answer.files} files could not be opened`);
  }
  return { processed: answer.stored, failed: answer.refused };
}
