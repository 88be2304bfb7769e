/** A process whose stderr is read line by line. */
export interface SpokenProcess {
  /** The process's id. */
  readonly pid: number;
  /** The lines so far. */
  readonly lines: readonly string[];
  /** Resolves with the first match among the lines to come. Throws with what was said when there is none. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends it a signal, the first time; resolves with its stdout once it has ended. Throws when that is not with 0. */
  end(signal: Deno.Signal): Promise<string>;
}

/** Starts it; `command` pipes stdout and stderr. */
export function speak(command: Deno.Command): SpokenProcess {
  const child = command.spawn();
  const stdout = new Response(child.stdout).text();
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  const lines: string[] = [];
  let rest = "";
  const more = async (): Promise<readonly string[] | undefined> => {
    const { value, done } = await reader.read();
    if (done) return undefined;
    const parts = (rest + value).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
    return parts;
  };
  let ended: Promise<string> | undefined;
  return {
    pid: child.pid,
    lines,
    async until(pattern) {
      for (let some: readonly string[] | undefined = []; some !== undefined; some = await more()) {
        for (const line of some) {
          const match = pattern.exec(line);
          if (match !== null) return match;
        }
      }
      throw new Error(`It ended before it said ${pattern}:\n${lines.join("\n")}`);
    },
    end(signal) {
      return ended ??= (async () => {
        child.kill(signal);
        while (await more() !== undefined);
        const { code, signal: killed } = await child.status;
        if (code !== 0) {
          throw new Error(
            `It ended with ${killed ?? code}, not in good order:\n${lines.join("\n")}`,
          );
        }
        return await stdout;
      })();
    },
  };
}
