const BARS = "▁▂▃▄▅▆▇█";

/** Values as a line of bars, from the least to the greatest of them; a gap for null. At most `columns` of the last ones. */
export function sparkline(values: readonly (number | null)[], columns: number): string {
  const shown = values.slice(-columns);
  const known = shown.filter((value) => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return shown.map((value) => {
    if (value === null) return " ";
    // What hardly differs is level, and not a mountain.
    if (most - least <= 0.01 * most) return BARS[3];
    return BARS[Math.min(7, Math.floor((value - least) / (most - least) * 8))];
  }).join("");
}
