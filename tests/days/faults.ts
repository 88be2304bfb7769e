import type { LedgerEntry } from "../../engine/engine.ts";
import {
  BOUNDS,
  COOLDOWN,
  type Day,
  type Days,
  DEFAULTS,
  GUARD,
  MAX_STEP,
  RETENTION_DAYS,
} from "./loop.ts";

// Changes that were kept within so many days, once so many of the world's days have passed, are no oscillation yet.
const SETTLED_AFTER = 60;
const WINDOW = 50;
const MOST_KEPT = 5;
// Bytes beside the runs: plugins' state, which is at most 1 MiB, the ledger and what SQLite needs.
const BESIDE = 2_000_000;
const MEGABYTE = 1_000_000;
// So many days after the world has changed the guard is met again, and so many times the best may work cost in the end.
const BACK_AFTER = 5;
const WORST = 2;

/** What is wrong with days of a loop that was left alone, a sentence each; none if it was well. */
export function faults({ days, entries, log }: Days, runsADay: number): readonly string[] {
  return [
    ...log,
    ...bounds(entries),
    ...explanations(entries, days),
    ...cooldowns(entries),
    ...oscillations(entries, days),
    ...growth(days, runsADay),
    ...wellbeing(days),
  ];
}

/** The values that rule after each entry. */
function rulings(entries: readonly LedgerEntry[]): readonly Readonly<Record<string, number>>[] {
  let ruling = DEFAULTS;
  return entries.map(({ decision: { outcome, values } }) => {
    if (outcome !== "applied") return ruling;
    const changed = Object.entries(values).map((
      [name, value],
    ) => [name, value === null ? DEFAULTS[name] : Number(value)]);
    return ruling = { ...ruling, ...Object.fromEntries(changed) };
  });
}

// P1: within the bounds, and what plugins ask for at most max_step from what ruled.
function bounds(entries: readonly LedgerEntry[]): readonly string[] {
  const ruling = rulings(entries);
  return entries.flatMap(({ number, proposal: { author }, decision: { outcome, values } }, i) => {
    if (outcome !== "applied" && outcome !== "testing") return [];
    const before = ruling[i - 1] ?? DEFAULTS;
    return Object.entries(values).flatMap(([name, value]) => {
      // Back to the default.
      if (value === null) return [];
      const [low, high] = BOUNDS[name];
      const found = [];
      if (Number(value) < low || Number(value) > high) found.push("is out of its bounds");
      const factor = Number(value) / before[name];
      if (author.kind === "plugin" && Math.max(factor, 1 / factor) > MAX_STEP) {
        found.push(`is more than ${MAX_STEP} times away from ${before[name]}`);
      }
      return found.map((what) => `Change ${number}: ${name} ${value} ${what}`);
    });
  });
}

// Each version has one entry that says why, from what, and with which verdict; and the entries make what rules.
function explanations(entries: readonly LedgerEntry[], days: readonly Day[]): readonly string[] {
  const found: string[] = [];
  const versions = entries.flatMap(({ version }) => version ?? []);
  versions.forEach((version, i) => {
    if (version !== i + 1) found.push(`Version ${version} comes in ${i + 1}th place`);
  });
  for (const { number, proposal, decision, verdict, answers } of entries) {
    if (proposal.reason === "" || decision.message === "") {
      found.push(`Change ${number}: no reason`);
    }
    if (proposal.evidence.length === 0) found.push(`Change ${number}: no evidence`);
    if (decision.rule !== "verdict") continue;
    const opened = entries.find((entry) => entry.number === answers);
    if (verdict === undefined || opened?.decision.outcome !== "testing") {
      found.push(`Change ${number}: a verdict on nothing that was tried`);
    }
  }
  const ruling = rulings(entries).at(-1) ?? DEFAULTS;
  const { values } = days[days.length - 1];
  for (const [name, value] of Object.entries(ruling)) {
    if (values[name] !== value) found.push(`${name} is ${values[name]}, and no change made it so`);
  }
  return found;
}

// At most one change a cooldown: nothing that plugins ask for begins so soon after something began or ended.
function cooldowns(entries: readonly LedgerEntry[]): readonly string[] {
  const found: string[] = [];
  let last = -Infinity;
  for (const { number, proposal: { at, author }, decision: { outcome } } of entries) {
    if (!["applied", "testing", "ended"].includes(outcome)) continue;
    const time = Number(at) / 1e6;
    if (author.kind === "plugin" && time - last < COOLDOWN) {
      found.push(`Change ${number} comes ${(time - last) / 1000} s after another one`);
    }
    last = time;
  }
  return found;
}

// In a world that stays as it is the values come to rest.
function oscillations(entries: readonly LedgerEntry[], days: readonly Day[]): readonly string[] {
  if (days.length / 2 < SETTLED_AFTER + WINDOW) return [];
  const begin = Number(entries[0]?.proposal.at ?? 0n) / 1e6;
  return [days.length / 2, days.length].flatMap((end) => {
    const kept = entries.filter(({ proposal: { at }, decision: { outcome } }) => {
      const day = (Number(at) / 1e6 - begin) / 86_400_000;
      return outcome === "applied" && day >= end - WINDOW && day < end;
    });
    return kept.length <= MOST_KEPT
      ? []
      : [`${kept.length} changes were kept in the ${WINDOW} days before day ${end}`];
  });
}

// The guard is kept, soon again after the world has changed, and what rules in the end is not far from the best.
function wellbeing(days: readonly Day[]): readonly string[] {
  const half = Math.floor(days.length / 2);
  if (half < SETTLED_AFTER) return [];
  const found: string[] = [];
  for (const { day, failing } of days) {
    if (failing > GUARD && (day <= half || day > half + BACK_AFTER)) {
      found.push(`Day ${day}: with what rules ${failing} of the items fail`);
    }
  }
  for (const { day, regret } of [days[half - 1], days[days.length - 1]]) {
    if (regret > WORST) found.push(`Day ${day}: work costs ${regret} times as much as it might`);
  }
  return found;
}

// What is kept is bounded by the retention.
function growth(days: readonly Day[], runsADay: number): readonly string[] {
  const found: string[] = [];
  const most = (RETENTION_DAYS + 1) * runsADay;
  // Of a run with the defaults, whose batches are about as small as they get.
  const each = (days[2] ?? days[0]).stored / (days[2] ?? days[0]).runs;
  for (const { day, runs, stored, items } of days) {
    if (runs > most) found.push(`Day ${day}: ${runs} runs are kept`);
    if (stored > most * each * 1.5 + BESIDE) found.push(`Day ${day}: ${stored} bytes are kept`);
    if (items > MEGABYTE) found.push(`Day ${day}: plugins keep ${items} bytes`);
  }
  const [then, last] = [days[2 * RETENTION_DAYS], days[days.length - 1]];
  if (then !== undefined && last.heap > then.heap + 30 * MEGABYTE) {
    found.push(`The heap has grown from ${then.heap} to ${last.heap} bytes`);
  }
  return found;
}
