import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { ResourceFacts } from "./telemetry/resource.ts";

/** What this process and this machine are, for telemetry's resource; `version` is Spanloop's. */
export function readResourceFacts(version: string): ResourceFacts {
  return {
    instanceId: crypto.randomUUID(),
    version,
    pid: Deno.pid,
    executable: Deno.execPath(),
    runtime: Deno.version,
    hostName: hostname(),
    arch: Deno.build.arch,
    os: Deno.build.os,
    osRelease: Deno.osRelease(),
    ...readable("machineId", "/etc/machine-id"),
    ...readable("cgroup", "/proc/self/cgroup"),
    ...readable("mountinfo", "/proc/self/mountinfo"),
  };
}

function readable(name: "machineId" | "cgroup" | "mountinfo", path: string) {
  try {
    return { [name]: readFileSync(path, "utf8") };
  } catch {
    return {}; // not there, or not for us: the resource goes without
  }
}
