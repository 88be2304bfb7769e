let now = 0;
let most = 0;
export default async (context: { with: { tell?: boolean } }) => {
  if (context.with.tell) return { most };
  most = Math.max(most, ++now);
  // The first waits for a second one, and each gives the others their chance to start.
  while (most < 2) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  now--;
};
