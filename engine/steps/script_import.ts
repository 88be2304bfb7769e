/** Imports a script's module by its computed URL; here alone, so that such imports are easily found. */
export function importScript(url: string): Promise<{ readonly default?: unknown }> {
  return import(url);
}
