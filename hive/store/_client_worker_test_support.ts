// A Worker that appends batches through a port, as the intake does, and tells what became of them.
import { sampleBatch } from "./_batches_test_support.ts";
import { RemoteStore } from "./remote.ts";

interface Order {
  readonly port: MessagePort;
  readonly id: string;
  readonly hostId: string;
  readonly batches: number;
}

const owner = self as unknown as { postMessage(message: unknown): void };
self.onmessage = async ({ data }: MessageEvent<Order>) => {
  const store = new RemoteStore(data.port);
  const outcomes = await Promise.all(
    Array.from({ length: data.batches }, (_, i) => {
      const bytes = sampleBatch({ first: i + 1, records: 1, hostId: data.hostId });
      return store.append({ agentId: data.id, bytes });
    }),
  );
  owner.postMessage(outcomes.map(({ outcome }) => outcome));
  await store.close();
};
owner.postMessage("listening");
