// Changes the prototypes of its own process, in which the engine's messages are made.
import { definePlugin } from "spanloop";

Object.assign(Object.prototype, { polluted: true, failure: { message: "forged" }, get: 1 });
Object.defineProperty(Array.prototype, "toJSON", { value: () => "forged" });

export default definePlugin({
  name: "prototypes",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  onSpan: () => [{ type: "emit", name: "polluted", attributes: JSON.parse(`{"__proto__": 1}`) }],
});
