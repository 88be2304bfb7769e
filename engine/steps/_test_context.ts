/** What the tests of step types share: ports of this process, and an attempt's context made by hand. */
import { tmpdir } from "node:os";
import type { Clock } from "../core/clock.ts";
import { Masker } from "../core/mask.ts";
import type { JsonObject } from "../core/json.ts";
import type { LocalContext, Propagation } from "../core/propagation.ts";
import type { AttemptContext } from "../core/step.ts";
import type { StepPorts } from "./ports.ts";

const PREFIX = "spanloop-steps-";

/** This machine's clock. */
export const clock: Clock = {
  now: () => BigInt(Date.now()) * 1_000_000n,
  monotonic: () => performance.now(),
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};

// What this layer cannot import; tests/e2e has the real one.
class PlainPropagation implements Propagation {
  extract() {
    return Promise.resolve({});
  }

  reference({ span, traceFlags = 1 }: LocalContext) {
    return { ...span, traceFlags };
  }

  headers(context: LocalContext) {
    const { traceId, spanId, traceFlags } = this.reference(context);
    const { traceState, baggage } = context;
    return Promise.resolve({
      traceparent: `00-${traceId}-${spanId}-0${traceFlags}`,
      ...(traceState === undefined ? {} : { tracestate: traceState }),
      ...(baggage === undefined ? {} : { baggage }),
    });
  }

  async environment(context: LocalContext) {
    const headers: Record<string, string> = await this.headers(context);
    return {
      TRACEPARENT: headers.traceparent,
      TRACESTATE: headers.tracestate,
      BAGGAGE: headers.baggage,
    };
  }
}

/** Ports of this process; caches go to `folder`. */
export function testPorts(folder: string, changes: Partial<StepPorts> = {}): StepPorts {
  return {
    clock,
    environment: Deno.env.toObject(),
    platform: Deno.build.os,
    deno: Deno.execPath(),
    library: new URL("../../mod.ts", import.meta.url).href,
    pid: Deno.pid,
    cacheFolder: `${folder}/cache`,
    store: [`${folder}/.spanloop/store.db`, `${folder}/.spanloop/store.db.d`],
    propagation: new PlainPropagation(),
    runPluginStep: () => Promise.reject(new Error("No plugin is used here")),
    ...changes,
  };
}

/** A context with what it reported; `abort` aborts its signal. */
export interface TestAttempt {
  /** The context to hand to a step type. */
  readonly context: AttemptContext;
  /** Lines as `out: text` and `err: text`. */
  readonly lines: string[];
  /** Aborts the attempt. */
  abort(reason?: unknown): void;
}

/** Makes an attempt in `folder` with the step's `with:`. */
export function attempt(
  folder: string,
  inputs: JsonObject,
  changes: Partial<AttemptContext> & { readonly secrets?: readonly string[] } = {},
): TestAttempt {
  const { secrets = [], ...rest } = changes;
  const controller = new AbortController();
  const masker = new Masker(secrets);
  const lines: string[] = [];
  const spanId = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  const refuse = () => Promise.reject(new Error("not offered in this test"));
  return {
    lines,
    abort: (reason) => controller.abort(reason),
    context: {
      runId: "0190f5a0-0000-7000-8000-000000000000",
      stepId: "load",
      folder,
      file: `${folder}/workflow.yaml`,
      span: { traceId: "0af7651916cd43dd8448eb211c80319c", spanId },
      attempt: 1,
      resumed: false,
      idempotencyKey: "0190f5a0/load",
      startTime: 1_700_000_000_000_000_000n,
      with: inputs,
      params: { limit: 3 },
      cwd: folder,
      env: {},
      signal: controller.signal,
      // A folder that is not removed after the test, such as one of the repository, must not keep it.
      outputFile: `${folder.includes(PREFIX) ? folder : tmpdir()}/output-${spanId}`,
      line: (stream, text) => void lines.push(`${stream.slice(3)}: ${masker.text(text)}`),
      mask: (text) => masker.text(text),
      services: {
        runWorkflow: refuse,
        waitUntil: refuse,
        spanId: (index) => String(index).padStart(16, "0"),
      },
      ...rest,
    },
  };
}

/** Runs `test` with a folder that is removed afterwards. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: PREFIX });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes a batch of items, as for_each does. */
export function batchOf(items: readonly JsonObject[]): NonNullable<AttemptContext["batch"]> {
  const text = items.map((item) => `${JSON.stringify(item)}\n`).join("");
  return { size: items.length, items, ndjson: () => new TextEncoder().encode(text) };
}
