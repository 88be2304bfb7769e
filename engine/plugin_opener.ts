import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { SPANLOOP_PLUGIN_NAME } from "../semconv/attributes.ts";
import { EVENT_SPANLOOP_PLUGIN_OUTPUT } from "../semconv/events.ts";
import type { Clock } from "./core/clock.ts";
import { StoreError } from "./core/errors.ts";
import type { Json } from "./core/json.ts";
import type { Logger } from "./core/log.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import type { Store } from "./core/store.ts";
import type { Workflow } from "./core/workflow.ts";
import { checkConfig } from "./host/config.ts";
import { effectiveGrant, reaches } from "./host/grant.ts";
import { inProcess } from "./host/in_process.ts";
import type { Opened } from "./host/instance.ts";
import { LINK_LIMITS, type LinkLimits, PluginLink } from "./host/link.ts";
import { PluginError } from "./host/plugin_error.ts";
import type { Channel, PluginDescription, Question } from "./host/protocol.ts";
import { querySpans } from "./host/query.ts";
import type { SandboxMemory } from "./host/sandbox.ts";
import { tunableParameters } from "./host/tunable.ts";
import { EXPERIMENTS, measuredOf } from "./experiments.ts";
import { findPlugin, placePlugin, type PluginPlace } from "./plugin_places.ts";
import { denoProcess } from "./system.ts";
import { version } from "./version.ts";

/** What a plugin may take, where that is not what LINK_LIMITS and SANDBOX_MEMORY say. */
export interface PluginLimits {
  /** Of time. */
  readonly time?: Partial<LinkLimits>;
  /** Of memory, in a sandbox. */
  readonly memory?: SandboxMemory;
}

/** What opening plugins needs. */
export interface OpenerPorts {
  /** Where plugins' questions are answered from. */
  readonly store: Pick<
    Store,
    "runs" | "run" | "read" | "emitted" | "snapshot" | "ledger" | "files"
  >;
  /** Time. */
  readonly clock: Clock;
  /** Where their lines go. */
  readonly log: Logger;
  /** The process's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** A workflow as its file says it now; undefined for one that is not known. */
  readonly contract: (workflow: string) => Promise<Workflow | undefined>;
  /** Other limits than those that hold, which tests set. */
  readonly limits?: (use: PluginUse) => PluginLimits;
}

/** Opens plugins: finds and loads them, in process or in a sandbox, and checks their configuration. */
export class PluginOpener {
  readonly #ports: OpenerPorts;
  // A module that is imported in this process again must have another URL.
  #generation = 0;

  /** Uses the engine's ports. */
  constructor(ports: OpenerPorts) {
    this.#ports = ports;
  }

  /**
   * Opens a plugin as it is used; it is told that what is tuned is what `tuned` says. Throws PluginError and
   * InvalidError, a sentence each.
   */
  async open(use: PluginUse, tuned: Pick<Store, "snapshot"> = this.#ports.store): Promise<Opened> {
    if (use.use === EXPERIMENTS) return await this.#openExperiments(use);
    const place = placePlugin(use);
    const { clock, limits } = this.#ports;
    const { time, memory } = limits?.(use) ?? {};
    const say = (line: string) => this.#log(use, line);
    const link: PluginLink = new PluginLink(await this.#channel(use, place, memory), {
      clock,
      answer: (question) => this.#answer(use, link, question, tuned),
      onLog: say,
    }, { ...LINK_LIMITS, ...time });
    try {
      const description = await link.load(this.#urlOf(place));
      checkName(use, description);
      const { config } = await configOf(use, description);
      this.#descriptions.set(link, { description, own: isOwn(place) });
      return {
        link,
        description,
        config,
        own: isOwn(place),
        isolation: place.trusted ? "in process" : "sandbox",
        fingerprint: fingerprintOf(use, place),
      };
    } catch (thrown) {
      await link.close();
      throw thrown;
    }
  }

  // The engine's own, which is no file and asks the engine itself.
  async #openExperiments(use: PluginUse): Promise<Opened> {
    const { clock, store, contract } = this.#ports;
    const { experimenter } = await import("./host/experimenter.ts");
    const workflow = use.workflow!;
    const definition = experimenter(measuredOf(use), {
      workflow,
      // Whoever edits the file is not to stop what measures: until it holds again nothing is said.
      contract: () =>
        contract(workflow).catch((thrown) => {
          if (thrown instanceof StoreError) throw thrown;
          return undefined;
        }),
      store,
    });
    const channel = inProcess({
      monotonic: () => clock.monotonic(),
      load: () => Promise.resolve({ default: definition }),
    });
    const link = new PluginLink(channel, {
      clock,
      answer: () => Promise.reject(new PluginError("plugin.protocol", "It asks the engine itself")),
      onLog: (line) => this.#log(use, line),
    });
    return {
      link,
      description: await link.load(EXPERIMENTS),
      config: {},
      own: true,
      engine: true,
      isolation: "in process",
      fingerprint: createHash("sha256").update(JSON.stringify([version(), use.with])).digest("hex"),
    };
  }

  readonly #descriptions = new WeakMap<
    PluginLink,
    { readonly description: PluginDescription; readonly own: boolean }
  >();

  /** Whether one of these files belongs to the plugin. */
  isOf(use: PluginUse, paths: readonly string[]): boolean {
    const place = findPlugin(use);
    return "folder" in place &&
      paths.some((path) => path === place.path || path.startsWith(`${dirname(place.path)}/`));
  }

  async #channel(use: PluginUse, place: PluginPlace, memory?: SandboxMemory): Promise<Channel> {
    const { clock, environment, store } = this.#ports;
    if (place.trusted) return inProcess({ monotonic: () => clock.monotonic() });
    const { sandbox } = await import("./host/sandbox.ts");
    return await sandbox({
      ...denoProcess(environment),
      id: [...store.files, use.workflow ?? "", use.name, use.use].join("\n"),
      module: place.kind === "npm" ? place.specifier : place.path,
      folder: use.folder,
      permissions: use.grant?.permissions ?? {},
      memory,
      clock,
      environment,
      platform: Deno.build.os,
      store: store.files,
    });
  }

  #urlOf(place: PluginPlace): string {
    if (place.kind === "npm") return place.specifier;
    const url = pathToFileURL(place.path);
    if (place.trusted && ++this.#generation > 1) url.search = `?spanloop=${this.#generation}`;
    return url.href;
  }

  async #answer(
    use: PluginUse,
    link: PluginLink,
    question: Question,
    tuned: Pick<Store, "snapshot">,
  ): Promise<Json> {
    const { store, contract } = this.#ports;
    const known = this.#descriptions.get(link);
    if (known === undefined) throw new PluginError("plugin.protocol", "Ask in a handler");
    const { see, workflows, external } = effectiveGrant(use, known.own, known.description);
    const name = question.workflow;
    if (question.ask === "query") {
      const sees = { plugin: use.name, workflow: use.workflow, see, workflows, external };
      const at = BigInt(Math.floor(question.now * 1e9));
      return await querySpans(store, question.query, {
        sees,
        workflow: name,
        at,
      }) as unknown as Json;
    }
    if (name === undefined) {
      throw new PluginError("plugin.protocol", "Name a workflow: `parameters(workflow)`");
    }
    if (!reaches(use.workflow, { workflows }, name)) {
      throw new PluginError("plugin.protocol", `${use.workflow} uses it, not ${name}`);
    }
    const workflow = await contract(name);
    if (workflow === undefined) {
      throw new PluginError("plugin.protocol", `There is no workflow ${name} in this store`);
    }
    return tunableParameters(workflow, await tuned.snapshot(name)) as unknown as Json;
  }

  #log({ name, workflow }: PluginUse, line: string): void {
    this.#ports.log.log({
      severity: "info",
      body: line,
      eventName: EVENT_SPANLOOP_PLUGIN_OUTPUT,
      attributes: { [SPANLOOP_PLUGIN_NAME]: name },
      ...workflow === undefined ? {} : { workflow },
    });
  }
}

function checkName(use: PluginUse, { name }: PluginDescription): void {
  if (name === use.name) return;
  throw new PluginError(
    "plugin.definition",
    `${use.use} defines a plugin named ${name}, and its folder or file is called ${use.name}; ` +
      "give both the same name",
  );
}

async function configOf(use: PluginUse, { config: schema }: PluginDescription) {
  const checked = await checkConfig(schema, use.with);
  if ("config" in checked) return checked;
  throw new PluginError(
    "plugin.definition",
    `its configuration does not hold: ${
      checked.problems.join("; ")
    } (\`with:\` in ${use.file}:${use.line})`,
  );
}

function isOwn(place: PluginPlace): boolean {
  return place.kind === "file" && place.own;
}

// Changes with whatever may mend a plugin that was set aside.
function fingerprintOf(use: PluginUse, place: PluginPlace): string {
  const hash = createHash("sha256").update(JSON.stringify([use.with, use.grant ?? null, use.use]));
  if (place.kind === "file") hash.update(readFileSync(place.path));
  return hash.digest("hex");
}
