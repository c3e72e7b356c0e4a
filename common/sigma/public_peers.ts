// Whether rules on connections want peers in private networks at all: a kernel that knows they do
// not need not make a record of each connection between the programs of a host.

import type { Network } from "./cidr.ts";
import type { Expression, FieldTest } from "./expression.ts";
import { holdsNetwork } from "./network_values.ts";

/** Networks that a kernel leaves out (bpf/lib/socket.h), as address in hexadecimal and prefix. */
const PRIVATE = [
  "7f000000/8",
  "0a000000/8",
  "ac100000/12",
  "c0a80000/16",
  "a9fe0000/16",
  "64400000/10",
  "00000000000000000000000000000001/128",
  "fc000000000000000000000000000000/7",
  "fe800000000000000000000000000000/10",
] as const;

/**
 * Whether an expression can hold only where a field is no private address.
 *
 * @param expression What a rule asks.
 * @param field Field that has the peer's address.
 * @returns True when it is sure; false also where it is only hard to tell.
 */
export function wantsPublicOnly(expression: Expression, field: string): boolean {
  const parts = expression.kind === "and" ? expression.of : [expression];
  const left = new Set(parts.flatMap((part) => part.kind === "not" ? networksOf(part.of) : []));
  return PRIVATE.every((network) => left.has(`${field} ${network}`));
}

/**
 * Whether a network has addresses that a kernel leaves out with private peers.
 *
 * @param network Address and prefix.
 */
export function hasPrivatePeers(network: Network): boolean {
  return PRIVATE.some((text) => {
    const [hex = "", bits] = text.split("/");
    const other = { address: Uint8Array.fromHex(hex), prefix: Number(bits) };
    return holdsNetwork(other, network) || holdsNetwork(network, other);
  });
}

/** Networks of which any one makes an expression true. */
function networksOf(expression: Expression): readonly string[] {
  const parts = expression.kind === "or" ? expression.of : [expression];
  return parts.flatMap((part) => part.kind === "test" ? networkOf(part) : networksOfOr(part));
}

function networksOfOr(part: Expression): readonly string[] {
  return part.kind === "or" ? networksOf(part) : [];
}

function networkOf({ field, criterion }: FieldTest): readonly string[] {
  if (criterion.type !== "cidr") return [];
  return [`${field} ${criterion.address.toHex()}/${criterion.prefix}`];
}
