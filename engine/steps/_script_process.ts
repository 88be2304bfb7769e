/** Runs a script in a Deno process of its own, with permissions or packages of its own. */
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { StepError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import type { AttemptContext, StepResult } from "../core/step.ts";
import { denoArguments, fetchArguments, registryVariables } from "../sandbox/deno.ts";
import { findConfig, importMap } from "../sandbox/modules.ts";
import { permissionFlags, refuseLinksOut } from "../sandbox/permissions.ts";
import { runChild, withContext } from "./_child.ts";
import { markers } from "./_process.ts";
import { importError, inScriptsWords, SCRIPT, threwError } from "./_script_error.ts";
import { noDefaultExport, stateOf } from "./_script_modules.ts";
import { scriptResult } from "./_script_outputs.ts";
import { FRAME, LineReader, Tail } from "./_stream.ts";
import type { StepPorts } from "./ports.ts";
import type { ScriptAnswer, ScriptTask } from "./script_child.ts";
import { PROCESS_EXIT_CODE } from "../../semconv/attributes.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BOOTSTRAP = join(ROOT, "engine/steps/script_child.ts");
// What `spanloop` exports comes from here; a script may read it as it may import it.
const CORE = join(ROOT, "engine/core");

/** Runs a script with all permissions, and with the packages of the deno.json or package.json near it. */
export async function runWithPackages(
  ports: StepPorts,
  path: string,
  context: AttemptContext,
): Promise<StepResult> {
  const { INIT_CWD: _, ...inherited } = ports.environment;
  const config = findConfig(path);
  const carried = await ports.propagation.environment(context);
  return await runScript(ports, path, context, {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      "--allow-all",
      ...(config?.includes("deno.json") ? ["--config", config] : ["--no-config", "--no-lock"]),
      `--import-map=${inScriptsWords(() => importMap(config, ports.library))}`,
      BOOTSTRAP,
    ],
    env: withContext({ ...inherited, ...context.env }, carried),
  });
}

/**
 * Runs a script with only the permissions that its step lists: no remote code, no configuration but the
 * import map of the deno.json near it, an environment of what `permissions.env` lists, and caches of its
 * own. It may read its own folder. npm packages that it imports are fetched before it starts, once.
 */
export async function runWithPermissions(
  ports: StepPorts,
  path: string,
  context: AttemptContext,
): Promise<StepResult> {
  stateOf(path);
  const { permissions } = context.with;
  if (!isObject(permissions)) {
    throw new StepError(
      "step.input",
      "`permissions` must be a map such as { read: [data], net: [api.example.com] }; {} grants nothing",
    );
  }
  // A script that may read TRACEPARENT reads its own.
  const environment = withContext(
    { ...ports.environment, ...context.env },
    await ports.propagation.environment(context),
  );
  const { granted, map } = inScriptsWords(() => {
    const granted = permissionFlags(permissions, SCRIPT, {
      folder: context.folder,
      always: [dirname(path), fileURLToPath(ports.library), CORE],
      environment,
    });
    const { cacheFolder: skip, store: denied } = ports;
    const readable = permissions.read === true || granted.read;
    refuseLinksOut(dirname(path), { readable, denied, skip }, SCRIPT);
    return { granted, map: importMap(findConfig(path), ports.library, { bare: true }) };
  });
  const env = {
    ...registryVariables(ports.environment),
    ...granted.env,
    DENO_DIR: join(ports.cacheFolder, "scripts"),
    NO_COLOR: "1",
  };
  // Other runs' inputs and outputs stand in the store.
  const flags = denoArguments({ granted: granted.flags, map, denied: ports.store });
  const request = { args: [...flags, BOOTSTRAP], env };
  try {
    return await runScript(ports, path, context, request);
  } catch (error) {
    if (!(error instanceof NotCached)) throw error;
  }
  await fetchPackages(ports, path, context, map, env.DENO_DIR);
  return await runScript(ports, path, context, request);
}

// Only Deno itself sees the engine's environment here (proxies, certificates).
async function fetchPackages(
  ports: StepPorts,
  path: string,
  context: AttemptContext,
  map: string,
  cache: string,
): Promise<void> {
  const tail = new Tail();
  const err = new LineReader((line) => tail.add(line), (text) => context.mask(text));
  const { status } = await runChild(ports, context, {
    command: ports.deno,
    args: fetchArguments(map, [path]),
    env: { ...ports.environment, DENO_DIR: cache, NO_COLOR: "1", ...marked(ports, context) },
    cwd: context.folder,
    stdout: () => {},
    stderr: (bytes) => err.push(bytes),
  });
  err.end();
  if (status.success) return;
  throw new StepError(
    "script.fetch",
    `Cannot fetch the packages that the script ${path} imports; is the registry reachable?`,
    { errorClass: "transient", tail: tail.text((text) => context.mask(text)) },
  );
}

/** The module needs a package that is not in the cache yet. */
class NotCached extends StepError {}

async function runScript(
  ports: StepPorts,
  path: string,
  context: AttemptContext,
  child: { readonly args: string[]; readonly env: Record<string, string> },
): Promise<StepResult> {
  const mask = (text: string) => context.mask(text);
  const tail = new Tail();
  let answer: string | undefined;
  const reader = (stream: "stdout" | "stderr") =>
    new LineReader(
      (line) => {
        tail.add(line);
        context.line(stream, line);
      },
      mask,
      stream === "stdout" ? { frame: (text) => answer = text } : {},
    );
  const out = reader("stdout");
  const err = reader("stderr");
  const { status } = await runChild(ports, context, {
    command: ports.deno,
    args: child.args,
    env: { ...child.env, ...marked(ports, context) },
    cwd: context.cwd,
    stdin: new TextEncoder().encode(JSON.stringify(taskOf(path, context))),
    stdout: (bytes) => out.push(bytes),
    stderr: (bytes) => err.push(bytes),
  });
  out.end();
  err.end();
  const last = tail.text(mask);
  if (answer === undefined) throw endedItself(status, last);
  const result = resultOf(JSON.parse(answer), path, context, last, ports.store);
  const attributes = { [PROCESS_EXIT_CODE]: status.code };
  return { ...result, attributes, ...(last === undefined ? {} : { tail: last }) };
}

function taskOf(path: string, context: AttemptContext): ScriptTask {
  const { module: _module, permissions: _permissions, ...rest } = context.with;
  return {
    url: pathToFileURL(path).href,
    frame: FRAME,
    context: {
      items: context.batch?.items ?? [],
      with: rest,
      params: context.params,
      attempt: context.attempt,
      idempotencyKey: context.idempotencyKey,
      cwd: context.cwd,
    },
  };
}

function resultOf(
  answer: ScriptAnswer,
  path: string,
  context: AttemptContext,
  tail: string | undefined,
  store: readonly string[],
): StepResult {
  if ("failed" in answer) {
    const failure = answer.failed === "run"
      ? threwError(answer, context.folder, undefined, store)
      : importError(path, answer, context.folder);
    const uncached = answer.failed === "import" &&
      /not found in cache|--cached-only/.test(answer.message);
    throw new (uncached ? NotCached : StepError)(failure.code, context.mask(failure.message), {
      errorClass: failure.errorClass,
      tail,
    });
  }
  if ("returned" in answer) {
    if (answer.returned === "no default export") throw noDefaultExport(path);
    throw new StepError(
      "script.outputs",
      `The script returned what JSON cannot carry: ${context.mask(answer.returned)}`,
      { tail },
    );
  }
  return scriptResult(answer.outputs, context.batch?.size);
}

function endedItself(status: Deno.CommandStatus, tail: string | undefined): StepError {
  const how = status.signal === null ? `with code ${status.code}` : `by ${status.signal}`;
  return new StepError(
    "script.exit",
    `The script's process ended ${how} before it returned; it should return its outputs or throw`,
    {
      tail,
      ...(status.signal === null ? { attributes: { [PROCESS_EXIT_CODE]: status.code } } : {}),
    },
  );
}

function marked(ports: StepPorts, context: AttemptContext): Record<string, string> {
  return markers(context.span.spanId, ports.environment);
}
