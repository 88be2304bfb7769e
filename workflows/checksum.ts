import type { StepContext } from "spanloop";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** The SHA-256 of a file of any size. Fails when it is not the expected one, if one is given. */
export default async function checksum(context: StepContext) {
  const file = String(context.with.file);
  const expected = String(context.with.expected ?? "");
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(context.path(file), { signal: context.signal })) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  const sha256 = hash.digest("hex");
  if (expected !== "" && sha256 !== expected) {
    throw new Error(`${file} has the SHA-256 ${sha256}, not ${expected}: make it again`);
  }
  context.log(`${sha256}  ${file}`);
  return { sha256, bytes };
}
