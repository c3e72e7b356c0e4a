// Numbers and addresses as text, written at the start of SCRATCH; each function returns the length.

import { SCRATCH } from "./memory";

@inline function put(length: u32, byte: u32): u32 {
  store<u8>(SCRATCH + <usize> length, <u8> byte);
  return length + 1;
}

@inline function hex_digit(value: u32): u32 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

function put_decimal(length: u32, value: u64): u32 {
  let digits: u32 = 1;
  for (let rest: u64 = value / 10; rest != 0; rest /= 10) digits++;
  let at: usize = SCRATCH + <usize> (length + digits);
  let left: u64 = value;
  for (let i: u32 = 0; i < digits; i++, left /= 10) store<u8>(--at, <u8> (0x30 + left % 10));
  return length + digits;
}

/** A number in decimal. */
export function write_decimal(value: u64): u32 {
  return put_decimal(0, value);
}

/** A number as 16 lower-case hexadecimal digits. */
export function write_hex64(value: u64): u32 {
  let length: u32 = 0;
  for (let shift: i32 = 60; shift >= 0; shift -= 4) {
    length = put(length, hex_digit(<u32> (value >> <u64> shift) & 15));
  }
  return length;
}

/** An IPv4 address behind `length` bytes that are there; returns the bytes of both. */
export function append_ipv4(length: u32, address: usize): u32 {
  for (let i: usize = 0; i < 4; i++) {
    if (i != 0) length = put(length, 0x2e);
    length = put_decimal(length, <u64> load<u8>(address + i));
  }
  return length;
}

/** An IPv4 address, 4 bytes in network order. */
export function write_ipv4(address: usize): u32 {
  return append_ipv4(0, address);
}

@inline function group(address: usize, index: u32): u32 {
  return <u32> bswap<u16>(load<u16>(address + <usize> (index << 1)));
}

function put_group(length: u32, value: u32): u32 {
  let shift: i32 = value > 0xfff ? 12 : value > 0xff ? 8 : value > 0xf ? 4 : 0;
  for (; shift >= 0; shift -= 4) length = put(length, hex_digit((value >> shift) & 15));
  return length;
}

/** Start of the longest run of two or more zero groups in the low byte, its length above; or 0. */
function longest_zero_run(address: usize): u32 {
  let best: u32 = 0;
  let best_start: u32 = 0;
  let run: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    run = group(address, i) == 0 ? run + 1 : 0;
    if (run > best) {
      best = run;
      best_start = i + 1 - run;
    }
  }
  return best < 2 ? 0 : (best << 8) | best_start;
}

/** An IPv6 address behind `length` bytes that are there; returns the bytes of both. */
export function append_ipv6(length: u32, address: usize): u32 {
  if (load<u64>(address) == 0 && load<u32>(address, 8) == 0xffff0000) {
    length = put(put(length, 0x3a), 0x3a);
    for (let i: u32 = 0; i < 4; i++) length = put(length, 0x66);
    return append_ipv4(put(length, 0x3a), address + 12);
  }
  const run: u32 = longest_zero_run(address);
  const skip_from: u32 = run == 0 ? 8 : run & 0xff;
  const skip_to: u32 = skip_from + (run >> 8);
  for (let i: u32 = 0; i < 8; i++) {
    if (i == skip_from) {
      length = put(put(length, 0x3a), 0x3a);
      i = skip_to - 1;
      continue;
    }
    if (i != 0 && i != skip_to) length = put(length, 0x3a);
    length = put_group(length, group(address, i));
  }
  return length;
}

/** An IPv6 address, 16 bytes in network order, as RFC 5952 writes it. */
export function write_ipv6(address: usize): u32 {
  return append_ipv6(0, address);
}

/** A constant text (ASCII) behind `length` bytes that are there; returns the bytes of both. */
export function append_constant(length: u32, text: string): u32 {
  const units: usize = changetype<usize>(text);
  const added: u32 = <u32> text.length;
  for (let i: usize = 0; i < <usize> added; i++) {
    store<u8>(SCRATCH + <usize> length + i, <u8> load<u16>(units + (i << 1)));
  }
  return length + added;
}

/** A constant text (ASCII), copied to SCRATCH. */
export function write_constant(text: string): u32 {
  return append_constant(0, text);
}
