import { ImmuneError } from "../../common/config/errors.ts";

/** How long requests have that are under way when the certificate changes, in milliseconds. */
const CLOSE_MS_MAX = 2000;

/** Where and with what the enrolment listener listens. */
export interface EnrolmentListenerOptions {
  readonly hostname: string;
  /** 0 = any free one. */
  readonly port: number;
  /** The hive's server certificate (PEM), the one that tokens carry. */
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** What an enrolment listener shows. */
export type ShownCertificate = Pick<EnrolmentListenerOptions, "certificatePem" | "keyPem">;

/** The enrolment listener while it runs. */
export interface EnrolmentListener {
  readonly port: number;
  /**
   * Shows another certificate. The platform's server cannot change it: the port is closed and
   * opened again, and what is under way has two seconds.
   */
  show(shown: ShownCertificate): Promise<void>;
  /** Stops it; requests under way are finished. */
  stop(): Promise<void>;
}

/**
 * Opens the enrolment listener: TLS without client certificates, for agents that have none yet.
 *
 * @param fetch The app's handler.
 * @param options Address and certificate.
 * @returns The listener.
 * @throws {ImmuneError} `PORT_IN_USE` or `LISTEN_REFUSED` when the address cannot be had.
 */
export function serveEnrolment(
  fetch: (request: Request) => Response | Promise<Response>,
  options: EnrolmentListenerOptions,
): EnrolmentListener {
  let ending = new AbortController();
  let server = listen(fetch, { ...options, signal: ending.signal });
  const { port } = server.addr;
  return {
    port,
    show: async (shown) => {
      const late = setTimeout(() => ending.abort(), CLOSE_MS_MAX);
      await server.shutdown();
      clearTimeout(late);
      ending = new AbortController();
      server = listen(fetch, { ...options, ...shown, port, signal: ending.signal });
    },
    stop: () => server.shutdown(),
  };
}

function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  options: EnrolmentListenerOptions & { readonly signal: AbortSignal },
): Deno.HttpServer<Deno.NetAddr> {
  const { hostname, port, certificatePem: cert, keyPem: key, signal } = options;
  try {
    return Deno.serve(
      { hostname, port, cert, key, signal, onListen: () => {} },
      (request) => fetch(request),
    );
  } catch (cause) {
    const where = `Cannot listen on "${hostname}:${port}"`;
    if (cause instanceof Deno.errors.AddrInUse) {
      const message = `${where}: another program does; choose another with --enroll`;
      throw new ImmuneError("PORT_IN_USE", message, { cause });
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("LISTEN_REFUSED", `${where}: ${why}`, { cause });
  }
}
