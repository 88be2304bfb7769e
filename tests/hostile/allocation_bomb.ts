// Fills its heap.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "allocation_bomb",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    const kept: unknown[] = [];
    for (;;) kept.push({ text: `${kept.length}` });
  },
});
