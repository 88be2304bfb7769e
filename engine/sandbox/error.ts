import { SpanloopError } from "../core/errors.ts";

/** What keeps code from a process of its own: `sandbox.input`, `sandbox.permission` or `sandbox.import`. */
export class SandboxError extends SpanloopError {
  declare readonly code: "sandbox.input" | "sandbox.permission" | "sandbox.import";
}

/** Whose process it is, for sentences. */
export interface Whose {
  /** What it is called. */
  readonly noun: "script" | "plugin";
  /** The key that grants its permissions. */
  readonly key: "permissions" | "grant.permissions";
}
