// The ends of a connection: which kind of record has which of them, and where.

import * as r from "../../out/gen/record";
import { body, body_has, kind } from "./current";

@inline export const FAMILY_IPV4: u32 = 2;
@inline export const FAMILY_IPV6: u32 = 10;

/** The end that was found last; `end_port` is the address of its u16. */
export let end_address: usize = 0;
export let end_port: usize = 0;
export let end_family: u32 = 0;

function found(address: u32, port: u32, family: u32): bool {
  end_address = body + <usize> address;
  end_port = body + <usize> port;
  end_family = <u32> load<u16>(body + <usize> family);
  return end_family != 0;
}

/** Where it leads to: the peer, of what a process asked for; itself, of what was asked of it. */
export function destination(): bool {
  if (kind == r.KIND_CONNECT || kind == r.KIND_FLOW || kind == r.KIND_ACCEPT || kind == r.KIND_DNS) {
    return found(r.CONNECT_ADDRESS, r.CONNECT_PORT, r.CONNECT_FAMILY);
  }
  if (kind != r.KIND_EXEC || !body_has(r.EXEC_BODY_BYTES)) return false;
  return found(r.EXEC_STDIO_ADDRESS, r.EXEC_STDIO_PORT, r.EXEC_STDIO_FAMILY);
}

/** Where it comes from. */
export function source(): bool {
  if (kind == r.KIND_BIND || kind == r.KIND_LISTEN) {
    return found(r.CONNECT_ADDRESS, r.CONNECT_PORT, r.CONNECT_FAMILY);
  }
  if (kind == r.KIND_ACCEPT) {
    return found(r.ACCEPT_PEER_ADDRESS, r.ACCEPT_PEER_PORT, r.CONNECT_FAMILY);
  }
  if (kind != r.KIND_FLOW) return false;
  return found(r.FLOW_LOCAL_ADDRESS, r.FLOW_LOCAL_PORT, r.CONNECT_FAMILY);
}

/** Whether the record's process asked for the connection. */
export function initiated(): bool {
  if (kind == r.KIND_FLOW) return load<u16>(body, r.FLOW_INITIATED) != 0;
  return kind == r.KIND_CONNECT;
}
