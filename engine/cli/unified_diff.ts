const CONTEXT = 3;

/** Two texts' difference as a unified diff; no lines when there is none. Lines that stayed must be most of them. */
export function unifiedDiff(before: string, after: string, name: string): string[] {
  const [old, now] = [before, after].map(linesOf);
  const regions = old.length === now.length ? inPlace(old, now) : [whole(old, now)];
  const lines: string[] = [];
  for (const hunk of hunks(regions, old.length)) {
    const grown = hunk.changes.reduce((sum, { to, nowTo }) => sum + nowTo - to, 0);
    lines.push(
      `@@ -${hunk.from + 1},${hunk.to - hunk.from} +${hunk.from + 1},${
        hunk.to - hunk.from + grown
      } @@`,
    );
    let at = hunk.from;
    for (const { from, to, nowTo } of hunk.changes) {
      for (; at < from; at++) lines.push(...` ${old[at]}`.split("\n"));
      for (; at < to; at++) lines.push(...`-${old[at]}`.split("\n"));
      for (let line = from; line < nowTo; line++) lines.push(...`+${now[line]}`.split("\n"));
    }
    for (; at < hunk.to; at++) lines.push(...` ${old[at]}`.split("\n"));
  }
  return lines.length === 0 ? [] : [`--- ${name}`, `+++ ${name}`, ...lines];
}

// The last line says itself when no line feed ends it.
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop();
  return last === "" ? lines : [...lines, `${last}\n\\ No newline at end of file`];
}

// Old lines [from, to) became new lines [from, nowTo).
interface Change {
  readonly from: number;
  readonly to: number;
  readonly nowTo: number;
}

function inPlace(old: readonly string[], now: readonly string[]): Change[] {
  const changes: Change[] = [];
  for (let line = 0; line < old.length; line++) {
    if (old[line] === now[line]) continue;
    const last = changes.at(-1);
    if (last?.to === line) changes[changes.length - 1] = { ...last, to: line + 1, nowTo: line + 1 };
    else changes.push({ from: line, to: line + 1, nowTo: line + 1 });
  }
  return changes;
}

// Where lines came or went: all from the first change to the last.
function whole(old: readonly string[], now: readonly string[]): Change {
  let from = 0;
  while (from < old.length && from < now.length && old[from] === now[from]) from++;
  let [to, nowTo] = [old.length, now.length];
  while (to > from && nowTo > from && old[to - 1] === now[nowTo - 1]) {
    [to, nowTo] = [to - 1, nowTo - 1];
  }
  return { from, to, nowTo };
}

function hunks(changes: readonly Change[], length: number) {
  const found: { from: number; to: number; changes: Change[] }[] = [];
  for (const change of changes) {
    const from = Math.max(0, change.from - CONTEXT);
    const to = Math.min(length, change.to + CONTEXT);
    const last = found.at(-1);
    if (last !== undefined && from <= last.to) {
      last.to = to;
      last.changes.push(change);
    } else found.push({ from, to, changes: [change] });
  }
  return found;
}
