// Takes 2 GB as WebAssembly memory.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "web_assembly",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {
    const memory = new Uint8Array(new WebAssembly.Memory({ initial: 32_768 }).buffer);
    for (let at = 0; at < memory.length; at += 4_096) memory[at] = 1;
    return [{ type: "emit", name: "kept", attributes: { count: memory.length } }];
  },
});
