/** An option of a command. */
export interface Option {
  /** Without dashes. */
  readonly name: string;
  /** One letter, without its dash. */
  readonly short?: string;
  /** What its value is called in help; absent for a switch. */
  readonly value?: string;
  /** The values it takes, when they are few. */
  readonly choices?: readonly string[];
  /** Whether it may be given more than once. */
  readonly repeat?: boolean;
  /** What it does, in a few words. */
  readonly summary: string;
}

/** What a command works on. */
export interface Operand {
  /** What it is called in help. */
  readonly name: string;
  /** How many there must be; default exactly one. `some` is one or more, `any` also none; both stand last. */
  readonly count?: "optional" | "some" | "any";
  /** What completion offers. */
  readonly kind: "workflow" | "folder" | "run" | "choice";
  /** For `choice`. */
  readonly choices?: readonly string[];
}

/** A command, as parsing, help, errors and shell completion see it. */
export interface Command {
  /** Its name. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** What it works on, in order. */
  readonly operands: readonly Operand[];
  /** Its options, `--help` aside. */
  readonly options: readonly Option[];
  /** More to know, each a paragraph. */
  readonly notes?: readonly string[];
  /** Command lines that show it, without the program's name. */
  readonly examples: readonly string[];
}

/** What every command takes. */
export const HELP: Option = { name: "help", short: "h", summary: "Show this help" };

const STORE: Option = {
  name: "store",
  value: "STORE",
  summary: "sqlite:FILE or memory: (else SPANLOOP_STORE, else found near the workflow)",
};
const JSON_OUT: Option = { name: "json", summary: "Print one JSON document on stdout" };
const DURABILITY: Option = {
  name: "durability",
  value: "KIND",
  choices: ["full", "normal"],
  summary: "full: commits survive a power cut; normal: a killed process",
};
const DRAIN: Option = {
  name: "drain",
  value: "TIME",
  summary: "How long plugins may go on after the run, such as 30s (default 5s)",
};
const LOG_FORMAT: Option = {
  name: "log-format",
  value: "KIND",
  choices: ["text", "json"],
  summary: "json: log records on stderr, one a line (else SPANLOOP_LOG_FORMAT)",
};
const QUIET: Option = {
  name: "quiet",
  short: "q",
  summary: "Neither progress nor step output on stderr",
};
const PARAMS: readonly Option[] = [
  {
    name: "param",
    short: "p",
    value: "NAME=VALUE",
    repeat: true,
    summary: "Give a parameter a value for this run",
  },
  { name: "params", value: "FILE", summary: "Read parameter values from a YAML or JSON file" },
];
const TOKEN: readonly Option[] = [
  {
    name: "token-env",
    value: "NAME",
    summary: "Senders must show the token that this variable holds",
  },
  { name: "token-file", value: "FILE", summary: "Senders must show the token in this file" },
];
const FILE: Operand = { name: "FILE", kind: "workflow" };
const RUN: Operand = { name: "RUN", kind: "run" };
const RUN_NOTE = "RUN is a run's id, the start or the end of one, or `last`.";

/** What `params` takes first. */
export const PARAMS_VERBS: readonly string[] = [
  "list",
  "explain",
  "history",
  "accept",
  "reject",
  "set",
  "freeze",
  "unfreeze",
  "revert",
  "pin",
];

/** What `plugins` takes first. */
export const PLUGINS_VERBS: readonly string[] = ["list", "retry", "replay", "new", "test"];

/** All commands, in the order help lists them. */
export const COMMANDS: readonly Command[] = [
  {
    name: "run",
    summary: "Run a workflow to its end",
    operands: [FILE],
    options: [
      ...PARAMS,
      { name: "dry-run", short: "n", summary: "Show what would run with which values, and stop" },
      JSON_OUT,
      QUIET,
      LOG_FORMAT,
      DRAIN,
      DURABILITY,
      STORE,
    ],
    notes: [
      "Progress goes to stderr, the workflow's outputs to stdout. Ctrl-C cancels gently (finally steps run), " +
      "twice at once.",
      "Exit code: 0 succeeded, 1 failed, 2 invalid or misused, 130 cancelled.",
    ],
    examples: ["run workflow.yaml", "run workflow.yaml -p batch_size=200 --json"],
  },
  {
    name: "validate",
    summary: "Check workflow files and list every mistake",
    operands: [{ name: "FILE|FOLDER", kind: "workflow", count: "some" }],
    options: [JSON_OUT],
    notes: ["Also lists where raw() lets a value into the shell unquoted."],
    examples: ["validate workflow.yaml", "validate workflows/"],
  },
  {
    name: "plan",
    summary: "Print a workflow's steps and their order",
    operands: [FILE],
    options: [
      {
        name: "format",
        short: "f",
        value: "FORMAT",
        choices: ["tree", "mermaid", "json"],
        summary: "tree (default), mermaid or json",
      },
      ...PARAMS,
    ],
    examples: ["plan workflow.yaml", "plan workflow.yaml --format mermaid"],
  },
  {
    name: "runs",
    summary: "List runs, newest first",
    operands: [],
    options: [
      { name: "workflow", short: "w", value: "NAME", summary: "Of one workflow" },
      {
        name: "status",
        short: "s",
        value: "STATUS",
        repeat: true,
        choices: ["queued", "running", "succeeded", "failed", "cancelled", "skipped", "timed_out"],
        summary: "With this status",
      },
      { name: "limit", short: "l", value: "N", summary: "At most N runs (default 20)" },
      JSON_OUT,
      STORE,
    ],
    examples: ["runs", "runs --workflow import-orders --status failed"],
  },
  {
    name: "show",
    summary: "Show a run: waterfall, errors, values, inputs, output",
    operands: [RUN],
    options: [
      { name: "step", value: "ID", summary: "Everything about one step's attempts" },
      JSON_OUT,
      STORE,
    ],
    notes: [RUN_NOTE],
    examples: ["show last", "show 9f31c2aa --step load"],
  },
  {
    name: "diff",
    summary: "Compare two runs: where the time went, and what differed",
    operands: [{ ...RUN, name: "A" }, { ...RUN, name: "B" }],
    options: [JSON_OUT, STORE],
    notes: ["A and B are each a run's id, the start or the end of one, or `last`."],
    examples: ["diff 9f31c2aa last"],
  },
  {
    name: "resume",
    summary: "Go on with a run that was cut short",
    operands: [{ ...RUN, count: "optional" }],
    options: [
      { name: "all", summary: "Every unfinished run of the store, oldest first" },
      { name: "accept-changes", summary: "Go on although a module has changed since" },
      JSON_OUT,
      QUIET,
      LOG_FORMAT,
      DRAIN,
      DURABILITY,
      STORE,
    ],
    notes: [RUN_NOTE, "A step that completed does not run again."],
    examples: ["resume last", "resume --all"],
  },
  {
    name: "rerun",
    summary: "Start a run that reuses the outcomes of an earlier one",
    operands: [RUN],
    options: [
      { name: "from", value: "STEP", summary: "Reuse what came before this step" },
      { name: "failed", summary: "Reuse everything that did not fail" },
      JSON_OUT,
      QUIET,
      LOG_FORMAT,
      DRAIN,
      DURABILITY,
      STORE,
    ],
    notes: [RUN_NOTE],
    examples: ["rerun last --failed", "rerun 9f31c2aa --from load"],
  },
  {
    name: "cancel",
    summary: "Ask the process that holds a run to cancel it",
    operands: [RUN],
    options: [JSON_OUT, STORE],
    notes: [RUN_NOTE],
    examples: ["cancel last"],
  },
  {
    name: "prune",
    summary: "Delete old runs that have ended",
    operands: [],
    options: [
      { name: "older-than", value: "AGE", summary: "Created longer ago than this, such as 30d" },
      { name: "dry-run", short: "n", summary: "Say how many, and delete nothing" },
      JSON_OUT,
      STORE,
    ],
    notes: [
      "Unfinished runs are never deleted. Received spans go with the runs of their time, and so does what `params history` tells that nothing rests on any more.",
    ],
    examples: ["prune --older-than 30d"],
  },
  {
    name: "serve",
    summary: "Run a folder's workflows on their schedules",
    operands: [{ name: "FOLDER", kind: "folder" }],
    options: [
      { ...JSON_OUT, summary: "Print each event as one JSON line on stdout" },
      {
        name: "otlp",
        value: "[HOST:]PORT",
        summary: "Also receive other programs' telemetry, as `receive` does",
      },
      ...TOKEN,
      { name: "watch", short: "w", summary: "Load plugins anew when their files change" },
      LOG_FORMAT,
      DURABILITY,
      STORE,
    ],
    notes: [
      "Plugins hear all runs of the store meanwhile. A second one on a store waits, and takes over when the first is gone.",
      "Ctrl-C stops gently.",
    ],
    examples: ["serve workflows/"],
  },
  {
    name: "receive",
    summary: "Take other programs' spans, metrics and logs over OTLP",
    operands: [],
    options: [
      { name: "host", value: "HOST", summary: "Where to listen (default 127.0.0.1: this machine)" },
      { name: "port", value: "PORT", summary: "Default 4318; 0 for any free one" },
      ...TOKEN,
      { name: "print", summary: "Print a line for each span, metric and log record on stdout" },
      { ...JSON_OUT, summary: "When it stops, print what was received as JSON on stdout" },
      LOG_FORMAT,
      DURABILITY,
      STORE,
    ],
    notes: [
      "OTLP/HTTP, protobuf or JSON, at /v1/traces, /v1/metrics and /v1/logs. Spans are stored, for `tail`, plugins " +
      "and triggers; metrics and logs are counted. Ctrl-C stops.",
    ],
    examples: ["receive", "receive --host 0.0.0.0 --token-env OTLP_TOKEN"],
  },
  {
    name: "tail",
    summary: "Print spans as they end, of runs and received ones",
    operands: [],
    options: [
      {
        name: "name",
        value: "GLOB",
        repeat: true,
        summary: "Whose name is this; * stands for any characters",
      },
      {
        name: "attribute",
        short: "a",
        value: "KEY=VALUE",
        repeat: true,
        summary: "With this attribute, its own or its resource's; * as in --name",
      },
      {
        name: "status",
        value: "STATUS",
        repeat: true,
        choices: ["error", "ok", "unset"],
        summary: "With this status",
      },
      {
        name: "from",
        value: "WHEN",
        summary: "now (default), start, or an age such as 15m",
      },
      { name: "once", summary: "Print what there is and end (then --from is start)" },
      { ...JSON_OUT, summary: "Print each span as one line of OTLP JSON" },
      STORE,
    ],
    notes: [
      "Spans come from the store, whichever process writes to it. Ctrl-C stops.",
      "With --json a line is an ExportTraceServiceRequest with one span, as the OpenTelemetry Collector's file " +
      "exporter writes it.",
    ],
    examples: [
      "tail --name 'orders.*' --status error",
      "tail --json --once | jq -r '.resourceSpans[].scopeSpans[].spans[].name'",
    ],
  },
  {
    name: "otel",
    summary: "See where telemetry goes, or send some as a test",
    operands: [{ name: "status|test", kind: "choice", choices: ["status", "test"] }],
    options: [JSON_OUT],
    notes: [
      "Telemetry is set up by OpenTelemetry's environment variables, such as OTEL_EXPORTER_OTLP_ENDPOINT.",
      "`test` sends a span, a metric and a log record. Exit code: 0 all arrived, 1 not all, 2 nothing to send to.",
    ],
    examples: ["otel status", "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 otel test"],
  },
  {
    name: "semconv",
    summary: "Check telemetry against conventions, or make a registry's constants",
    operands: [
      { name: "check|generate", kind: "choice", choices: ["check", "generate"] },
      { name: "FILE|FOLDER", kind: "folder", count: "some" },
    ],
    options: [
      {
        name: "registry",
        value: "FOLDER",
        repeat: true,
        summary: "check: a registry of your own beside Spanloop's and OpenTelemetry's",
      },
      { name: "strict", summary: "check: what no registry has is a violation, not advice" },
      { name: "out", value: "FILE", summary: "generate: the module to write (else stdout)" },
      JSON_OUT,
    ],
    notes: [
      "`check` reads OTLP's JSON lines, as SPANLOOP_OTLP_FILE writes them. Exit code: 0 no violation, 1 some.",
      "`generate` makes TypeScript constants of a folder in OpenTelemetry Weaver's format, which may refer to " +
      "Spanloop's attributes and OpenTelemetry's.",
    ],
    examples: [
      "semconv check traces.jsonl --registry my/registry",
      "semconv generate my/registry --out my/attributes.ts",
    ],
  },
  {
    name: "analyze",
    summary: "Show how steps do, what changed and what is out of bounds",
    operands: [{ name: "WORKFLOW", kind: "workflow", count: "optional" }],
    options: [JSON_OUT, STORE],
    notes: [
      "WORKFLOW is a file, or a workflow's name; without it all workflows of the store are shown. What the plugin " +
      "`analyzer` knows is kept in the store: the first time it reads the whole journal, then only what is new.",
      "Health is made of the share of runs that succeed, of what fails, of speed against what is usual and of waiting.",
    ],
    examples: ["analyze", "analyze workflow.yaml", "analyze import-orders --json"],
  },
  {
    name: "improve",
    summary: "Run a workflow many times to find better values",
    operands: [FILE],
    options: [
      { name: "runs", value: "N", summary: "So many runs (default 20)" },
      ...PARAMS,
      { ...JSON_OUT, summary: "Print each event as one JSON line on stdout" },
      QUIET,
      LOG_FORMAT,
      DRAIN,
      DURABILITY,
      STORE,
    ],
    notes: [
      "FILE needs a `tune.objective` and a parameter with a `tune:`. Plugins try other values on a share of the work, " +
      "within the file's bounds and guards, and what proves better is kept. A file that names no optimizer gets one.",
      "A tunable parameter cannot be given a value here: `params set` and `params freeze` one that is to stay as it " +
      "is. Ctrl-C cancels the run under way and keeps what was learned.",
      "Exit code: 0 all runs done, 1 stopped because runs failed or FILE was changed, 2 invalid or misused, 130 cancelled.",
    ],
    examples: ["improve workflow.yaml", "improve workflow.yaml --runs 50 --json"],
  },
  {
    name: "report",
    summary: "Write what tuning came to as Markdown and HTML",
    operands: [{ ...FILE, count: "optional" }],
    options: [
      { name: "out", value: "FOLDER", summary: "Where to (default: report/ beside the store)" },
      STORE,
    ],
    notes: [
      "report.html is one page that needs nothing beside itself: the objective and guards over time with changes and " +
      "verdicts, candidate against incumbent, what was tried by parameter, and what to do next. Without FILE it is on " +
      "each workflow of the store of which something was measured or proposed.",
    ],
    examples: ["report workflow.yaml", "report --out /tmp/report"],
  },
  {
    name: "params",
    summary: "See and steer the parameters that plugins may change",
    operands: [
      { name: "VERB", kind: "choice", choices: PARAMS_VERBS },
      FILE,
      { name: "NAME|N", kind: "choice", choices: [], count: "any" },
    ],
    options: [
      { name: "reason", value: "TEXT", summary: "Why, for the ledger" },
      { name: "limit", short: "l", value: "N", summary: "history: at most N changes (default 20)" },
      { name: "yes", short: "y", summary: "pin: write without asking" },
      JSON_OUT,
      STORE,
    ],
    notes: [
      "`list FILE` shows each tunable parameter: its value, where that comes from, and what binds it. `explain FILE " +
      "NAME` says who changed it and why. `history FILE [NAME]` lists what was proposed and what became of it.",
      "`set FILE NAME=VALUE...` sets values within the file's bounds. `freeze` and `unfreeze FILE NAME...` keep plugins " +
      "from a parameter. `accept FILE N` and `reject FILE N` answer a change that is held for you. `revert FILE N` takes " +
      "change N back.",
      "`pin FILE [NAME...]` writes the tuned values into the file as its defaults, after it has shown you the difference.",
    ],
    examples: [
      "params list workflow.yaml",
      "params set workflow.yaml batch_size=200 --reason 'new disks'",
      "params revert workflow.yaml 12",
    ],
  },
  {
    name: "plugins",
    summary: "See plugins, replay them, and make and test your own",
    operands: [
      { name: "VERB", kind: "choice", choices: PLUGINS_VERBS },
      { name: "NAME|FILE", kind: "workflow", count: "any" },
    ],
    options: [
      { name: "from", value: "RUN|FILE", summary: "replay: a run, or a file of spans" },
      JSON_OUT,
      STORE,
    ],
    notes: [
      "`list [FILE]` shows the plugins of a workflow, or all of the store: their state, lag, grants and refusals. " +
      "`retry NAME` lets one that was set aside try again. `replay NAME [FILE] --from RUN|FILE` shows what it would have " +
      "done about spans of the past, and changes nothing.",
      "`new NAME` makes a plugin in plugins/ that passes its own test. `test [NAME...]` runs plugins' tests, which may " +
      "read the plugin's folder; what follows `--` is handed on to `deno test`.",
    ],
    examples: [
      "plugins new my_plugin",
      "plugins test my_plugin -- --allow-net",
      "plugins replay my_plugin workflow.yaml --from last",
    ],
  },
  {
    name: "schema",
    summary: "Print the JSON Schema of workflow files",
    operands: [],
    options: [{ name: "settings", summary: "That of spanloop.yaml instead" }],
    examples: ["schema > spanloop.schema.json", "schema --settings > settings.schema.json"],
  },
  {
    name: "completion",
    summary: "Print a shell's completion script",
    operands: [{ name: "SHELL", kind: "choice", choices: ["bash", "zsh", "fish"] }],
    options: [],
    examples: [
      "completion bash > ~/.local/share/bash-completion/completions/spanloop",
      "completion fish > ~/.config/fish/completions/spanloop.fish",
    ],
  },
  {
    name: "help",
    summary: "Show help for a command",
    operands: [{ name: "COMMAND", kind: "choice", count: "optional" }],
    options: [],
    examples: ["help run"],
  },
];

/** The command of that name. */
export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
