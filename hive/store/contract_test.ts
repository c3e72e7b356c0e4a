import { testStoreContract } from "./_contract_test_support.ts";
import { inFolder } from "./_folder_test_support.ts";
import { SqliteStore, StoreWorker } from "./mod.ts";

const ENTRY = new URL("../../tests/support/store_worker.ts", import.meta.url).href;

testStoreContract({
  name: "SqliteStore",
  withStore: (test) =>
    inFolder(async (folder) => {
      const store = new SqliteStore(`${folder}/store.db`);
      try {
        await test(store);
      } finally {
        await store.close();
      }
    }),
});

testStoreContract({
  name: "RemoteStore",
  withStore: (test) =>
    inFolder(async (folder) => {
      const worker = await StoreWorker.start({ path: `${folder}/store.db`, entry: ENTRY });
      try {
        await test(worker.client());
      } finally {
        await worker.close();
      }
    }),
});
