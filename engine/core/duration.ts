const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The longest duration the language takes: ten years, in milliseconds. */
export const LONGEST_DURATION_MS = 3_650 * 86_400_000;

/**
 * Reads `500ms`, `1.5s`, `2m`, `1h30m` or `1d` as milliseconds; undefined if it is none of these,
 * negative or longer than ten years.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * UNITS[unit];
  }
  return total <= LONGEST_DURATION_MS ? total : undefined;
}

/** Renders milliseconds for people: `850 ms`, `12.3 s`, `4 m 05 s`, `2 h 03 m`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 0.95) return `${(Math.max(0, ms) * 1_000).toFixed(0)} µs`;
  if (ms < 999.5) return `${ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(ms < 9_995 ? 2 : 1)} s`;
  const s = Math.round(ms / 1_000);
  const two = (n: number) => String(n).padStart(2, "0");
  if (s < 3_600) return `${Math.floor(s / 60)} m ${two(s % 60)} s`;
  const m = Math.floor(s / 60);
  if (m < 1_440) return `${Math.floor(m / 60)} h ${two(m % 60)} m`;
  return `${Math.floor(m / 1_440)} d ${Math.floor((m % 1_440) / 60)} h`;
}
