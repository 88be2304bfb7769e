import { TransientError } from "spanloop";

export default (context: { attempt: number }) => {
  if (context.attempt === 1) throw new TransientError("try again");
  return { attempt: context.attempt };
};
