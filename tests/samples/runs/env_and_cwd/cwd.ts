export default (context: { cwd: string; path(path: string): string }) => ({
  cwd: context.cwd.split("/").at(-1) as string,
  path: context.path("../x.txt").split("/").at(-1) as string,
});
