import { ImmuneError } from "../../common/config/mod.ts";
import { type Address, addressText, isLoopback } from "../address.ts";
import type { Peer } from "./context.ts";
import { type HttpLimits, HttpServer } from "./http_server.ts";

/** Options of {@linkcode serveOperators}. */
export interface OperatorsListenerOptions extends Address {
  /** Certificate and key (PEM) for TLS. Without them only a loopback address is listened on. */
  readonly tls?: { readonly certificatePem: string; readonly keyPem: string };
  /** Bounds of plain HTTP; with TLS the platform's server has none. */
  readonly limits?: HttpLimits;
}

/** The operators' listener while it runs. */
export interface OperatorsListener {
  readonly port: number;
  /** Connections that were turned away, for there were too many. */
  refused(): number;
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
export async function serveOperators(
  fetch: (request: Request, peer: Peer) => Response | Promise<Response>,
  options: OperatorsListenerOptions,
): Promise<OperatorsListener> {
  checkOperatorsAddress(options);
  const { tls } = options;
  try {
    if (tls !== undefined) return serveTls(fetch, { ...options, tls });
    const server = await HttpServer.listen(fetch, options);
    return {
      port: server.port,
      refused: () => server.refused,
      stop: () => server.stop(),
    };
  } catch (cause) {
    const where = `Cannot listen on "${addressText(options)}" for operators`;
    if (isInUse(cause)) {
      const message = `${where}: another program does; choose another with --console`;
      throw new ImmuneError("PORT_IN_USE", message, { cause });
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("LISTEN_REFUSED", `${where}: ${why}; choose another with --console`, {
      cause,
    });
  }
}

function serveTls(
  fetch: (request: Request, peer: Peer) => Response | Promise<Response>,
  { hostname, port, tls }: OperatorsListenerOptions & {
    readonly tls: NonNullable<OperatorsListenerOptions["tls"]>;
  },
): OperatorsListener {
  const { certificatePem: cert, keyPem: key } = tls;
  const server = Deno.serve(
    { hostname, port, cert, key, onListen: () => {} },
    (request, { remoteAddr }) => fetch(request, { remoteAddr }),
  );
  return { port: server.addr.port, refused: () => 0, stop: () => server.shutdown() };
}

/** As each of the two servers says it. */
function isInUse(cause: unknown): boolean {
  return cause instanceof Deno.errors.AddrInUse ||
    (cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE");
}
