// Logs for ever.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "log_flood",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan(_, { log }) {
    for (;;) log("flood");
  },
});
