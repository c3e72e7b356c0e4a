import { ImmuneError } from "../../common/config/errors.ts";
import {
  type CrossedError,
  STORE_METHODS,
  type StoreAnswer,
  type StoreMethod,
  type StoreRequest,
} from "./messages.ts";
import type { Store, StoredBlock } from "./store.ts";

/**
 * Answers what a client asks through its port, until the port is closed.
 *
 * @param store The store.
 * @param port The store's end.
 */
export function serveClient(store: Store, port: MessagePort): void {
  port.onmessage = async ({ data }: MessageEvent<StoreRequest>) => {
    const answer = await answerTo(store, data);
    port.postMessage(answer, "value" in answer ? buffersOf(data.method, answer.value) : []);
  };
}

/**
 * An error as it crosses to another thread.
 *
 * @param error Whatever was thrown.
 */
export function crossed(error: unknown): CrossedError {
  if (error instanceof ImmuneError) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: "INTERNAL", message: `The store failed: ${message}` };
}

async function answerTo(store: Store, request: StoreRequest): Promise<StoreAnswer> {
  const { id, method, args } = request;
  try {
    if (!Object.hasOwn(STORE_METHODS, method)) throw new TypeError(`no method "${method}"`);
    // The client is a `RemoteStore`, whose methods have the types that the store's have.
    const run = store[method] as (...given: readonly unknown[]) => Promise<unknown>;
    return { id, value: await run.apply(store, [...args]) };
  } catch (error) {
    return { id, error: crossed(error) };
  }
}

/** Buffers that are handed over and not copied: blocks have them for themselves. */
function buffersOf(method: StoreMethod, value: unknown): Transferable[] {
  if (method !== "blocks") return [];
  return (value as readonly StoredBlock[]).map(({ bytes }) => bytes.buffer);
}
