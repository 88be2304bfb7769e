import { readFileSync } from "node:fs";
import { messageOf, SpanloopError } from "../core/errors.ts";
import type { ReceiverAddress } from "../core/received.ts";
import { type Arguments, UsageError } from "./arguments.ts";
import { absolute, type Caller } from "./caller.ts";

/** OTLP/HTTP's port. */
export const OTLP_PORT = 4318;

/** Where to listen: `[HOST:]PORT`, an IPv6 address in brackets; without a host this machine alone is reached. */
export function addressOf(
  text: string,
  args: Arguments,
): Pick<ReceiverAddress, "host" | "port"> {
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(text);
  const host = match?.[1]?.replace(/^\[(.*)\]$/, "$1") ?? "127.0.0.1";
  if (match === null || Number(match[2]) > 65_535 || host.includes(":") && !text.startsWith("[")) {
    throw new UsageError(
      `--otlp takes a port or HOST:PORT, such as 4318 or 127.0.0.1:4318, not \`${text}\``,
      args.command.name,
    );
  }
  return { host, port: Number(match[2]) };
}

/** A port. */
export function portOf(args: Arguments): number {
  const given = args.value("port") ?? String(OTLP_PORT);
  if (/^\d{1,5}$/.test(given) && Number(given) <= 65_535) return Number(given);
  throw new UsageError(
    `--port takes a number from 0 to 65535, not \`${given}\``,
    args.command.name,
  );
}

/** The token that senders must show: from a variable or a file, since a command line is seen by others. */
export function tokenOf(args: Arguments, caller: Caller): { readonly token?: string } {
  const [name, file] = [args.value("token-env"), args.value("token-file")];
  if (name !== undefined && file !== undefined) {
    throw new UsageError("Give --token-env or --token-file, not both", args.command.name);
  }
  if (name !== undefined) return { token: usable(caller.env(name), `The variable ${name}`) };
  if (file !== undefined) return { token: usable(read(absolute(caller, file), file), file) };
  return {};
}

function read(path: string, display: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (thrown) {
    throw new SpanloopError("receive.token", `Cannot read ${display}: ${messageOf(thrown)}`, {
      exitCode: 2,
      cause: thrown,
    });
  }
}

function usable(token: string | undefined, where: string): string {
  // What a header cannot carry would never match.
  if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new SpanloopError(
    "receive.token",
    token === undefined || token === ""
      ? `${where} has no token; put one there, or receive without one`
      : `${where} has a token that no header can carry; use letters, digits and punctuation`,
    { exitCode: 2 },
  );
}
