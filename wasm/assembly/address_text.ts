// Addresses as text (RFC 4291, 2.2) into bytes, and whether a network holds them.

import { CIDR_ADDRESS, CIDR_BYTES, CIDR_PREFIX } from "../../out/gen/image";
import { PARSED_ADDRESS } from "./memory";

@inline const IPV4_BYTES: u32 = 4;
@inline const IPV6_BYTES: u32 = 16;
/** Longest text of an address, in bytes. */
@inline const ADDRESS_TEXT_BYTES_MAX: u32 = 45;
@inline const COLON: u32 = 0x3a;
@inline const DOT: u32 = 0x2e;

/** Reads four numbers with dots to `into`; false when the text is none of that. */
function parse_ipv4(text: usize, end: usize, into: usize): bool {
  let at: usize = text;
  for (let i: usize = 0; i < 4; i++) {
    if (i != 0) {
      if (at >= end || <u32> load<u8>(at) != DOT) return false;
      at++;
    }
    const from: usize = at;
    let value: u32 = 0;
    while (at < end && at - from < 4 && <u32> load<u8>(at) - 0x30 < 10) {
      value = value * 10 + (<u32> load<u8>(at) - 0x30);
      at++;
    }
    if (at == from || value > 255) return false;
    store<u8>(into + i, <u8> value);
  }
  return at == end;
}

@inline function hex_value(byte: u32): u32 {
  if (byte - 0x30 < 10) return byte - 0x30;
  const letter: u32 = (byte | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : 16;
}

function parse_ipv6(text: usize, end: usize, into: usize): bool {
  memory.fill(into, 0, 16);
  let at: usize = text;
  let filled: usize = 0;
  let gap: i32 = -1;
  if (end - at >= 2 && <u32> load<u8>(at) == COLON) {
    if (<u32> load<u8>(at + 1) != COLON) return false;
    gap = 0;
    at += 2;
  }
  while (at < end) {
    const from: usize = at;
    let value: u32 = 0;
    while (at < end && at - from < 4 && hex_value(<u32> load<u8>(at)) < 16) {
      value = (value << 4) | hex_value(<u32> load<u8>(at));
      at++;
    }
    if (at < end && <u32> load<u8>(at) == DOT) {
      if (filled > 12 || !parse_ipv4(from, end, into + filled)) return false;
      filled += 4;
      at = end;
      break;
    }
    if (at == from || filled > 14) return false;
    store<u8>(into + filled, <u8> (value >> 8));
    store<u8>(into + filled + 1, <u8> value);
    filled += 2;
    if (at == end) break;
    if (<u32> load<u8>(at) != COLON) return false;
    at++;
    if (at == end) return false;
    if (<u32> load<u8>(at) == COLON) {
      if (gap >= 0) return false;
      gap = <i32> filled;
      at++;
    }
  }
  if (gap < 0) return filled == 16;
  if (filled > 14) return false;
  const behind: usize = filled - <usize> gap;
  memory.copy(into + 16 - behind, into + <usize> gap, behind);
  memory.fill(into + <usize> gap, 0, 16 - filled);
  return true;
}

/** Reads an address to PARSED_ADDRESS; its bytes, 4 or 16, or 0 when the text is none. */
function parse_address(text: usize, length: u32): u32 {
  if (length < 2 || length > ADDRESS_TEXT_BYTES_MAX) return 0;
  const end: usize = text + <usize> length;
  if (parse_ipv4(text, end, PARSED_ADDRESS)) return IPV4_BYTES;
  if (!parse_ipv6(text, end, PARSED_ADDRESS)) return 0;
  const mapped: bool = load<u64>(PARSED_ADDRESS) == 0 && load<u32>(PARSED_ADDRESS, 8) == 0xffff0000;
  if (!mapped) return IPV6_BYTES;
  // An IPv4 address in IPv6 form is that IPv4 address.
  store<u32>(PARSED_ADDRESS, load<u32>(PARSED_ADDRESS, 12));
  return IPV4_BYTES;
}

/** Whether the text is an address in the network (an image's CIDR). */
export function in_network(network: usize, text: usize, length: u32): bool {
  const bytes: u32 = <u32> load<u8>(network, CIDR_BYTES);
  if (parse_address(text, length) != bytes) return false;
  const prefix: u32 = <u32> load<u8>(network, CIDR_PREFIX);
  const wanted: usize = network + <usize> CIDR_ADDRESS;
  const whole: usize = <usize> (prefix >> 3);
  for (let i: usize = 0; i < whole; i++) {
    if (load<u8>(PARSED_ADDRESS + i) != load<u8>(wanted + i)) return false;
  }
  const rest: u32 = prefix & 7;
  if (rest == 0) return true;
  const difference: u32 = <u32> load<u8>(PARSED_ADDRESS + whole) ^ <u32> load<u8>(wanted + whole);
  return (difference & 0xff) >> (8 - rest) == 0;
}
