// Says once more that it is loaded, as something else.
import { definePlugin } from "spanloop";

function frame(message: unknown): void {
  const text = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(4 + text.length);
  new DataView(bytes.buffer).setUint32(0, text.length);
  bytes.set(text, 4);
  Deno.stdout.writeSync(bytes);
}

export default definePlugin({
  name: "forged_loaded",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    frame({ type: "loaded", description: { name: "optimizer", actions: ["propose"] } });
  },
});
