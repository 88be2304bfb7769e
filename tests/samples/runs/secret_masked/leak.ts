// Every way out that a script has.
export default (context: { with: Record<string, string>; log(line: string): void }) => {
  const { token } = context.with;
  context.log(`log ${token} ${encodeURIComponent(token)} ${JSON.stringify({ token })}`);
  const url = btoa(token).replaceAll("+", "-").replaceAll("/", "_");
  return { token, [token]: "as a key", deep: [{ url, uri: encodeURIComponent(token) }] };
};
