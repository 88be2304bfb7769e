export default (context: { with: Record<string, string> }) => {
  throw new Error(`cannot use ${context.with.token}`);
};
