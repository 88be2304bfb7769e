/** What the command line does with the registry of conventions: it checks telemetry and makes constants. */
import { messageOf, SpanloopError } from "./core/errors.ts";
import { authorsRegistry, constantsOf, ownRegistry } from "../semconv/author.ts";
import { type Advices, AdviceSummary } from "../semconv/check/advice.ts";
import { TelemetryCheck } from "../semconv/check/check.ts";
import { OPENTELEMETRY } from "../semconv/opentelemetry.ts";
import { RegistryError } from "../semconv/located.ts";
import type { Registry } from "../semconv/model.ts";

export type { Advices } from "../semconv/check/advice.ts";

// As many as the receiver takes of bytes: no request that a collector would take is longer.
const LONGEST_LINE = 64 * 2 ** 20;

/** A file or a folder: where it is, and what it is called in messages. */
export interface Place {
  /** Absolute. */
  readonly path: string;
  /** As the person wrote it. */
  readonly shown: string;
}

/** What a check found. */
export interface CheckedTelemetry {
  /** How many lines were read. */
  readonly lines: number;
  /** What there is to say, violations first. */
  readonly advice: readonly Advices[];
}

/**
 * Holds the telemetry in `files`, each line an export request in OTLP's JSON encoding, against Spanloop's
 * registry, `registries` and OpenTelemetry's own conventions. `strict`: a span or an attribute that no
 * registry has is a violation. Throws SpanloopError for what cannot be read.
 */
export async function checkTelemetry(
  files: readonly Place[],
  options: { readonly registries?: readonly Place[]; readonly strict?: boolean } = {},
): Promise<CheckedTelemetry> {
  const own = await registry(ownRegistry);
  const others: Registry[] = [];
  for (const { path, shown } of options.registries ?? []) {
    others.push(await registry(() => authorsRegistry(folderUrl(path), shown, own)));
  }
  const check = new TelemetryCheck({
    own,
    others,
    facts: OPENTELEMETRY,
    strict: options.strict ?? false,
  });
  const summary = new AdviceSummary();
  let lines = 0;
  for (const file of files) {
    let line = 0;
    for await (const text of linesOf(file)) {
      line++;
      summary.add(check.check(text, file.shown, line));
    }
    lines += line;
  }
  return { lines, advice: summary.list() };
}

/** The text of a module with the constants of the registry in a folder. Throws SpanloopError for its mistakes. */
export async function generateConstants({ path, shown }: Place): Promise<string> {
  return await registry(async () =>
    await constantsOf(
      await authorsRegistry(folderUrl(path), shown, await ownRegistry()),
      shown,
    )
  );
}

async function registry<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new SpanloopError(error.code, error.message, { exitCode: 2, cause: error });
  }
}

function folderUrl(path: string): URL {
  const url = new URL("file:///");
  url.pathname = `${path.replace(/\/*$/, "")}/`.replaceAll("%", "%25");
  return url;
}

async function* linesOf({ path, shown }: Place): AsyncGenerator<string> {
  const file = await open(path).catch((error) => {
    const why = error instanceof Deno.errors.NotFound ? "it does not exist" : messageOf(error);
    throw new SpanloopError("file.unreadable", `Cannot read ${shown}: ${why}`, {
      exitCode: 2,
      cause: error,
    });
  });
  let parts: string[] = [];
  let length = 0;
  let number = 0;
  for await (const chunk of file.readable.pipeThrough(new TextDecoderStream())) {
    const lines = chunk.split("\n");
    for (const [i, text] of lines.entries()) {
      parts.push(text);
      length += text.length;
      if (length > LONGEST_LINE) {
        throw new SpanloopError(
          "file.unreadable",
          `Cannot read ${shown}: line ${number + 1} has more than ${LONGEST_LINE} characters; ` +
            "write one export request a line",
          { exitCode: 2 },
        );
      }
      if (i === lines.length - 1) break; // the line may go on in the next chunk
      yield parts.join("");
      number++;
      parts = [];
      length = 0;
    }
  }
  if (length > 0) yield parts.join("");
}

async function open(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(path);
  if (!(await file.stat()).isDirectory) return file;
  file.close();
  throw new TypeError("it is a folder");
}
