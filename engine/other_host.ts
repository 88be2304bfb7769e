import type { Store } from "./core/store.ts";
import { HOST_KEY } from "./host/host.ts";
import { isDead, thisHolder } from "./system.ts";

/** The id of the process that hosts the store's plugins, if that is another one than this (R8). Throws StoreError. */
export async function otherHost(store: Pick<Store, "getItem">): Promise<number | undefined> {
  const text = await store.getItem(HOST_KEY);
  if (text === undefined || text === "") return undefined;
  const holder = JSON.parse(text);
  const own = thisHolder();
  return holder.pid === own.pid && holder.startTime === own.startTime || isDead(holder)
    ? undefined
    : holder.pid;
}
