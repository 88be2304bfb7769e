// Gives a million actions for one event.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "million_actions",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan: () => Array.from({ length: 1_000_000 }, () => ({ type: "emit", name: "many" } as const)),
});
