// Exits.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "exit",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    Deno.exit(3);
  },
});
