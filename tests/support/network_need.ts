import type {
  FilterNetwork,
  NetworkFilter,
  NetworkKind,
} from "../../common/sigma/network_filter.ts";
import { holdsNetwork } from "../../common/sigma/network_values.ts";

/** A record of a connection, as far as the filter looks at it. */
export interface Seen {
  readonly kind: NetworkKind;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

/**
 * What a kernel does with a record of a process without role: by hand what bpf/lib/need.h does.
 *
 * @param filter The filter.
 * @param seen The record.
 */
export function needOf(
  { every, terms, named, networks, portClasses, classTerms }: NetworkFilter,
  { kind, address, port }: Seen,
): "none" | "some" | "named" {
  const own = { address, prefix: address.length * 8 };
  const here: FilterNetwork | undefined = networks.findLast((one) => holdsNetwork(one, own));
  if (here === undefined) return "some";
  const found = terms[kind] & (classTerms[portClasses[port] ?? 0] ?? 0n) & here.terms;
  if ((found & named) !== 0n) return "named";
  return found !== 0n || every.includes(kind) ? "some" : "none";
}
