import { type Command, COMMANDS, HELP, type Operand, type Option } from "./table.ts";

/** Shells that completion scripts can be made for. */
export type Shell = "bash" | "zsh" | "fish";

/** A shell's completion script, made from the table of commands. */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case "bash":
      return bash();
    case "zsh":
      return zsh();
    case "fish":
      return fish();
  }
}

const names = COMMANDS.map(({ name }) => name);
const optionsOf = (command: Command): readonly Option[] => [...command.options, HELP];
const takesFile = ({ name }: Option): boolean => ["params", "token-file", "out"].includes(name);
const choicesOf = ({ name, choices }: Operand): readonly string[] =>
  choices ?? (name === "COMMAND" ? names : []);
// What only the workflow file knows is not offered.
const isOffered = (operand: Operand): boolean =>
  operand.kind !== "choice" || choicesOf(operand).length > 0;

function bash(): string {
  const values = COMMANDS.flatMap((command) =>
    optionsOf(command).filter(({ value }) => value !== undefined).map((option) => {
      const spellings = [
        `--${option.name}`,
        ...option.short === undefined ? [] : [`-${option.short}`],
      ];
      const pattern = spellings.map((spelling) => `${command.name}:${spelling}`).join("|");
      const words = takesFile(option)
        ? "__spanloop_files -f"
        : `__spanloop_words ${(option.choices ?? []).join(" ")}`;
      return `    ${pattern}) ${words}; return ;;`;
    })
  );
  const operands = COMMANDS.map((command) => {
    const flags = optionsOf(command).map(({ name }) => `--${name}`).join(" ");
    const sources = [...new Set(command.operands.filter(isOffered).map(bashOperand))];
    return [
      `    ${command.name})`,
      `      if [[ $cur == -* ]]; then __spanloop_words ${flags}`,
      ...sources.length === 0 ? [] : [`      else ${sources.join("; ")}`],
      `      fi ;;`,
    ].join("\n");
  });
  return `# bash completion for spanloop
__spanloop_words() {
  local word
  for word; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done
}
__spanloop_files() {
  local path
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$@" -- "$cur")
  compopt -o filenames 2>/dev/null
}
_spanloop() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    __spanloop_words ${names.join(" ")} --help --version
    return
  fi
  case "$command:$prev" in
${values.join("\n")}
  esac
  case "$command" in
${operands.join("\n")}
  esac
}
complete -F _spanloop spanloop
`;
}

function bashOperand(operand: Operand): string {
  switch (operand.kind) {
    case "workflow":
      return "__spanloop_files -f -X '!*.yaml'; __spanloop_files -f -X '!*.yml'; __spanloop_files -d";
    case "folder":
      return "__spanloop_files -d";
    case "run":
      return "__spanloop_words last";
    case "choice":
      return `__spanloop_words ${choicesOf(operand).join(" ")}`;
  }
}

function zsh(): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const inBrackets = (text: string) => text.replace(/[[\]:\\]/g, "\\$&");
  const option = (entry: Option) => {
    const action = takesFile(entry) ? "_files" : `(${(entry.choices ?? []).join(" ")})`;
    const rest = `[${inBrackets(entry.summary)}]` +
      (entry.value === undefined ? "" : `:${entry.value}:${action}`);
    const star = entry.repeat ? "*" : "";
    const spellings = [
      `--${entry.name}${entry.value === undefined ? "" : "="}`,
      ...entry.short === undefined ? [] : [`-${entry.short}`],
    ];
    return spellings.map((spelling) => quoted(`${star}${spelling}${rest}`));
  };
  const operand = (entry: Operand, index: number) => {
    const action = entry.kind === "workflow"
      ? '_files -g "*.(yaml|yml)"'
      : entry.kind === "folder"
      ? "_files -/"
      : entry.kind === "run"
      ? "(last)"
      : `(${choicesOf(entry).join(" ")})`;
    return quoted(
      `${
        entry.count === "some" || entry.count === "any" ? "*" : index + 1
      }:${entry.name}:${action}`,
    );
  };
  const cases = COMMANDS.map((command) =>
    [
      `    ${command.name}) _arguments -s`,
      ...optionsOf(command).flatMap(option),
      ...command.operands.map(operand),
    ].join(" \\\n      ") + " ;;"
  );
  return `#compdef spanloop
_spanloop() {
  local -a commands
  commands=(
${COMMANDS.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == _spanloop ]]; then _spanloop "$@"; else compdef _spanloop spanloop; fi
`;
}

function fish(): string {
  const quoted = (text: string) => `'${text.replace(/['\\]/g, "\\$&")}'`;
  const lines = ["# fish completion for spanloop", "complete -c spanloop -f"];
  for (const command of COMMANDS) {
    lines.push(
      `complete -c spanloop -n __fish_use_subcommand -a ${command.name} -d ${
        quoted(command.summary)
      }`,
    );
    const seen = `complete -c spanloop -n ${quoted(`__fish_seen_subcommand_from ${command.name}`)}`;
    for (const entry of optionsOf(command)) {
      lines.push(
        `${seen}${entry.short === undefined ? "" : ` -s ${entry.short}`} -l ${entry.name}` +
          (entry.value === undefined ? "" : takesFile(entry) ? " -rF" : " -x") +
          (entry.choices === undefined ? "" : ` -a ${quoted(entry.choices.join(" "))}`) +
          ` -d ${quoted(entry.summary)}`,
      );
    }
    const offered = command.operands.filter(isOffered);
    for (const operand of new Map(offered.map((entry) => [entry.kind, entry])).values()) {
      lines.push(
        `${seen} ${
          operand.kind === "workflow"
            ? "-F"
            : operand.kind === "folder"
            ? "-a '(__fish_complete_directories)'"
            : `-a ${quoted(operand.kind === "run" ? "last" : choicesOf(operand).join(" "))}`
        }`,
      );
    }
  }
  return lines.join("\n") + "\n";
}
