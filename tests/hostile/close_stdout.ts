// Closes its stdout.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "close_stdout",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    Deno.stdout.close();
  },
});
