import { ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { RemoteStore } from "../store/remote.ts";
import { OrdinaryLook } from "./ordinary.ts";
import type { OrdinaryReport } from "./ordinary_messages.ts";

/** The Worker's side: takes a port of the store, looks, and says so once. */
export function serveOrdinary(): void {
  self.onmessage = async ({ data }: MessageEvent<MessagePort>) => {
    try {
      await new OrdinaryLook({ store: new RemoteStore(data), clock: SYSTEM_CLOCK }).run();
      report({ type: "looked" });
    } catch (error) {
      const code = error instanceof ImmuneError ? error.code : "INTERNAL";
      const message = error instanceof Error ? error.message : String(error);
      report({ type: "failed", code, message });
    }
  };
  // What is sent before this Worker listens is lost: its owner waits for this.
  report({ type: "listening" });
}

function report(message: OrdinaryReport): void {
  (self as unknown as { postMessage(message: OrdinaryReport): void }).postMessage(message);
}
