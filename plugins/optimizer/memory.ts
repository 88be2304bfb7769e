/**
 * What the plugin keeps of each workflow: its tuner and notes, within what a plugin may keep. A tuner that is too long
 * for its part forgets what is oldest.
 */
import type { Json, JsonObject, PluginState } from "spanloop";
import type { Values } from "./space.ts";
import { Tuner, type TunerJson } from "./tuner.ts";

/** Where it is kept: a plugin's state. */
export type Keeper = Pick<PluginState, "get" | "set" | "delete" | "keys">;

/** What was proposed last, as long as nothing has come of it. */
export interface Asked {
  /** The version of the values that it was made against. */
  readonly version: number;
  /** What was proposed. */
  readonly changes: Values;
  /** Why. */
  readonly reason: string;
  /** On which share of the items. */
  readonly exposure: number;
  /** How often. */
  readonly times: number;
  /** After how many measurements it is proposed again. */
  readonly again: number;
}

/** What is kept of a workflow beside its tuner. */
export interface Notes {
  /** What it is tuned for: for another goal it begins anew. */
  readonly goal: string;
  /** How many runs were measured. */
  readonly told: number;
  /** The last one of them. */
  readonly run?: string;
  /** How often the tuner had noticed a change of the world. */
  readonly epoch: number;
  /** What was proposed last, as long as nothing has come of it. */
  readonly asked?: Asked;
  /** What was kept last, as long as it rules. */
  readonly kept?: Values;
  /** What was tried lately and not kept, or not for long, oldest first, with how many runs were measured by then. */
  readonly dropped: readonly { readonly values: Values; readonly told: number }[];
  /** How many experiments in a row have not been kept. */
  readonly vain: number;
  /** Nothing is proposed before so many runs were measured. */
  readonly rest: number;
}

/** What is known of a workflow. */
export interface Known {
  /** Its tuner. */
  readonly tuner: Tuner;
  /** The notes beside it. */
  readonly notes: Notes;
}

/** The most workflows that one instance of the plugin tunes. */
export const MOST_WORKFLOWS = 20;

// A plugin keeps at most 1 MiB, 64 KiB a key. Characters of a piece, of which JSON may make two bytes each:
const PIECE = 30_000;
// Bytes of all pieces and notes, of a tuner, and of notes.
const ALL = 1_000_000;
const LONGEST = 250_000;
const NOTES = 12_000;

/** What is kept of a workflow; undefined when there is nothing, or nothing that can be read. */
export function recall(state: Pick<PluginState, "get">, workflow: string): Known | undefined {
  const notes = state.get(notesKey(workflow));
  const pieces: Json[] = [];
  for (let i = 0;; i++) {
    const piece = state.get(pieceKey(workflow, i));
    if (piece === undefined) break;
    pieces.push(piece);
  }
  if (notes === undefined || pieces.length === 0) return undefined;
  try {
    const tuner = Tuner.fromJSON(JSON.parse(pieces.join("")) as TunerJson);
    return { tuner, notes: notes as unknown as Notes };
  } catch {
    // What another version of the plugin has kept.
    return undefined;
  }
}

/** Keeps it; false when there is no room for another workflow. */
export function keep(state: Keeper, workflow: string, { tuner, notes }: Known): boolean {
  const workflows = new Set(state.keys().filter(isNotes).map(workflowOf));
  const isNew = !workflows.has(workflow);
  if (isNew && workflows.size >= MOST_WORKFLOWS) return false;
  workflows.add(workflow);
  const part = Math.min(LONGEST, Math.floor(ALL / workflows.size) - NOTES);
  if (isNew) {
    // Room is made by the others.
    for (const other of workflows) {
      const known = other === workflow ? undefined : recall(state, other);
      if (known !== undefined) write(state, other, known.tuner, part);
    }
  }
  write(state, workflow, tuner, part);
  state.set(notesKey(workflow), trimmed(notes) as unknown as JsonObject);
  return true;
}

function write(state: Keeper, workflow: string, tuner: Tuner, most: number): void {
  let text = ascii(JSON.stringify(tuner));
  let observations = tuner.toJSON().observations.length;
  while (JSON.stringify(text).length > most && observations > 1) {
    observations = Math.ceil(observations * 0.8 - 1);
    tuner.forget(observations);
    text = ascii(JSON.stringify(tuner));
  }
  const count = Math.ceil(text.length / PIECE);
  for (let i = 0; i < count; i++) {
    state.set(pieceKey(workflow, i), text.slice(i * PIECE, (i + 1) * PIECE));
  }
  for (let i = count; state.get(pieceKey(workflow, i)) !== undefined; i++) {
    state.delete(pieceKey(workflow, i));
  }
}

function trimmed(notes: Notes): Notes {
  let { dropped } = notes;
  while (dropped.length > 0 && ascii(JSON.stringify({ ...notes, dropped })).length > NOTES) {
    dropped = dropped.slice(1);
  }
  return { ...notes, dropped };
}

// A text may be cut anywhere once all its characters are of one byte.
function ascii(json: string): string {
  // deno-lint-ignore no-control-regex -- that is what it looks for
  return json.replaceAll(/[^\x00-\x7f]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function notesKey(workflow: string): string {
  return `notes/${workflow}`;
}

function isNotes(key: string): boolean {
  return key.startsWith("notes/");
}

function workflowOf(key: string): string {
  return key.slice("notes/".length);
}

function pieceKey(workflow: string, index: number): string {
  return `tuner/${workflow}/${index}`;
}
