export default (context: Record<string, any>) => {
  context.log("a line");
  return {
    items: context.items,
    with: context.with,
    params: context.params,
    attempt: context.attempt,
    key: context.idempotencyKey.split("/").slice(1),
    aborted: context.signal.aborted,
  };
};
