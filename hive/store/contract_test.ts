import { testStoreContract } from "./_contract_test_support.ts";
import { inFolder } from "./_folder_test_support.ts";
import { SqliteStore, StoreWorker } from "./mod.ts";

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
      const worker = await StoreWorker.start({ path: `${folder}/store.db` });
      try {
        await test(worker.client());
      } finally {
        await worker.close();
      }
    }),
});
