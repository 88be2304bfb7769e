// Rejects where nobody waits.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "unhandled_rejection",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    Promise.reject(new TypeError("nobody waits"));
  },
});
