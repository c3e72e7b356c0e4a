/**
 * Ports below those that kernels give out by themselves (net.ipv4.ip_local_port_range), and above
 * well-known ones.
 */
const [LEAST, MOST] = [12_000, 30_000];
/** Ports in it that tests name. */
const NAMED: ReadonlySet<number> = new Set([20_411, 23_457, 23_458, 23_459]);
const TRIES_MAX = 1000;

const given = new Set<number>();

/**
 * A port of loopback that nobody listens on, for a program that is started later, or again: no
 * connection of somebody else takes it meanwhile, as it may one that `port: 0` gave.
 *
 * @returns From 12,000 to 29,999; to this process none twice.
 */
export function freePort(): number {
  for (let i = 0; i < TRIES_MAX; i++) {
    const port = LEAST + Math.floor(Math.random() * (MOST - LEAST));
    if (!NAMED.has(port) && !given.has(port) && isFree(port)) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`No free port of ${TRIES_MAX} from ${LEAST} to ${MOST - 1}`);
}

/** So many addresses of loopback with such ports. */
export function freeAddresses(): [string, string, string] {
  const address = (): string => `127.0.0.1:${freePort()}`;
  return [address(), address(), address()];
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
