// Gives a value that is nested a hundred thousand times.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "deep_value",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    const text = "[".repeat(100_000) + "]".repeat(100_000);
    return [{ type: "emit", name: "deep", attributes: { deep: JSON.parse(text) } }];
  },
});
