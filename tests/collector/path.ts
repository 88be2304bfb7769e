/** The environment variable that names the collector's executable, for the tests that `main.ts` starts. */
export const COLLECTOR_PATH = "SPANLOOP_TEST_COLLECTOR";

/** The collector's executable. Throws when nobody says where it is. */
export function collectorPath(): string {
  const path = Deno.env.get(COLLECTOR_PATH);
  if (path === undefined) {
    throw new Error("Run this by `deno task test:collector`, which builds the collector first");
  }
  return path;
}
