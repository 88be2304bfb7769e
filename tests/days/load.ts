import type { StepContext } from "spanloop";
import type { World } from "./world.ts";

/** The simulated step: its batch takes as long, and fails as much, as the world says. */
export default async ({ items, with: { workers } }: StepContext) => {
  const world = Reflect.get(globalThis, Symbol.for("spanloop.tests.days.world")) as World;
  return await world.work(items.length, Number(workers));
};
