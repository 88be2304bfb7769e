import { messageOf } from "./core/errors.ts";
import type { Parts, Surroundings } from "./assembly.ts";
import { standardStreams } from "./system.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

/**
 * Exports what the environment asks for; undefined when it asks for nothing: then nothing of OpenTelemetry is
 * loaded. What is wrong with the settings is logged, and never stops a run (J5).
 */
export async function startTelemetry(
  { bus, runner }: Pick<Parts, "bus" | "runner">,
  surroundings: Surroundings,
): Promise<Telemetry | undefined> {
  const { environment, log } = surroundings;
  if (!asked(environment)) return undefined;
  try {
    const { readTelemetrySettings } = await import("./telemetry/settings.ts");
    const { settings, warnings } = readTelemetrySettings(environment);
    for (const body of warnings) log.log({ severity: "warn", body });
    const { traces, metrics, logs } = settings;
    if ([traces, metrics, logs].every(({ exporters }) => exporters.length === 0)) return undefined;
    const [{ Telemetry }, { detectResource }, { readResourceFacts }, { version }] = await Promise
      .all([
        import("./telemetry/telemetry.ts"),
        import("./telemetry/resource.ts"),
        import("./resource_facts.ts"),
        import("./version.ts"),
      ]);
    const resource = detectResource(settings, readResourceFacts(version()));
    const ports = {
      ...surroundings,
      ...standardStreams(),
      settings,
      resource,
      bus,
      activity: () => runner.activity(),
    };
    return await Telemetry.start(ports);
  } catch (thrown) {
    log.log({ severity: "error", body: `No telemetry is exported: ${messageOf(thrown)}` });
    return undefined;
  }
}

function asked(environment: Readonly<Record<string, string>>): boolean {
  for (const name in environment) {
    if (name.startsWith("OTEL_") || name === "SPANLOOP_OTLP_FILE") return true;
  }
  return false;
}
