interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const DAYS = "SUN MON TUE WED THU FRI SAT".split(" ");

const FIELDS: readonly Field[] = [
  { name: "second", min: 0, max: 59 },
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of the month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: MONTHS },
  { name: "day of the week", min: 0, max: 7, names: DAYS },
];

const LONGEST_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Undefined for a cron expression of five fields, or six with seconds first; otherwise what is wrong. */
export function cronProblem(cron: string): string | undefined {
  const parsed = parse(cron);
  if (typeof parsed === "string") return parsed;
  const [, , , days, months, weekdays] = parsed;
  // Restricted weekdays tick whatever the day of the month says, so only the day alone can be impossible.
  if (weekdays.size >= 7) {
    const possible = [...months].some((month) => Math.min(...days) <= LONGEST_MONTH[month - 1]);
    if (!possible) return "it never ticks: no such day in these months";
  }
  return undefined;
}

/** Undefined for an IANA time zone, otherwise what is wrong. */
export function timeZoneProblem(zone: string): string | undefined {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return undefined;
  } catch {
    return `"${zone}" is not a time zone; write an IANA name such as Europe/Paris or UTC`;
  }
}

/**
 * The longest gap between two ticks of a valid expression within one day that ticks, in milliseconds, or
 * a day when it ticks once a day at most. A window at least as long, opened daily, never closes.
 */
export function longestGapMs(cron: string): number | undefined {
  const parsed = parse(cron);
  if (typeof parsed === "string") return undefined;
  const [seconds, minutes, hours, days, months, weekdays] = parsed;
  // Gaps over skipped days depend on the calendar: left to the person.
  if (days.size < 31 || months.size < 12 || weekdays.size < 7) return undefined;
  const ticks: number[] = [];
  for (const hour of hours) {
    for (const minute of minutes) {
      for (const second of seconds) ticks.push((hour * 60 + minute) * 60 + second);
    }
  }
  ticks.sort((a, b) => a - b);
  let longest = 86_400 - ticks[ticks.length - 1] + ticks[0];
  for (let index = 1; index < ticks.length; index++) {
    longest = Math.max(longest, ticks[index] - ticks[index - 1]);
  }
  return longest * 1_000;
}

function parse(cron: string): string | Set<number>[] {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) {
    return `it has ${fields[0] === "" ? 0 : fields.length} fields; ` +
      "write five (minute hour day month weekday), or six with seconds first";
  }
  if (fields.length === 5) fields.unshift("0");
  const sets: Set<number>[] = [];
  for (const [index, text] of fields.entries()) {
    const set = parseField(text, FIELDS[index]);
    if (typeof set === "string") return set;
    sets.push(set);
  }
  return sets;
}

function parseField(text: string, field: Field): Set<number> | string {
  const set = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\*|\?|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part);
    if (match === null) return `"${part}" is no ${field.name}`;
    const [, first, last, step] = match;
    const any = first === "*" || first === "?";
    if ((any && last !== undefined) || step === "0") return `"${part}" is no ${field.name}`;
    const from = any ? field.min : number(first, field);
    let to = last !== undefined ? number(last, field) : from;
    if (last === undefined && (any || step !== undefined)) to = field.max;
    for (const value of [from, to]) {
      if (value === undefined || value < field.min || value > field.max) {
        return `"${part}" is no ${field.name}: ${field.min} to ${field.max}` +
          (field.names === undefined ? "" : `, or ${field.names[0]} to ${field.names.at(-1)}`);
      }
    }
    if (from! > to!) return `"${part}" runs backwards; write two ranges with a comma`;
    for (let value = from!; value <= to!; value += Number(step ?? 1)) {
      set.add(field.names === DAYS ? value % 7 : value);
    }
  }
  return set;
}

function number(text: string, field: Field): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const index = field.names?.indexOf(text.toUpperCase()) ?? -1;
  return index < 0 ? undefined : index + field.min;
}
