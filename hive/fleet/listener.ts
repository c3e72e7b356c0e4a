import { ImmuneError } from "../../common/config/errors.ts";

/** Where and with what the enrolment listener listens. */
export interface EnrolmentListenerOptions {
  readonly hostname: string;
  /** 0 = any free one. */
  readonly port: number;
  /** The hive's server certificate (PEM), the one that tokens carry. */
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** The enrolment listener while it runs. */
export interface EnrolmentListener {
  readonly port: number;
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
  const { hostname, port, certificatePem, keyPem } = options;
  try {
    const server = Deno.serve(
      { hostname, port, cert: certificatePem, key: keyPem, onListen: () => {} },
      (request) => fetch(request),
    );
    return { port: server.addr.port, stop: () => server.shutdown() };
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
