import { formatDuration } from "../core/duration.ts";
import { MOST_EXPOSURE } from "../core/exposure.ts";
import type { Json } from "../core/json.ts";
import type { Parameter } from "../core/parameter.ts";
import type { Decision, LedgerEntry, Proposal, Rule, Snapshot } from "../core/proposal.ts";
import type { Workflow } from "../core/workflow.ts";
import type { Blackout } from "./blackout.ts";
import { clamp } from "./clamp.ts";
import { personsProblem, show, typeProblem } from "./values.ts";

/** What a decision is made from, beside the proposal. */
export interface Circumstances {
  /** The workflow's parameters and its contract. */
  readonly workflow: Pick<Workflow, "name" | "params" | "tune">;
  /** What is tuned now. */
  readonly snapshot: Snapshot;
  /**
   * The workflow's changes, newest first, those that were tested and their verdicts among them: at least those of the
   * cooldown and of the UTC day before the proposal's time.
   */
  readonly recent: readonly LedgerEntry[];
  /** Changes that are held for a person who has not answered yet, or wait to be tested; none when absent. */
  readonly pending?: readonly LedgerEntry[];
  /** The workflow's blackout windows. */
  readonly blackout: Blackout;
  /** Whether all spans that the proposal names as evidence are in the store. */
  readonly evidenceKnown: boolean;
  /** What the plugin may propose, by the parameters' names; absent: all. */
  readonly grant?: { readonly propose: readonly string[] };
  /** Whether a person ordered it, by a run for the sake of tuning (A4). */
  readonly ordered?: boolean;
}

/** The candidate's share of the work where a proposal asks for none. */
const DEFAULT_EXPOSURE = 0.1;

const NS_PER_MS = 1_000_000n;
const NS_PER_DAY = 86_400_000n * NS_PER_MS;

/**
 * Decides on a proposal: pure, with no time but the proposal's own (T4). The first rule that speaks decides, in the
 * order not_tunable, invalid, grant, off, frozen, stale, evidence, conflict, blackout, cooldown, daily_limit; what
 * passes is cut to `max_step` from the incumbent (A3) and to the bounds, as the last thing (P1), and is then
 * no_change, held (recommend), tested (experiment) or accepted. The changes of a proposal share one fate.
 *
 * A workflow with an objective has a change tested before it is applied, unless the proposal is `immediate`. While
 * another one is under measurement it waits: conflict, blackout, cooldown and daily_limit are asked once its turn comes.
 *
 * A person's order is bound by type and bounds only, and is refused, not cut, when it keeps them not. A proposal that a
 * person ordered (A4) is not bound by blackout, cooldown and daily limit, and `recommend` is no objection.
 *
 * What one plugin has under measurement, waiting or held for a person already is not asked for twice: a plugin may ask
 * again at each span.
 *
 * Conflict: of two authors' changes to one parameter within a cooldown, or at one time, the first that was decided
 * on stays and the other is refused. Who decides on several at once takes them in the order of `byPrecedence`.
 */
export function decide(proposal: Proposal, circumstances: Circumstances): Decision {
  const { workflow, snapshot, ordered = false } = circumstances;
  const named = namedParameters(proposal, workflow);
  if (!Array.isArray(named)) return named;
  if (proposal.author.kind !== "plugin") return order(proposal, named, circumstances);
  const tested = workflow.tune?.objective !== undefined && !proposal.immediate;
  const waits = tested && snapshot.experiment !== undefined;
  const objection = objectionTo(proposal, named, circumstances) ??
    (waits ? undefined : notNow(proposal, named, circumstances));
  if (objection !== undefined) return objection;
  const changes = named.map((parameter) => cut(parameter, proposal, snapshot));
  const { values, clamped, text } = outcome(changes);
  if (changes.every(({ changed }) => !changed)) return refuse("no_change", text);
  const same = circumstances.pending?.find((entry) => asksTheSame(entry, proposal, values));
  const shy = ordered ? undefined : named.find(({ tune }) => tune?.mode === "recommend");
  if (shy !== undefined) {
    if (same?.decision.outcome === "held") {
      return refuse(
        "no_change",
        `Change ${same.number} asks for the same, and is held for a person`,
      );
    }
    return {
      outcome: "held",
      rule: "recommend",
      message: `${text}: held for a person, as ${shy.name} has \`mode: recommend\``,
      values,
      clamped,
    };
  }
  if (!tested) return { outcome: "applied", rule: "accepted", message: text, values, clamped };
  if (snapshot.experiment === undefined) {
    const share = exposureOf(proposal);
    const message = `${text}: tried on ${Number((share * 100).toPrecision(2))} % of the work` +
      (share < MOST_EXPOSURE ? " at first" : "");
    return { outcome: "testing", rule: "experiment", message, values, clamped };
  }
  if (isSame(snapshot.experiment.values, values)) {
    return refuse("no_change", `${text}: this is under measurement already`);
  }
  if (same?.decision.outcome === "waiting") {
    return refuse("no_change", `Change ${same.number} asks for the same, and waits to be tried`);
  }
  const message = `${text}: waits until the change that is under measurement has its verdict`;
  return { outcome: "waiting", rule: "experiment", message, values, clamped };
}

/** The share of the work that a proposal's experiment has, in (0, 0.5]. */
export function exposureOf({ exposure = DEFAULT_EXPOSURE }: Proposal): number {
  return Math.min(MOST_EXPOSURE, exposure);
}

/** Whether a proposal that was refused by this rule may pass later, by nothing but time. */
export function mayPassLater(rule: Rule): boolean {
  return rule === "conflict" || rule === "blackout" || rule === "cooldown" ||
    rule === "daily_limit";
}

/** Orders proposals that are decided on at once: the earlier first, of one time the one with the smaller id. */
export function byPrecedence(a: Proposal, b: Proposal): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** The value that rules: the tuned one, else the file's default; undefined when there is neither. */
export function incumbentOf(parameter: Parameter, snapshot: Snapshot): Json | undefined {
  return Object.hasOwn(snapshot.values, parameter.name)
    ? snapshot.values[parameter.name]
    : parameter.default;
}

function namedParameters(
  { workflow: name, changes }: Proposal,
  workflow: Circumstances["workflow"],
): Parameter[] | Decision {
  if (name !== workflow.name) {
    return refuse("not_tunable", `The proposal is for ${name}, not for ${workflow.name}`);
  }
  const parameters: Parameter[] = [];
  for (const key of Object.keys(changes)) {
    const parameter = workflow.params.get(key);
    if (parameter === undefined) {
      return refuse("not_tunable", `${key} is not a parameter of ${workflow.name}`);
    }
    if (parameter.tune === undefined) {
      return refuse(
        "not_tunable",
        `${key} has no \`tune\` in ${workflow.name}: nothing changes it`,
      );
    }
    parameters.push(parameter);
  }
  return parameters.length > 0 ? parameters : refuse("invalid", "The proposal changes nothing");
}

function order(
  { author, changes }: Proposal,
  named: readonly Parameter[],
  { snapshot }: Circumstances,
): Decision {
  const made = named.map((parameter): Change => {
    const wanted = changes[parameter.name];
    return {
      name: parameter.name,
      from: incumbentOf(parameter, snapshot),
      to: wanted,
      changed: wanted === null
        ? Object.hasOwn(snapshot.values, parameter.name)
        : wanted !== incumbentOf(parameter, snapshot),
      by: [],
    };
  });
  for (const parameter of named) {
    const problem = personsProblem(parameter, changes[parameter.name]);
    if (problem !== undefined) return refuse("invalid", problem);
  }
  const { values, text } = outcome(made);
  if (made.every(({ changed }) => !changed)) return refuse("no_change", text);
  const rule = author.kind === "file" ? "file" : "person";
  return { outcome: "applied", rule, message: text, values, clamped: [] };
}

function objectionTo(
  proposal: Proposal,
  named: readonly Parameter[],
  { snapshot, evidenceKnown, grant }: Circumstances,
): Decision | undefined {
  const { changes } = proposal;
  for (const parameter of named) {
    const problem = typeProblem(parameter, changes[parameter.name]);
    if (problem !== undefined) return refuse("invalid", problem);
  }
  const outside = named.find(({ name }) => grant !== undefined && !grant.propose.includes(name));
  if (outside !== undefined) {
    return refuse("grant", `${authorOf(proposal)} is not granted to propose ${outside.name}`);
  }
  const off = named.find(({ tune }) => tune?.mode === "off");
  if (off !== undefined) {
    return refuse("off", `${off.name} has \`mode: off\`: no plugin changes it`);
  }
  const frozen = named.find(({ name }) => snapshot.frozen.includes(name));
  if (frozen !== undefined) return refuse("frozen", `${frozen.name} is frozen`);
  if (proposal.version !== snapshot.version) {
    return refuse(
      "stale",
      `It was made against version ${proposal.version}; there is version ${snapshot.version} now`,
    );
  }
  if (!evidenceKnown) return refuse("evidence", "It names spans that are not in the store");
}

// What speaks against a change now, and may not later.
function notNow(
  proposal: Proposal,
  named: readonly Parameter[],
  { recent, blackout, workflow, ordered }: Circumstances,
): Decision | undefined {
  const cooldown = ordered ? 0n : cooldownOf(workflow.tune);
  const { at } = proposal;
  return conflict(proposal, named, cooldown, recent) ??
    (ordered ? undefined : closed(at, blackout) ??
      tooSoon(at, cooldown, recent) ?? tooMany(at, workflow, recent));
}

function conflict(
  proposal: Proposal,
  named: readonly Parameter[],
  cooldown: bigint,
  recent: readonly LedgerEntry[],
): Decision | undefined {
  // What is only tested is waited for, and a verdict is no author's change.
  for (const entry of recent.filter(isApplied)) {
    const apart = proposal.at - entry.proposal.at;
    if (apart !== 0n && (cooldown === 0n || apart >= cooldown)) continue;
    if (authorOf(entry.proposal) === authorOf(proposal)) continue;
    const same = named.find(({ name }) => Object.hasOwn(entry.decision.values, name));
    if (same === undefined) continue;
    return refuse(
      "conflict",
      `${
        authorOf(entry.proposal)
      } has changed ${same.name} just before, with change ${entry.number}`,
    );
  }
}

function closed(at: bigint, blackout: Blackout): Decision | undefined {
  const window = blackout(at);
  if (window === undefined) return undefined;
  return refuse("blackout", `Nothing changes from ${time(window.from)} to ${time(window.to)}`);
}

function tooSoon(
  at: bigint,
  cooldown: bigint,
  recent: readonly LedgerEntry[],
): Decision | undefined {
  if (cooldown === 0n) return undefined;
  const cooling = recent.filter((entry) =>
    counts(entry) || entry.proposal.author.kind === "engine"
  );
  for (const { number, proposal } of cooling) {
    const apart = at - proposal.at;
    if (apart >= cooldown) continue;
    const passed = apart < 0n
      ? `It is older than change ${number}`
      : `Change ${number} was ${duration(apart)} before`;
    return refuse("cooldown", `${passed}, and the cooldown is ${duration(cooldown)}`);
  }
}

function tooMany(
  at: bigint,
  { tune }: Circumstances["workflow"],
  recent: readonly LedgerEntry[],
): Decision | undefined {
  const most = tune?.maxChangesPerDay;
  if (most === undefined) return undefined;
  const day = dayOf(at);
  const made = recent.filter((entry) => counts(entry) && dayOf(entry.proposal.at) === day).length;
  if (made < most) return undefined;
  return refuse(
    "daily_limit",
    `${time(day * NS_PER_DAY).slice(0, 10)} (UTC) has had ${made} of its ${most} changes`,
  );
}

/** The day of an instant, counted from the epoch in UTC; both in nanoseconds. */
export function dayOf(at: bigint): bigint {
  return at / NS_PER_DAY;
}

/** From when on changes bear on a proposal at `at`: `recent` needs no older ones. */
export function since(at: bigint, tune: Workflow["tune"]): bigint {
  const [day, cooled] = [dayOf(at) * NS_PER_DAY, at - cooldownOf(tune)];
  return day < cooled ? day : cooled < 0n ? 0n : cooled;
}

function asksTheSame(
  { proposal, decision }: LedgerEntry,
  other: Proposal,
  values: Decision["values"],
): boolean {
  return authorOf(proposal) === authorOf(other) && isSame(decision.values, values);
}

function isSame(one: Decision["values"], other: Decision["values"]): boolean {
  const names = Object.keys(one);
  return Object.keys(other).length === names.length &&
    names.every((name) => Object.hasOwn(other, name) && one[name] === other[name]);
}

// What is tried on a share of the work is a change like any other; its verdict is none of its own.
function counts(entry: LedgerEntry): boolean {
  return entry.decision.outcome === "testing" || isApplied(entry);
}

// An edit of the file tunes nothing, and a freeze changes no value.
function isApplied({ proposal, decision }: LedgerEntry): boolean {
  const { kind } = proposal.author;
  return decision.outcome === "applied" && kind !== "engine" && kind !== "file" &&
    proposal.frozen === undefined;
}

function cooldownOf(tune: Workflow["tune"]): bigint {
  return BigInt(Math.round((tune?.cooldownMs ?? 0) * 1e6));
}

interface Change {
  readonly name: string;
  readonly from: Json | undefined;
  readonly to: Json;
  readonly changed: boolean;
  readonly by: readonly string[];
  readonly wanted?: Json;
}

function cut(parameter: Parameter, { changes }: Proposal, snapshot: Snapshot): Change {
  const { name } = parameter;
  const wanted = changes[name];
  const from = incumbentOf(parameter, snapshot);
  if (typeof wanted !== "number") {
    return { name, from, to: wanted, changed: wanted !== from, by: [] };
  }
  const { value, by } = clamp(parameter, wanted, typeof from === "number" ? from : undefined);
  return { name, from, to: value, changed: value !== from, by, wanted };
}

function outcome(
  changes: readonly Change[],
): { values: Decision["values"]; clamped: string[]; text: string } {
  return {
    values: Object.fromEntries(
      changes.filter(({ changed }) => changed).map(({ name, to }) => [name, to]),
    ),
    clamped: changes.filter(({ by }) => by.length > 0).map(({ name }) => name),
    text: changes.map(sentence).join("; "),
  };
}

function sentence({ name, from, to, changed, by, wanted }: Change): string {
  const asked = by.length === 0
    ? ""
    : ` (asked for ${show(wanted ?? null)}, cut by ${by.join(" and ")})`;
  if (!changed) return `${name} stays ${show(from ?? null)}${asked}`;
  const before = from === undefined ? "" : `${show(from)} `;
  return `${name} ${before}\u2192 ${to === null ? "the file's default" : show(to)}${asked}`;
}

const AUTHORS = { person: "a person", file: "the file", engine: "the engine" };

/** Who asked, in words. */
export function authorOf({ author }: Proposal): string {
  return author.kind === "plugin" ? `the plugin ${author.name}` : AUTHORS[author.kind];
}

function refuse(rule: Rule, message: string): Decision {
  return { outcome: "refused", rule, message, values: {}, clamped: [] };
}

function duration(ns: bigint): string {
  return formatDuration(Number(ns) / 1e6);
}

function time(at: bigint): string {
  return Temporal.Instant.fromEpochMilliseconds(Number(at / NS_PER_MS)).toString();
}
