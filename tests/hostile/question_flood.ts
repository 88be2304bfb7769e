// Asks for ever, and waits for no answer.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "question_flood",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan(_, { query }) {
    for (;;) void query({});
  },
});
