// Waits for what never comes.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "hang",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan: () => new Promise(() => {}),
});
