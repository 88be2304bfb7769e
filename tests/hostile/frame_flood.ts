// Sends lines of its log for ever, past its own side of the protocol.
import { definePlugin } from "spanloop";

function frame(message: unknown): void {
  const text = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(4 + text.length);
  new DataView(bytes.buffer).setUint32(0, text.length);
  bytes.set(text, 4);
  Deno.stdout.writeSync(bytes);
}

export default definePlugin({
  name: "frame_flood",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    for (;;) frame({ type: "log", line: "flood" });
  },
});
