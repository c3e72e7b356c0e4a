// A store's Worker that ends at its first request, as after a defect.
import type { StoreCommand } from "./messages.ts";

const owner = self as unknown as { postMessage(message: unknown): void };
self.onmessage = ({ data }: MessageEvent<StoreCommand>) => {
  if (data.type === "open") owner.postMessage({ type: "opened" });
  else if (data.type === "connect") {
    data.port.onmessage = () => {
      throw new Error("defect");
    };
  }
};
owner.postMessage({ type: "listening" });
