import { cpus, loadavg, totalmem } from "node:os";

/**
 * The machine in one line: processor, memory, Deno, the file system that holds `folder`, and how busy it is
 * already: a load near the number of processors means that the figures are others' as well.
 */
export async function machineLine(folder: string): Promise<string> {
  const processors = cpus();
  return [
    `${processors.length} x ${processors[0]?.model.trim() ?? "unknown processor"}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${Deno.build.os} ${Deno.osRelease()}`,
    `Deno ${Deno.version.deno}`,
    `${await fileSystem(folder)} at ${folder}`,
    `load before ${loadavg()[0].toFixed(1)}`,
  ].join(", ");
}

async function fileSystem(folder: string): Promise<string> {
  if (Deno.build.os !== "linux") return "file system not known";
  const { stdout } = await new Deno.Command("df", { args: ["--output=fstype,source", folder] })
    .output();
  const [, line] = new TextDecoder().decode(stdout).trim().split("\n");
  return line?.trim().replace(/\s+/, " on ") ?? "file system not known";
}
