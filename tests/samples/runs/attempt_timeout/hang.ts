export default (context: { signal: AbortSignal }) =>
  new Promise((_, reject) => context.signal.addEventListener("abort", () => reject(new Error("told"))));
