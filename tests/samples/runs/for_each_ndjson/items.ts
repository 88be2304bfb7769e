// Gives back its items, and fails as it is told: a number in `failed`, or a throw for an item in `bad`.
export default (context: { items: any[]; with: Record<string, any>; attempt: number }) => {
  const { bad = [], failed, processed } = context.with;
  for (const item of context.items) {
    if (bad.includes(item)) throw new Error(`bad item ${JSON.stringify(item)}`);
  }
  return {
    items: context.items,
    ...(failed === undefined ? {} : { failed: context.items.filter((i) => failed.includes(i)).length }),
    ...(processed === undefined ? {} : { processed }),
  };
};
