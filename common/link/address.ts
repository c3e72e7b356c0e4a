const ADDRESS = /^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):([1-9]\d{0,4})$/;
const PORT_MAX = 65_535;

/** Where something listens. */
export interface Address {
  /** Name or IP address; an IPv6 address in brackets, as in a URL. */
  readonly host: string;
  readonly port: number;
}

/**
 * Takes `HOST:PORT` apart.
 *
 * @param text As in the configuration or a token; an IPv6 host in brackets.
 * @returns Its parts, or `undefined` when it is something else.
 */
export function splitAddress(text: string): Address | undefined {
  const found = ADDRESS.exec(text);
  const port = Number(found?.[2]);
  if (found === null || port > PORT_MAX) return undefined;
  return { host: found[1] ?? "", port };
}

/**
 * URL of a route.
 *
 * @param address `HOST:PORT`.
 * @param route Path, as in `ROUTES`.
 * @returns The URL; plaintext is not possible.
 */
export function hiveUrl(address: string, route: string): URL {
  return new URL(route, `https://${address}`);
}
