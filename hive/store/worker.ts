import type { StoreCommand, StoreReport } from "./messages.ts";
import { crossed, serveClient } from "./serve.ts";
import { SqliteStore } from "./sqlite.ts";

/**
 * The store's Worker: opens the store it is told to, then answers each client that is connected,
 * until it is closed.
 */
export function serveStore(): void {
  let store: SqliteStore | undefined;
  const handle = async (command: StoreCommand): Promise<void> => {
    if (command.type === "open") {
      const { path, bytesMax } = command;
      store = new SqliteStore(path, bytesMax === undefined ? {} : { bytesMax });
      report({ type: "opened" });
    } else if (store === undefined) throw new TypeError("The store's first command opens it");
    else if (command.type === "connect") serveClient(store, command.port);
    else {
      await store.close();
      report({ type: "closed" });
    }
  };
  self.onmessage = ({ data }: MessageEvent<StoreCommand>) => {
    handle(data).catch((error) => report({ type: "failed", error: crossed(error) }));
  };
  // What is sent before this Worker listens is lost: its owner waits for this.
  report({ type: "listening" });
}

function report(message: StoreReport): void {
  (self as unknown as { postMessage(message: StoreReport): void }).postMessage(message);
}
