import { type Command, COMMANDS, HELP, type Operand, type Option } from "./table.ts";
import type { Style } from "./style.ts";
import { pad, wrap } from "./text.ts";

/** The page of all commands. */
export function overview(style: Style): string[] {
  const name = Math.max(...COMMANDS.map((command) => signature(command).length)) + 2;
  return [
    "Spanloop runs workflows that are traced and restartable, and finds better values for them.",
    "",
    `${style.bold("Usage:")} spanloop COMMAND [options]`,
    "",
    style.bold("Commands:"),
    ...COMMANDS.map((command) => `  ${pad(signature(command), name)}${command.summary}`),
    "",
    style.bold("Options:"),
    "  -h, --help     Show help, for a command after its name",
    "      --version  Print the version",
    "",
    "Environment: SPANLOOP_STORE, SPANLOOP_PARAM_NAME, NO_COLOR, SPANLOOP_DEBUG=1 (stack traces).",
  ];
}

/** A command's page, no wider than `columns`. */
export function page(command: Command, style: Style, columns = 80): string[] {
  const options = [...command.options, HELP];
  const left = Math.max(...options.map((option) => spelling(option).length)) + 4;
  return [
    `${command.summary}.`,
    "",
    `${style.bold("Usage:")} spanloop ${signature(command)} [options]`,
    ...(command.notes ?? []).flatMap((note) => ["", ...wrap(note, columns)]),
    "",
    style.bold("Options:"),
    ...options.flatMap((option) =>
      wrap(option.summary, Math.max(24, columns - left)).map((line, index) =>
        pad(index === 0 ? `  ${spelling(option)}` : "", left) + line
      )
    ),
    "",
    style.bold(command.examples.length === 1 ? "Example:" : "Examples:"),
    ...command.examples.map((example) => `  spanloop ${example}`),
  ];
}

function signature(command: Command): string {
  return [command.name, ...command.operands.map(operand)].join(" ");
}

function operand({ name, count }: Operand): string {
  if (count === "optional") return `[${name}]`;
  if (count === "any") return `[${name}...]`;
  return count === "some" ? `${name}...` : name;
}

function spelling({ short, name, value, repeat }: Option): string {
  return `${short === undefined ? "    " : `-${short}, `}--${name}` +
    (value === undefined ? "" : ` ${value}`) + (repeat ? "..." : "");
}
