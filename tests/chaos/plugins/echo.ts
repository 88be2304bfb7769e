/** Answers each of tally's spans with one of its own, from a sandbox. */
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "echo",
  role: "analyzer",
  subscribe: { name: "tally.heard" },
  actions: ["emit"],
  onSpan({ span }, { state }) {
    const count = Number(state.get("count") ?? 0) + 1;
    state.set("count", count);
    const of = Number(span.attributes.count);
    return [{ type: "emit", name: "echo.heard", attributes: { count, of } }];
  },
});
