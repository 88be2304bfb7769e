// Never returns.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "spin_handler",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    for (;;);
  },
});
