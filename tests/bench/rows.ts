import { analysisRows } from "./analysis_rows.ts";
import { forEachRows } from "./for_each_rows.ts";
import { hostRateRow } from "./host_rate_row.ts";
import { hostedRows } from "./hosted_rows.ts";
import { journalRows } from "./journal_rows.ts";
import { pluginRows } from "./plugin_rows.ts";
import { receiverRows } from "./receiver_rows.ts";
import type { Row } from "./row.ts";
import { shellRows } from "./shell_rows.ts";
import { shortRunsRows } from "./short_runs_rows.ts";
import { spanRows } from "./span_rows.ts";
import { startRow } from "./start_row.ts";
import { telemetryRows } from "./telemetry_rows.ts";

/** All rows, in the table's order. */
export const rows: readonly Row[] = [
  ...journalRows,
  ...shortRunsRows,
  ...shellRows,
  startRow,
  ...forEachRows,
  ...spanRows,
  ...telemetryRows,
  ...receiverRows,
  ...pluginRows,
  hostRateRow,
  ...hostedRows,
  ...analysisRows,
];
