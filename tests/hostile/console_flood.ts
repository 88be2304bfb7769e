// Prints for ever.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "console_flood",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    for (;;) console.log("flood ".repeat(100));
  },
});
