// Closes its stdin.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "close_stdin",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    Deno.stdin.close();
  },
});
