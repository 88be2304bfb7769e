// Computes in a worker, long after its handler has returned.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "worker_spin",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    new Worker("data:text/javascript,for (;;);", { type: "module" });
  },
});
