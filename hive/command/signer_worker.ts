import { ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { DirectiveKeyFile } from "./key_file.ts";
import type { SignAnswer, SignerCommand, SignerReport, SignRequest } from "./messages.ts";
import { Signer } from "./signer.ts";

/**
 * The signing Worker: the only place where the directive key is loaded. Its owner has directives
 * signed; the agents' port, which talks to the network, gets canaries and nothing else.
 */
export function serveSigner(): void {
  let signer: Signer | undefined;
  const handle = async (command: SignerCommand): Promise<void> => {
    if (command.type === "open") {
      const file = await DirectiveKeyFile.open(command.folder);
      signer = new Signer(file, { fleet: command.fleet, clock: SYSTEM_CLOCK });
      report({ type: "opened", publicKey: signer.publicKey });
    } else if (signer === undefined) throw new TypeError("The signer's first command opens it");
    else if (command.type === "connect") serveClient(signer, command);
    else report({ type: "closed" });
  };
  self.onmessage = ({ data }: MessageEvent<SignerCommand>) => {
    handle(data).catch((error) => report({ type: "failed", ...crossed(error) }));
  };
  // What is sent before this Worker listens is lost: its owner waits for this.
  report({ type: "listening" });
}

function serveClient(
  signer: Signer,
  { port, owner }: { readonly port: MessagePort; readonly owner: boolean },
): void {
  port.onmessage = async ({ data }: MessageEvent<SignRequest>) => {
    let answer: SignAnswer;
    try {
      answer = { id: data.id, bytes: await answerTo(signer, { request: data, owner }) };
    } catch (error) {
      answer = { id: data.id, error: crossed(error) };
    }
    port.postMessage(answer);
  };
}

function answerTo(
  signer: Signer,
  { request, owner }: { readonly request: SignRequest; readonly owner: boolean },
): Promise<Uint8Array<ArrayBuffer>> {
  if (request.type === "canary") return signer.canary(request.nonce);
  if (!owner) throw new ImmuneError("FORBIDDEN", "Cannot sign this here: only canaries");
  if (request.type === "sign") return signer.sign(request.directive);
  return request.type === "successor" ? signer.successor() : signer.succeed();
}

function crossed(error: unknown): Extract<SignAnswer, { readonly error: unknown }>["error"] {
  const code = error instanceof ImmuneError ? error.code : "INTERNAL";
  return { code, message: error instanceof Error ? error.message : String(error) };
}

function report(message: SignerReport): void {
  (self as unknown as { postMessage(message: SignerReport): void }).postMessage(message);
}
