import { TransientError } from "spanloop";

export default (context: { items: readonly number[]; attempt: number; idempotencyKey: string }) => {
  if (context.items[0] === 3 && context.attempt < 3) throw new TransientError("not yet");
  return { attempt: context.attempt, key: context.idempotencyKey.split("/")[1] };
};
