// Numbers of records that have names, as text at the start of SCRATCH; each returns the length.

import {
  ACCESS_IS_ATTACH,
  ACCESS_IS_DESCRIPTOR,
  ACCESS_IS_ENVIRONMENT,
  ACCESS_IS_READ,
  ACCESS_IS_SEIZE,
  ACCESS_IS_WRITE,
  ACT_IS_BPF,
  ACT_IS_CHROOT,
  ACT_IS_EXECUTABLE_MEMORY,
  ACT_IS_MODULE_LOAD,
  ACT_IS_MOUNT,
  ACT_IS_PERF_EVENT,
  ACT_IS_PIVOT_ROOT,
  ACT_IS_SETNS,
  ACT_IS_UNMOUNT,
  ACT_IS_UNSHARE,
  CHANGE_IS_ATTRIBUTES,
  CHANGE_IS_CREATE,
  CHANGE_IS_DELETE,
  CHANGE_IS_LINK,
  CHANGE_IS_RENAME,
  CHANGE_IS_SYMLINK,
  CHANGE_IS_WRITE,
  FLAG_COMPAT,
  FLAG_DELETED,
  FLAG_HIDDEN,
  FLAG_KERNEL_THREAD,
  FLAG_LABELLED,
  FLAG_MAPPED,
  FLAG_MASKED,
  FLAG_MEMORY_ONLY,
  FLAG_TRUNCATED,
  FLAG_UNRESOLVED,
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
  if (way == ACCESS_IS_ENVIRONMENT) return write_constant("environment");
  if (way == ACCESS_IS_DESCRIPTOR) return write_constant("descriptor");
  return way == ACCESS_IS_WRITE ? write_constant("write") : write_decimal(<u64> way);
}

/** What became of a file. */
export function write_change(what: u32): u32 {
  if (what == CHANGE_IS_CREATE) return write_constant("create");
  if (what == CHANGE_IS_WRITE) return write_constant("write");
  if (what == CHANGE_IS_RENAME) return write_constant("rename");
  if (what == CHANGE_IS_DELETE) return write_constant("delete");
  if (what == CHANGE_IS_LINK) return write_constant("link");
  if (what == CHANGE_IS_SYMLINK) return write_constant("symlink");
  return what == CHANGE_IS_ATTRIBUTES
    ? write_constant("attributes")
    : write_decimal(<u64> what);
}

/** What a process did with a privilege. */
export function write_act(what: u32): u32 {
  if (what == ACT_IS_SETNS) return write_constant("setns");
  if (what == ACT_IS_UNSHARE) return write_constant("unshare");
  if (what == ACT_IS_MOUNT) return write_constant("mount");
  if (what == ACT_IS_UNMOUNT) return write_constant("unmount");
  if (what == ACT_IS_PIVOT_ROOT) return write_constant("pivot_root");
  if (what == ACT_IS_CHROOT) return write_constant("chroot");
  if (what == ACT_IS_BPF) return write_constant("bpf");
  if (what == ACT_IS_PERF_EVENT) return write_constant("perf_event");
  if (what == ACT_IS_MODULE_LOAD) return write_constant("module_load");
  return what == ACT_IS_EXECUTABLE_MEMORY
    ? write_constant("executable_memory")
    : write_decimal(<u64> what);
}

/** A hash as hexadecimal digits, in capitals behind the name of its kind as Sysmon writes it. */
export function write_hash(bytes: usize, length: u32, named: bool): u32 {
  let at: usize = SCRATCH + (named ? <usize> write_constant("SHA256=") : 0);
  const letter: u32 = named ? 0x37 : 0x57;
  for (let i: usize = 0; i < <usize> length; i++) {
    const byte: u32 = <u32> load<u8>(bytes + i);
    for (let shift: u32 = 4; shift <= 4; shift -= 4) {
      const digit: u32 = (byte >> shift) & 15;
      store<u8>(at++, digit + (digit < 10 ? 0x30 : letter));
    }
  }
  return <u32> (at - SCRATCH);
}

/** Permission bits with those of set-id and sticky, 4 octal digits. */
export function write_mode(mode: u32): u32 {
  for (let i: u32 = 0; i < 4; i++) {
    store<u8>(SCRATCH + <usize> i, 0x30 + ((mode >> (9 - 3 * i)) & 7));
  }
  return 4;
}

/** Names of flags, by their bits. */
export function write_flags(bits: u32): u32 {
  let length: u32 = 0;
  if ((bits & FLAG_TRUNCATED) != 0) length = append_constant(length, "truncated ");
  if ((bits & FLAG_UNRESOLVED) != 0) length = append_constant(length, "unresolved ");
  if ((bits & FLAG_COMPAT) != 0) length = append_constant(length, "compat ");
  if ((bits & FLAG_MASKED) != 0) length = append_constant(length, "masked ");
  if ((bits & FLAG_DELETED) != 0) length = append_constant(length, "deleted ");
  if ((bits & FLAG_MAPPED) != 0) length = append_constant(length, "mapped ");
  if ((bits & FLAG_KERNEL_THREAD) != 0) length = append_constant(length, "kernel_thread ");
  if ((bits & FLAG_LABELLED) != 0) length = append_constant(length, "labelled ");
  if ((bits & FLAG_HIDDEN) != 0) length = append_constant(length, "hidden ");
  if ((bits & FLAG_MEMORY_ONLY) != 0) length = append_constant(length, "memory_only ");
  return length == 0 ? 0 : length - 1;
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
