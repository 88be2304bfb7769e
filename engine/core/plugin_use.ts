import type { ActionType } from "./action.ts";
import type { JsonObject } from "./json.ts";

/** A plugin as a workflow's `plugins:`, or that of spanloop.yaml for all workflows, names it. */
export interface PluginUse {
  /** What it is called: the last part of `use`, without an ending, a scope or a version. Unique in its list. */
  readonly name: string;
  /** As it is written: a path, `npm:package@version`, or a name in plugins/. */
  readonly use: string;
  /** The workflow that uses it; absent: spanloop.yaml does, for all. */
  readonly workflow?: string;
  /** The folder of that file, absolute; paths are relative to it. */
  readonly folder: string;
  /** The file, absolute. */
  readonly file: string;
  /** Where it stands in the file, from 1. */
  readonly line: number;
  /** Whether it runs in the engine's process, with all that the engine may do. Spanloop's own always do. */
  readonly trust: boolean;
  /** What it was granted; absent: see `Grant`. */
  readonly grant?: Partial<Grant>;
  /** Its configuration, not checked yet. */
  readonly with: JsonObject;
}

/**
 * What a plugin may do. Without a grant one of Spanloop's own may do all that it says it does, for the workflow that
 * uses it; any other sees its own workflow's spans, may emit, and nothing else. For a plugin that spanloop.yaml uses,
 * every workflow is its own.
 */
export interface Grant {
  /** Names of the spans that it may see; `*` stands for any characters. `["*"]` without a grant. */
  readonly see: readonly string[];
  /**
   * Other workflows whose spans it sees, too, and that it may ask about and propose changes for; `*` stands for any
   * characters. None without a grant.
   */
  readonly workflows: readonly string[];
  /** Whether it sees received spans. Not without a grant. */
  readonly external: boolean;
  /** Parameters of its own workflow that it may propose changes of; `*` is all. None without a grant. */
  readonly propose: readonly string[];
  /** Commands that it may give; `*` stands for any characters. None without a grant. */
  readonly command: readonly string[];
  /** Kinds of actions; that of a list that is not empty is one of them, and `emit` is without a grant. */
  readonly actions: readonly ActionType[];
  /** Deno permissions of its sandbox, as script steps declare them. None without a grant. */
  readonly permissions: JsonObject;
  /** Actions a minute at most, by the events' time; 6,000 without a grant. */
  readonly rate: number;
}
