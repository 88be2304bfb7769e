// Gives an action of 100 MB.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "huge_message",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan: () => [{ type: "emit", name: "x".repeat(100 * 1024 * 1024) }],
});
