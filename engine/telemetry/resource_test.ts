import assert from "node:assert/strict";
import { SDK_INFO } from "@opentelemetry/core";
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import { readResourceFacts } from "../resource_facts.ts";
import { detectResource, type ResourceFacts } from "./resource.ts";

const ID = "8c4f5bd4a7e0431c9cbfa47a0a1f9d9f3c1be0a2a6c3c1a2b3d4e5f60718293a";
const SANDBOX = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
const FACTS: ResourceFacts = {
  instanceId: "627cc493-f310-47de-96bd-71410b7dec09",
  version: "1.2.3",
  pid: 42,
  executable: "/root/.deno/bin/deno",
  runtime: { deno: "2.9.6", v8: "15.0.245.2" },
  hostName: "vm",
  arch: "x86_64",
  os: "linux",
  osRelease: "6.18.44",
};
const PLAIN = { serviceName: "spanloop", resourceAttributes: {} };

function containerOf(cgroup: string, mountinfo = "") {
  return detectResource(PLAIN, { ...FACTS, cgroup, mountinfo })["container.id"];
}

Deno.test("the resource says what the process, its runtime, host and system are", () => {
  assert.deepEqual(detectResource(PLAIN, { ...FACTS, machineId: `${"a1".repeat(16)}\n` }), {
    "service.name": "spanloop",
    "service.version": "1.2.3",
    "service.instance.id": "627cc493-f310-47de-96bd-71410b7dec09",
    "process.pid": 42,
    "process.executable.name": "deno",
    "process.runtime.name": "deno",
    "process.runtime.version": "2.9.6",
    "process.runtime.description": "Deno 2.9.6 (V8 15.0.245.2)",
    "host.name": "vm",
    "host.arch": "amd64",
    "host.id": "a1".repeat(16),
    "os.type": "linux",
    "os.version": "6.18.44",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.version": SDK_INFO["telemetry.sdk.version"],
  });
});

Deno.test("what the environment gives comes before what is found out, but for the name and the SDK", () => {
  const resource = detectResource({
    serviceName: "own",
    resourceAttributes: {
      "host.name": "given",
      "service.version": "9",
      "telemetry.sdk.name": "x",
      team: "data",
    },
  }, FACTS);
  assert.equal(resource["service.name"], "own");
  assert.equal(resource["host.name"], "given");
  assert.equal(resource["service.version"], "9");
  assert.equal(resource.team, "data");
  assert.equal(resource["telemetry.sdk.name"], "opentelemetry");
});

Deno.test("systems and architectures have OpenTelemetry's words", () => {
  const of = (arch: string, os: string) => {
    const resource = detectResource(PLAIN, { ...FACTS, arch, os });
    return [resource["host.arch"], resource["os.type"]];
  };
  assert.deepEqual(of("aarch64", "darwin"), ["arm64", "darwin"]);
  assert.deepEqual(of("x86_64", "windows"), ["amd64", "windows"]);
  assert.deepEqual(of("riscv64", "freebsd"), ["riscv64", "freebsd"]);
});

Deno.test("a machine id that is none is left out", () => {
  for (const machineId of ["", "\n", "uninitialized\n"]) {
    assert.ok(!("host.id" in detectResource(PLAIN, { ...FACTS, machineId })));
  }
});

Deno.test("container id: Docker with cgroup version 1", () => {
  assert.equal(
    containerOf(`12:rdma:/\n11:memory:/docker/${ID}\n1:name=systemd:/docker/${ID}\n`),
    ID,
  );
  assert.equal(containerOf(`1:name=systemd:/system.slice/docker-${ID}.scope/init.scope\n`), ID);
});

Deno.test("container id: Kubernetes with containerd, CRI-O and in kind", () => {
  const pod = "pod1f4b3c9a_9a3e_4d9e_8b2e_6f2d3c1b0a99";
  assert.equal(
    containerOf(`9:memory:/kubepods/burstable/pod1f4b3c9a-9a3e-4d9e-8b2e-6f2d3c1b0a99/${ID}\n`),
    ID,
  );
  assert.equal(
    containerOf(
      `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-${pod}.slice/cri-containerd-${ID}.scope\n`,
    ),
    ID,
  );
  assert.equal(containerOf(`0::/kubepods.slice/kubepods-${pod}.slice/crio-${ID}.scope\n`), ID);
  assert.equal(
    containerOf(
      `2:cpu:/system.slice/containerd.service/kubepods-${pod}.slice:cri-containerd:${ID}\n`,
    ),
    ID,
  );
  // A node that is a container itself: the inner one counts.
  assert.equal(
    containerOf(`9:pids:/docker/${SANDBOX}/kubelet/kubepods/besteffort/${pod}/${ID}\n`),
    ID,
  );
});

Deno.test("container id: Amazon ECS", () => {
  const task = "1f0a9d8c7b6e5f4a3b2c1d0e9f8a7b6c";
  assert.equal(containerOf(`9:memory:/ecs/${task}/${task}-2531612879\n`), `${task}-2531612879`);
});

const OVERLAY =
  "1234 1200 0:59 / / rw,relatime master:299 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/ABC";

Deno.test("container id: Docker with cgroup version 2, from the mounts", () => {
  const files = ["resolv.conf", "hostname", "hosts"].map((file, index) =>
    `${
      1240 + index
    } 1234 8:1 /var/lib/docker/containers/${ID}/${file} /etc/${file} rw,relatime - ext4 /dev/sda1 rw`
  );
  assert.equal(containerOf("0::/\n", [OVERLAY, ...files, ""].join("\n")), ID);
  // A volume's id is not the container's, nor is that of another one's file mounted elsewhere.
  assert.equal(
    containerOf(
      "0::/\n",
      [
        OVERLAY,
        `1250 1234 8:1 /var/lib/docker/volumes/${SANDBOX}/_data /data rw,relatime - ext4 /dev/sda1 rw`,
        `1251 1234 8:1 /var/lib/docker/containers/${SANDBOX}/hostname /mnt/x rw - ext4 /dev/sda1 rw`,
      ].join("\n"),
    ),
    undefined,
  );
});

Deno.test("container id: Podman, with and without root", () => {
  for (const folder of ["/containers/storage", "/containers"]) {
    const at = `${folder}/overlay-containers`;
    assert.equal(
      containerOf(
        "0::/\n",
        [
          // In a pod the host's name is the infra container's.
          `745 735 0:24 ${at}/${SANDBOX}/userdata/hostname /etc/hostname rw,relatime - tmpfs tmpfs rw`,
          `744 735 0:24 ${at}/${ID}/userdata/.containerenv /run/.containerenv rw,relatime - tmpfs tmpfs rw`,
        ].join("\n"),
      ),
      ID,
    );
  }
  assert.equal(
    containerOf(
      `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container\n`,
    ),
    ID,
  );
});

Deno.test("container id: a Kubernetes pod's sandbox is not the container", () => {
  const lines = [
    "2077 2072 254:1 /kubelet/pods/702c/containers/load/69604667 /dev/termination-log rw - ext4 /dev/vda1 rw",
    `2079 2070 254:1 /docker/containers/${SANDBOX}/hostname /etc/hostname rw - ext4 /dev/vda1 rw`,
  ];
  assert.equal(containerOf("0::/\n", lines.join("\n")), undefined);
  const containerd =
    `2079 2070 8:1 /var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/${SANDBOX}/hostname /etc/hostname rw - ext4 x rw`;
  assert.equal(containerOf("0::/\n", containerd), undefined);
});

Deno.test("container id: none on a host, in a virtual machine, or with nothing to read", () => {
  assert.equal(containerOf("0::/user.slice/user-1000.slice/session-3.scope\n"), undefined);
  assert.equal(
    containerOf(
      "9:name=systemd:/\n4:memory:/process_api/c07c3f4bc713e00eaee3955eb717c74f\n0::/\n",
      [
        "22 27 0:21 / /proc rw,relatime - proc proc rw",
        "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard",
      ].join("\n"),
    ),
    undefined,
  );
  assert.equal(containerOf("garbage\n:\n", "garbage\n\n"), undefined);
  assert.ok(!("container.id" in detectResource(PLAIN, FACTS)));
});

Deno.test("in a container the machine id is the image's: host.id is left out", () => {
  const resource = detectResource(PLAIN, {
    ...FACTS,
    machineId: "a1".repeat(16),
    cgroup: `0::/docker/${ID}\n`,
  });
  assert.equal(resource["container.id"], ID);
  assert.ok(!("host.id" in resource));
});

Deno.test("of this very process: every key is OpenTelemetry's, and none may hold a secret", () => {
  const facts = readResourceFacts("1.2.3");
  const resource = detectResource(PLAIN, facts);
  const known = new Set<unknown>(Object.values(conventions));
  for (const [key, value] of Object.entries(resource)) {
    assert.ok(known.has(key), `${key} is OpenTelemetry's`);
    assert.ok(value !== "" && value !== undefined, key);
    assert.ok(
      !/command|args|environment_variable|working_directory|owner|executable\.path/.test(key),
    );
  }
  assert.equal(resource["process.pid"], Deno.pid);
  assert.equal(resource["host.name"], Deno.hostname());
  assert.match(
    facts.instanceId,
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.notEqual(readResourceFacts("1.2.3").instanceId, facts.instanceId);
});
