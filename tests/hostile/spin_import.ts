// Never ends its import.
import { definePlugin } from "spanloop";

for (const from = Date.now(); from > 0;);

export default definePlugin({
  name: "spin_import",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan() {},
});
