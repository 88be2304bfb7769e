/// <reference lib="deno.worker" />
/** A slot of `_test_server.ts`: a thread that hashes for each message, and answers with the digest. */
import { createHash } from "node:crypto";

const BLOCK = new Uint8Array(64 * 1024);
const BLOCKS = 100;

self.onmessage = () => {
  const hash = createHash("sha256");
  for (let i = 0; i < BLOCKS; i++) hash.update(BLOCK);
  self.postMessage(hash.digest("hex"));
};
