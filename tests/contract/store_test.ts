import type { Store } from "../../engine/core/store.ts";
import { openStore } from "../../engine/store/open.ts";
import { ledgerContract } from "./ledger_contract.ts";
import { receivedContract } from "./received_contract.ts";
import { reactionContract } from "./reaction_contract.ts";
import { storeContract } from "./store_contract.ts";

for (const contract of [storeContract, receivedContract, ledgerContract, reactionContract]) {
  contract("memory", () => openStore("memory:", { durability: "full" }));
  contract("sqlite", openTemporary);
}

async function openTemporary(): Promise<Store> {
  const folder = await Deno.makeTempDir({ prefix: "store-" });
  const store = await openStore(`sqlite:${folder}/store.db`, { durability: "normal" });
  const close = store.close.bind(store);
  return Object.assign(store, {
    async close() {
      await close();
      // Gone already when a test has closed the store itself.
      await Deno.remove(folder, { recursive: true }).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    },
  });
}
