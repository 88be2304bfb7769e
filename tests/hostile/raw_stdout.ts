// Writes to stdout what is no frame.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "raw_stdout",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    Deno.stdout.writeSync(new TextEncoder().encode("Hello, operator!\\n"));
  },
});
