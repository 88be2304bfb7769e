// Leaves its name for others to find.
import { definePlugin } from "spanloop";

export default definePlugin({
  name: "local_storage",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan({ span }) {
    const word = localStorage.getItem("name") ?? "nothing";
    localStorage.setItem("name", span.name);
    return [{ type: "emit", name: "found", attributes: { word } }];
  },
});
