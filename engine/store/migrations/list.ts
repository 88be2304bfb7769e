import { base } from "./0001_base.ts";
import { signals } from "./0002_signals.ts";
import { received } from "./0003_received.ts";
import { ledger } from "./0004_ledger.ts";

/** The schema's steps in order; applying the first N makes version N. A shipped one is never changed. */
export const migrations: readonly string[] = [base, signals, received, ledger];
