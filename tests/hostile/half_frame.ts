// Begins a frame and never ends it.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "half_frame",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    Deno.stdout.writeSync(new Uint8Array([0, 1, 0, 0, 123]));
  },
});
