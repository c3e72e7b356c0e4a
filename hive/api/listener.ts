import { ImmuneError } from "../../common/config/mod.ts";
import { type Address, addressText, isLoopback } from "../address.ts";
import type { Peer } from "./context.ts";

/** Options of {@linkcode serveOperators}. */
export interface OperatorsListenerOptions extends Address {
  /** Certificate and key (PEM) for TLS. Without them only a loopback address is listened on. */
  readonly tls?: { readonly certificatePem: string; readonly keyPem: string };
}

/** The operators' listener while it runs. */
export interface OperatorsListener {
  readonly port: number;
  /** Stops it; requests under way are finished. */
  stop(): Promise<void>;
}

/**
 * Refuses an address on which passwords would cross a network in the clear.
 *
 * @param options Address and TLS.
 * @throws {ImmuneError} `LISTEN_REFUSED` for plain HTTP on anything but loopback.
 */
export function checkOperatorsAddress(options: OperatorsListenerOptions): void {
  if (options.tls !== undefined || isLoopback(options.hostname)) return;
  throw new ImmuneError(
    "LISTEN_REFUSED",
    `Cannot listen on "${addressText(options)}" for operators: other hosts reach it and it is ` +
      "plain HTTP; name a loopback address with --console, behind a TLS proxy or a tunnel",
  );
}

/**
 * Opens the operators' listener.
 *
 * @param fetch The app's handler.
 * @param options Address and TLS.
 * @returns The listener.
 * @throws {ImmuneError} `LISTEN_REFUSED` for plain HTTP on anything but loopback or an address that
 * cannot be had, `PORT_IN_USE` when another program has it.
 */
export function serveOperators(
  fetch: (request: Request, peer: Peer) => Response | Promise<Response>,
  options: OperatorsListenerOptions,
): OperatorsListener {
  checkOperatorsAddress(options);
  const { hostname, port, tls } = options;
  const secured = tls === undefined ? {} : { cert: tls.certificatePem, key: tls.keyPem };
  try {
    const server = Deno.serve(
      { hostname, port, ...secured, onListen: () => {} },
      (request, { remoteAddr }) => fetch(request, { remoteAddr }),
    );
    return { port: server.addr.port, stop: () => server.shutdown() };
  } catch (cause) {
    const where = `Cannot listen on "${addressText(options)}" for operators`;
    if (cause instanceof Deno.errors.AddrInUse) {
      const message = `${where}: another program does; choose another with --console`;
      throw new ImmuneError("PORT_IN_USE", message, { cause });
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("LISTEN_REFUSED", `${where}: ${why}; choose another with --console`, {
      cause,
    });
  }
}
