/** How Deno is called for code that may do only what it was granted (I2). */

/** What a process may do. */
export interface DenoRequest {
  /** Flags that grant, from `permissionFlags`. */
  readonly granted: readonly string[];
  /** From `importMap`. */
  readonly map: string;
  /** Absolute paths that are neither read nor written whatever is granted. */
  readonly denied: readonly string[];
  /** Flags that only some need. */
  readonly more?: readonly string[];
}

/** The arguments before the bootstrap's path: no remote code, no configuration but the import map, no questions. */
export function denoArguments(request: DenoRequest): string[] {
  // A denial goes before whatever is allowed.
  const denied = pathList(request.denied);
  return [
    "run",
    "--no-prompt",
    "--cached-only",
    "--no-remote",
    ...unconfigured(request.map),
    ...request.more ?? [],
    ...request.granted,
    ...denied === "" ? [] : [`--deny-read=${denied}`, `--deny-write=${denied}`],
  ];
}

/**
 * The arguments of a process that fetches the npm packages which `what` imports, and runs nothing of them: the code's
 * own process must have no way to the network.
 */
export function fetchArguments(map: string, what: readonly string[]): string[] {
  return ["cache", ...unconfigured(map), ...what];
}

/** Values as Deno's flags list them: a comma within one is written twice. */
export function pathList(values: readonly string[]): string {
  return values.map((value) => value.replaceAll(",", ",,")).join(",");
}

/** Of `environment`, where Deno looks up which registry a package comes from, and so where its cache has it. */
export function registryVariables(
  environment: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = ["NPM_CONFIG_REGISTRY", "HOME"].filter((name) => name in environment);
  return Object.fromEntries(names.map((name) => [name, environment[name]]));
}

function unconfigured(map: string): string[] {
  return ["--no-config", "--no-lock", "--quiet", `--import-map=${map}`];
}
