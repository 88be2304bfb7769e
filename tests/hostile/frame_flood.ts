// Sends lines of its log for ever, past its own side of the protocol.
import { definePlugin } from "spanloop";

// So many at once that even a slow machine sends tens of thousands a second.
function frames(message: unknown): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(message));
  const size = 4 + text.length;
  const bytes = new Uint8Array(1_000 * size);
  for (let at = 0; at < bytes.length; at += size) {
    new DataView(bytes.buffer).setUint32(at, text.length);
    bytes.set(text, at + 4);
  }
  return bytes;
}

export default definePlugin({
  name: "frame_flood",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    const bytes = frames({ type: "log", line: "flood" });
    for (;;) for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  },
});
