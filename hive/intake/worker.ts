import { ImmuneError } from "../../common/config/errors.ts";
import { AntibodySetFiles } from "../command/antibody_sets.ts";
import { PackFiles } from "../command/packs.ts";
import { SignerClient } from "../command/signer_client.ts";
import { RemoteStore } from "../store/remote.ts";
import { IntakeListener } from "./listener.ts";
import type { IntakeCommand, IntakeReport } from "./messages.ts";
import type { OrderSource } from "./order_routes.ts";
import { Signatures } from "./signatures.ts";

/**
 * The intake's Worker: holds the agents' port, and nothing else that speaks TLS. It opens what it
 * is told to, tells its counters when asked, and ends when it is stopped.
 */
export function serveIntake(): void {
  let listener: IntakeListener | undefined;
  const signatures = new Signatures((id, renewal) => report({ type: "renew", id, renewal }));
  const handle = async (command: IntakeCommand): Promise<void> => {
    if (command.type === "start") {
      listener = await IntakeListener.listen(command.settings, {
        store: new RemoteStore(command.store),
        ...(command.orders === undefined ? {} : { orders: orderSource(command.orders) }),
        renew: (renewal) => signatures.ask(renewal),
        onLine: (line) => report({ type: "line", line }),
        onSaid: (said) => report({ type: "said", said }),
      });
      report({ type: "started", port: listener.port });
    } else if (listener === undefined) {
      throw new TypeError("The intake's first command is its start");
    } else if (command.type === "publish") {
      listener.publish(command.published);
    } else if (command.type === "trust") {
      listener.setTrust(command.trust);
    } else if (command.type === "renewed") {
      signatures.settle(command.id, command.outcome);
    } else if (command.type === "counters") {
      report({ type: "counters", counters: listener.counters() });
    } else {
      await listener.close();
      report({ type: "stopped", counters: listener.counters() });
    }
  };
  self.onmessage = ({ data }: MessageEvent<IntakeCommand>) => {
    handle(data).catch((error) => {
      const code = error instanceof ImmuneError ? error.code : "INTERNAL";
      const message = error instanceof Error ? error.message : String(error);
      report({ type: "failed", code, message });
    });
  };
  // What is sent before this Worker listens is lost: its owner waits for this.
  report({ type: "listening" });
}

function orderSource(
  { signer, folder }: { readonly signer: MessagePort; readonly folder: string },
): OrderSource {
  const client = new SignerClient(signer);
  const packs = new PackFiles(folder);
  const sets = new AntibodySetFiles(folder);
  return {
    canary: (nonce) => client.canary(nonce),
    pack: (hash) => Promise.resolve(packs.get(hash)),
    antibodies: (hash) => Promise.resolve(sets.get(hash)),
  };
}

function report(message: IntakeReport): void {
  (self as unknown as { postMessage(message: IntakeReport): void }).postMessage(message);
}
