// Takes memory in a worker, whose heap no flag of the main one bounds.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "worker_memory",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  async onSpan() {
    const code = "const kept = []; for (;;) kept.push(new Uint8Array(4 << 20).fill(1));";
    new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
    await new Promise(() => {});
  },
});
