// What the others must not disturb: it counts.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "innocent",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan(_, { state }) {
    const count = Number(state.get("count") ?? 0) + 1;
    state.set("count", count);
    return [{ type: "emit", name: "counted", attributes: { count } }];
  },
});
