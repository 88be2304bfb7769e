// A container's id as the last part of a name: `ID`, `docker-ID.scope`, `libpod-ID.scope`, `cri-containerd:ID`.
const IN_CGROUP = /^(?:.*[-:])?([0-9a-f]{64})(?:\.scope)?$/;
// Amazon ECS: a task's id and a number.
const OF_ECS = /^[0-9a-f]{32}-\d+$/;
// Where Docker, and Podman and CRI-O, keep the files that they mount into a container.
const IN_MOUNT = /\/(?:containers|overlay-containers)\/([0-9a-f]{64})\//;

/**
 * The id of the container that the process is in, from /proc/self/cgroup (version 1, and version 2 without a
 * namespace of its own) and /proc/self/mountinfo (version 2); undefined when it is in none, or none that can be told.
 */
export function containerId(cgroup: string, mountinfo: string): string | undefined {
  return fromCgroup(cgroup) ?? fromMounts(mountinfo);
}

function fromCgroup(text: string): string | undefined {
  for (const line of text.split("\n")) {
    // `hierarchy:controllers:path`, of which the path may hold colons: cgroups(7).
    const path = /^\d+:[^:]*:(.*)$/.exec(line)?.[1] ?? "";
    // The innermost first: a container may run in another one, and have groups within its own.
    for (const part of path.split("/").reverse()) {
      const id = IN_CGROUP.exec(part)?.[1] ?? OF_ECS.exec(part)?.[0];
      if (id !== undefined) return id;
    }
  }
  return undefined;
}

function fromMounts(text: string): string | undefined {
  // `id parent major:minor root mountpoint …`: proc_pid_mountinfo(5).
  const mounts = text.split("\n").map((line) => line.split(" ")).map(([, , , root, point]) => ({
    root: root ?? "",
    point: point ?? "",
  }));
  const idAt = (...points: string[]) =>
    mounts.filter(({ point }) => points.includes(point))
      .map(({ root }) => IN_MOUNT.exec(root)?.[1]).find((id) => id !== undefined);
  // This file is of the container itself, with Podman and CRI-O.
  const own = idAt("/run/.containerenv");
  if (own !== undefined) return own;
  // In a Kubernetes pod these are of the pod's sandbox, which is another container.
  const inPod = mounts.some(({ root }) => root.includes("/kubelet/pods/"));
  return inPod ? undefined : idAt("/etc/hostname", "/etc/hosts", "/etc/resolv.conf");
}
