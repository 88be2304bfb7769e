let now = 0;
let most = 0;
export default async (context: { with: { tell?: boolean } }) => {
  if (context.with.tell) return { most };
  most = Math.max(most, ++now);
  // Each one stays until the others had their chance to start.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  now--;
};
