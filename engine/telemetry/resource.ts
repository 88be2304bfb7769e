import { SDK_INFO } from "@opentelemetry/core";
import * as keys from "../../semconv/attributes.ts";
import type { Attributes } from "../core/span.ts";
import { containerId } from "./_container.ts";
import type { TelemetrySettings } from "./settings.ts";

/** What the process and the machine are, as the composition root reads it. */
export interface ResourceFacts {
  /** A UUID of this process alone. */
  readonly instanceId: string;
  /** Spanloop's version. */
  readonly version: string;
  /** The process's id. */
  readonly pid: number;
  /** The executable's path; only its last part is told. */
  readonly executable: string;
  /** The versions of Deno and of V8, as Deno.version has them. */
  readonly runtime: { readonly deno: string; readonly v8: string };
  /** The host's name. */
  readonly hostName: string;
  /** The processor's architecture, as Deno.build.arch has it. */
  readonly arch: string;
  /** The operating system, as Deno.build.os has it. */
  readonly os: string;
  /** Its version: on Linux the kernel's. */
  readonly osRelease: string;
  /** What stands in /etc/machine-id, if it can be read. */
  readonly machineId?: string;
  /** What stands in /proc/self/cgroup, if it can be read. */
  readonly cgroup?: string;
  /** What stands in /proc/self/mountinfo, if it can be read. */
  readonly mountinfo?: string;
}

// OpenTelemetry's words where Deno has others; host.arch and os.type take others than their known values.
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: keys.HOST_ARCH_VALUE_AMD64,
  aarch64: keys.HOST_ARCH_VALUE_ARM64,
};
const SYSTEMS: Readonly<Record<string, string>> = {
  android: keys.OS_TYPE_VALUE_LINUX,
  illumos: keys.OS_TYPE_VALUE_SOLARIS,
};

/**
 * The attributes of this process as an OpenTelemetry resource. What the environment gives comes before what is
 * found out, but for the SDK's own. Command line, its arguments and the environment are never among what is found
 * out: they may hold secrets.
 */
export function detectResource(
  settings: Pick<TelemetrySettings, "serviceName" | "resourceAttributes">,
  facts: ResourceFacts,
): Attributes {
  const container = containerId(facts.cgroup ?? "", facts.mountinfo ?? "");
  const machine = facts.machineId?.trim() ?? "";
  return {
    [keys.SERVICE_VERSION]: facts.version,
    [keys.SERVICE_INSTANCE_ID]: facts.instanceId,
    [keys.PROCESS_PID]: facts.pid,
    [keys.PROCESS_EXECUTABLE_NAME]: facts.executable.split(/[/\\]/).at(-1)!,
    [keys.PROCESS_RUNTIME_NAME]: "deno",
    [keys.PROCESS_RUNTIME_VERSION]: facts.runtime.deno,
    [keys.PROCESS_RUNTIME_DESCRIPTION]: `Deno ${facts.runtime.deno} (V8 ${facts.runtime.v8})`,
    [keys.HOST_NAME]: facts.hostName,
    [keys.HOST_ARCH]: ARCHITECTURES[facts.arch] ?? facts.arch,
    [keys.OS_TYPE]: SYSTEMS[facts.os] ?? facts.os,
    [keys.OS_VERSION]: facts.osRelease,
    ...(container === undefined ? {} : { [keys.CONTAINER_ID]: container }),
    // A container's machine id is its image's, the same for all.
    ...(container === undefined && /^[0-9a-f]{32}$/.test(machine)
      ? { [keys.HOST_ID]: machine }
      : {}),
    ...settings.resourceAttributes,
    [keys.SERVICE_NAME]: settings.serviceName,
    [keys.TELEMETRY_SDK_NAME]: SDK_INFO[keys.TELEMETRY_SDK_NAME],
    [keys.TELEMETRY_SDK_LANGUAGE]: SDK_INFO[keys.TELEMETRY_SDK_LANGUAGE],
    [keys.TELEMETRY_SDK_VERSION]: SDK_INFO[keys.TELEMETRY_SDK_VERSION],
  };
}
