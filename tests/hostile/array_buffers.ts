// Takes 2 GB outside the heap.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "array_buffers",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    const kept = [];
    for (let i = 0; i < 128; i++) kept.push(new Uint8Array(16 * 1024 * 1024).fill(i));
    return [{ type: "emit", name: "kept", attributes: { count: kept.length } }];
  },
});
