import { nearest } from "../core/diagnostic.ts";
import { SpanloopError } from "../core/errors.ts";
import { type Command, COMMANDS, findCommand, HELP, type Option } from "./table.ts";

/** A command line, taken apart by the command's table entry. */
export interface Arguments {
  /** The command. */
  readonly command: Command;
  /** What it works on, in order. */
  readonly operands: readonly string[];
  /** Whether a switch was given. */
  flag(name: string): boolean;
  /** An option's value; the last one, when it was given more than once. */
  value(name: string): string | undefined;
  /** All values of an option, in order. */
  all(name: string): readonly string[];
}

/** A misuse of the command line: exit code 2. */
export class UsageError extends SpanloopError {
  /** `message` says what is wrong; `command`, if known, whose help to point at. */
  constructor(message: string, command?: string) {
    const where = command === undefined ? "spanloop --help" : `spanloop ${command} --help`;
    const see = message.endsWith("?") ? " See" : "; see";
    super("usage", `${message}${see} \`${where}\``, { exitCode: 2 });
  }
}

/** Finds the command that `name` means. Throws UsageError with the nearest one. */
export function commandOf(name: string): Command {
  const command = findCommand(name);
  if (command !== undefined) return command;
  if (name.startsWith("-")) throw new UsageError(`There is no option ${name} before a command`);
  const near = /\.ya?ml$/.test(name)
    ? `run ${name}`
    : nearest(name, COMMANDS.map((candidate) => candidate.name));
  throw new UsageError(
    `There is no command \`${name}\`${near === undefined ? "" : `; did you mean \`${near}\`?`}`,
  );
}

/**
 * Takes apart what follows the command's name: `--name value`, `--name=value`, `-n value`, `-nvalue`, `--` ends
 * the options. With `--help` nothing else is checked. Throws UsageError.
 */
export function parseArguments(command: Command, args: readonly string[]): Arguments {
  const options = [...command.options, HELP];
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  const rest = [...args];
  const wrong = (message: string) => new UsageError(message, command.name);
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--") {
      operands.push(...rest.splice(0));
    } else if (arg === "-" || !arg.startsWith("-")) {
      operands.push(arg);
    } else {
      const [option, attached] = find(arg, options, wrong);
      if (option.value === undefined) {
        if (attached !== undefined && !arg.startsWith("--")) rest.unshift(`-${attached}`);
        else if (attached !== undefined) throw wrong(`--${option.name} takes no value`);
        values.set(option.name, []);
        continue;
      }
      const given = attached ?? rest.shift();
      if (given === undefined) throw wrong(`--${option.name} needs a value: ${option.value}`);
      checkChoice(option, given, wrong);
      const before = values.get(option.name);
      if (before !== undefined && !option.repeat) throw wrong(`--${option.name} was given twice`);
      values.set(option.name, [...before ?? [], given]);
    }
  }
  if (!values.has("help")) checkOperands(command, operands, wrong);
  return {
    command,
    operands,
    flag: (name) => values.has(name),
    value: (name) => values.get(name)?.at(-1),
    all: (name) => values.get(name) ?? [],
  };
}

// What a parameter's value written as an option of its own, or as nothing, was meant to be.
function parameterMeant(text: string, options: readonly Option[]): string | undefined {
  const known = options.some(({ name }) => name === "param");
  const value = /^[A-Za-z_][\w-]*=/.test(text);
  return known && value ? `param ${text}` : undefined;
}

type Wrong = (message: string) => UsageError;

function find(
  arg: string,
  options: readonly Option[],
  wrong: Wrong,
): readonly [Option, string | undefined] {
  if (!arg.startsWith("--")) {
    const option = options.find(({ short }) => short === arg[1]);
    if (option === undefined) throw wrong(`There is no option -${arg[1]}`);
    const attached = arg.slice(2).replace(/^=/, "");
    return [option, arg.length === 2 ? undefined : attached];
  }
  const [name, ...after] = arg.slice(2).split("=");
  const option = options.find((candidate) => candidate.name === name);
  if (option !== undefined) return [option, after.length === 0 ? undefined : after.join("=")];
  // `nearest` reads dashes as underscores, as names in workflow files are written.
  const names = new Map(options.map((known) => [known.name.replaceAll("-", "_"), known.name]));
  const near = names.get(nearest(name, names.keys()) ?? "") ??
    parameterMeant([name, ...after].join("="), options);
  const hint = near === undefined ? "" : `; did you mean \`--${near}\`?`;
  throw wrong(`There is no option --${name}${hint}`);
}

function checkChoice(option: Option, given: string, wrong: Wrong): void {
  if (option.choices === undefined || option.choices.includes(given)) return;
  const near = nearest(given, option.choices);
  throw wrong(
    `--${option.name} takes ${option.choices.join(", ")}, not \`${given}\`` +
      (near === undefined ? "" : `; did you mean \`${near}\`?`),
  );
}

function checkOperands(command: Command, operands: readonly string[], wrong: Wrong): void {
  const needed = command.operands.filter(({ count }) => count !== "optional" && count !== "any");
  if (operands.length < needed.length) {
    throw wrong(
      `\`${command.name}\` needs ${
        needed.slice(operands.length).map(({ name }) => name).join(" and ")
      }`,
    );
  }
  const some = command.operands.some(({ count }) => count === "some" || count === "any");
  if (!some && operands.length > command.operands.length) {
    const extra = operands[command.operands.length];
    const meant = parameterMeant(extra, command.options);
    const hint = meant === undefined ? "" : `; did you mean \`--${meant}\`?`;
    throw wrong(`\`${command.name}\` does not know what to do with \`${extra}\`${hint}`);
  }
}
