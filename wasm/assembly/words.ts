// Numbers of records that have names, as text at the start of SCRATCH; each returns the length.

import {
  ACCESS_IS_ATTACH,
  ACCESS_IS_READ,
  ACCESS_IS_SEIZE,
  ACCESS_IS_WRITE,
} from "../../out/gen/record";
import { found_address, found_is_ipv6, next_address, open_answer } from "./dns";
import { SCRATCH } from "./memory";
import { append_constant, append_ipv4, append_ipv6, write_constant, write_decimal } from "./text";

/** Addresses of an answer that are written. */
@inline const ADDRESSES_MAX: u32 = 16;

/** Standard streams by their bits. */
export function write_streams(bits: u32): u32 {
  let length: u32 = 0;
  if ((bits & 1) != 0) length = append_constant(length, "stdin ");
  if ((bits & 2) != 0) length = append_constant(length, "stdout ");
  if ((bits & 4) != 0) length = append_constant(length, "stderr ");
  return length == 0 ? 0 : length - 1;
}

/** How a process reached into another one. */
export function write_access(way: u32): u32 {
  if (way == ACCESS_IS_ATTACH) return write_constant("attach");
  if (way == ACCESS_IS_SEIZE) return write_constant("seize");
  if (way == ACCESS_IS_READ) return write_constant("read");
  return way == ACCESS_IS_WRITE ? write_constant("write") : write_decimal(<u64> way);
}

/** Type of a DNS question (RFC 1035, 3.2.2 and later ones). */
export function write_query_type(type: u32): u32 {
  if (type == 1) return write_constant("A");
  if (type == 2) return write_constant("NS");
  if (type == 5) return write_constant("CNAME");
  if (type == 12) return write_constant("PTR");
  if (type == 15) return write_constant("MX");
  if (type == 16) return write_constant("TXT");
  if (type == 28) return write_constant("AAAA");
  if (type == 33) return write_constant("SRV");
  if (type == 65) return write_constant("HTTPS");
  return type == 255 ? write_constant("ANY") : write_decimal(<u64> type);
}

/** Addresses of a DNS answer, each with a semicolon behind it. */
export function write_answers(message: usize, message_length: u32): u32 {
  let length: u32 = 0;
  open_answer(message, message_length);
  for (let i: u32 = 0; i < ADDRESSES_MAX && next_address(); i++) {
    length = found_is_ipv6 ? append_ipv6(length, found_address) : append_ipv4(length, found_address);
    store<u8>(SCRATCH + <usize> length, 0x3b);
    length++;
  }
  return length;
}
