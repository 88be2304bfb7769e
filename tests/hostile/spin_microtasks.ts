// Keeps the event loop from turning.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "spin_microtasks",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  async onSpan() {
    for (;;) await null;
  },
});
