// The value of each standard field (common/sigma/fields.ts) for the current record, its process and
// its parent. Values are pointer and length; numbers and names of states are written to SCRATCH.

import * as f from "../../out/gen/image";
import * as r from "../../out/gen/record";
import { container_length, container_of, container_text } from "./container_table";
import { body, body_has, kind, open_slot, record, slot_length, slot_text } from "./current";
import {
  destination,
  end_address,
  end_family,
  end_port,
  FAMILY_IPV4,
  FAMILY_IPV6,
  initiated,
  source,
} from "./endpoint";
import { host_length, host_name, host_text } from "./host_names";
import { parent, process } from "./lifecycle";
import { SCRATCH } from "./memory";
import { name_length, name_text } from "./name_table";
import { process_get, row_at, UID_UNKNOWN } from "./process_table";
import { ABSENT, program_argv, program_at, program_cwd, program_image } from "./program";
import { write_constant, write_decimal, write_hex64, write_ipv4, write_ipv6 } from "./text";
import {
  write_access,
  write_act,
  write_answers,
  write_change,
  write_flags,
  write_hash,
  write_mode,
  write_query_type,
  write_streams,
} from "./words";
import { role_entry, user_entry } from "./user_table";

@inline const PROTOCOL_TCP: u32 = 6;
@inline const PROTOCOL_UDP: u32 = 17;

export let value: usize = 0;
export let value_length: u32 = 0;

@inline function set(text: usize, length: u32): bool {
  value = text;
  value_length = length;
  return length != ABSENT;
}

@inline function written(length: u32): bool {
  return set(SCRATCH, length);
}

@inline function slot(index: u32): bool {
  return open_slot(index) && set(slot_text, slot_length);
}

/** argv without its last NUL. */
function trimmed(text: usize, length: u32): bool {
  if (length == ABSENT) return false;
  const ends: bool = length > 0 && load<u8>(text + <usize> length - 1) == 0;
  return set(text, ends ? length - 1 : length);
}

@inline export function program_of(row: usize): usize {
  return row == 0 ? 0 : <usize> row_at(row).program;
}

/** Finds the text of a program that a standard field stands for. */
export function load_program_text(program: usize, standard: u32): bool {
  switch (standard) {
    case f.STANDARD_FIELDS_COMMAND_LINE:
    case f.STANDARD_FIELDS_PARENT_COMMAND_LINE:
      return trimmed(program_argv(program), program_at(program).argv_length);
    case f.STANDARD_FIELDS_CURRENT_DIRECTORY:
      return set(program_cwd(program), program_at(program).cwd_length);
    default:
      return set(program_image(program), program_at(program).image_length);
  }
}

/** The same for the program of a row. */
function text_of(row: usize, standard: u32): bool {
  const program: usize = program_of(row);
  return program != 0 && load_program_text(program, standard);
}

@inline function number(amount: u64): bool {
  return written(write_decimal(amount));
}

function user(uid: u32): bool {
  const entry: usize = user_entry(uid);
  return entry != 0 ? set(name_text(entry), name_length(entry)) : number(<u64> uid);
}

function role_name(id: u32): bool {
  if (id == 0) return written(write_constant("none"));
  const entry: usize = role_entry(id);
  return entry != 0 ? set(name_text(entry), name_length(entry)) : number(<u64> id);
}

@inline function header_uid(): u32 {
  return load<u32>(record, r.HEADER_UID);
}

function parent_pid(): bool {
  let pid: u32 = load<u32>(record, r.HEADER_PARENT_PID);
  if (pid == 0 && process != 0) pid = row_at(process).parent_pid;
  return pid != 0 && number(<u64> pid);
}

/** Effective user of the parent; UID_UNKNOWN when nobody knows it. */
function parent_uid(): u32 {
  if (kind == r.KIND_EXEC) return load<u32>(body, r.EXEC_PARENT_UID);
  return parent == 0 ? UID_UNKNOWN : row_at(parent).uid;
}

function real_uid(): bool {
  let uid: u32 = process == 0 ? UID_UNKNOWN : row_at(process).real_uid;
  if (kind == r.KIND_EXEC) uid = load<u32>(body, r.EXEC_REAL_UID);
  if (kind == r.KIND_IDENTITY) uid = load<u32>(body, r.IDENTITY_REAL_UID);
  return uid != UID_UNKNOWN && number(<u64> uid);
}

@inline function is_socket(): bool {
  return kind == r.KIND_CONNECT || kind == r.KIND_BIND || (kind >= r.KIND_LISTEN && kind <= r.KIND_FLOW);
}

function protocol(): bool {
  if (!is_socket() && kind != r.KIND_DNS) return false;
  const id: u32 = <u32> load<u16>(body, r.CONNECT_PROTOCOL);
  if (id == PROTOCOL_TCP) return written(write_constant("tcp"));
  if (id == PROTOCOL_UDP) return written(write_constant("udp"));
  return number(<u64> id);
}

/** Of the end of a connection that was found last. */
function address(): bool {
  if (end_family == FAMILY_IPV4) return written(write_ipv4(end_address));
  return end_family == FAMILY_IPV6 && written(write_ipv6(end_address));
}

@inline function truth(holds: bool): bool {
  return written(holds ? write_constant("true") : write_constant("false"));
}

function session(): bool {
  const id: u64 = load<u64>(record, r.HEADER_SESSION);
  return id != 0 && written(write_hex64(id));
}

/** Argument #`index` of an exec, by the NULs between them. */
function argument(index: u32): bool {
  if (kind != r.KIND_EXEC || !open_slot(r.EXEC_SLOT_ARGV)) return false;
  const end: usize = slot_text + <usize> slot_length;
  let from: usize = slot_text;
  for (let at: usize = from; at < end; at++) {
    if (load<u8>(at) != 0) continue;
    if (index == 0) return set(from, <u32> (at - from));
    index--;
    from = at + 1;
  }
  return index == 0 && from < end && set(from, <u32> (end - from));
}

/** Type of the audit record that stands for this one. */
function audit_type(): bool {
  if (kind == r.KIND_EXEC) return written(write_constant("EXECVE"));
  return kind == r.KIND_OPEN && written(write_constant("PATH"));
}

/** Of the process: from an exec record itself, else from the process table. */
function load_process_field(standard: u32): bool {
  const is_exec: bool = kind == r.KIND_EXEC;
  switch (standard) {
    case f.STANDARD_FIELDS_IMAGE:
      return is_exec ? slot(r.EXEC_SLOT_IMAGE) : text_of(process, standard);
    case f.STANDARD_FIELDS_COMMAND_LINE:
      if (!is_exec) return text_of(process, standard);
      return open_slot(r.EXEC_SLOT_ARGV) && trimmed(slot_text, slot_length);
    case f.STANDARD_FIELDS_CURRENT_DIRECTORY:
      return is_exec ? slot(r.EXEC_SLOT_CWD) : text_of(process, standard);
    case f.STANDARD_FIELDS_USER:
      return user(header_uid());
    case f.STANDARD_FIELDS_PROCESS_ID:
      return number(<u64> load<u32>(record, r.HEADER_PID));
    case f.STANDARD_FIELDS_PARENT_IMAGE:
      return text_of(parent, standard);
    case f.STANDARD_FIELDS_PARENT_COMMAND_LINE:
      return text_of(parent, standard);
    case f.STANDARD_FIELDS_PARENT_PROCESS_ID:
      return parent_pid();
    case f.STANDARD_FIELDS_PARENT_USER:
      return parent_uid() != UID_UNKNOWN && user(parent_uid());
    default:
      return false;
  }
}

/** Standard streams that are sockets, by name. */
function stdio(): bool {
  if (kind != r.KIND_EXEC || !body_has(r.EXEC_BODY_BYTES)) return false;
  const bits: u32 = <u32> load<u16>(body, r.EXEC_STDIO_SOCKETS);
  return bits != 0 && written(write_streams(bits));
}

function load_dns_field(standard: u32): bool {
  const is_answer: bool = load<u16>(body, r.DNS_IS_ANSWER) != 0;
  switch (standard) {
    case f.STANDARD_FIELDS_QUERY_NAME:
      return slot(r.DNS_SLOT_NAME);
    case f.STANDARD_FIELDS_QUERY_TYPE:
      return written(write_query_type(<u32> load<u16>(body, r.DNS_QUERY_TYPE)));
    case f.STANDARD_FIELDS_QUERY_STATUS:
      return is_answer && number(<u64> load<u16>(body, r.DNS_RESPONSE_CODE));
    case f.STANDARD_FIELDS_QUERY_RESULTS:
      return is_answer && open_slot(r.DNS_SLOT_MESSAGE) &&
        written(write_answers(slot_text, slot_length));
    default:
      return false;
  }
}

/** Of the process that is signalled or reached into; both kinds have it behind a number. */
function load_target_field(standard: u32): bool {
  const pid: u32 = load<u32>(body, r.SIGNAL_TARGET_PID);
  switch (standard) {
    case f.STANDARD_FIELDS_TARGET_IMAGE:
      return text_of(
        process_get(pid, load<u64>(body, r.SIGNAL_TARGET_START_TIME_NS)),
        f.STANDARD_FIELDS_IMAGE,
      );
    case f.STANDARD_FIELDS_TARGET_PROCESS_ID:
      return number(<u64> pid);
    case f.STANDARD_FIELDS_TARGET_ROLE:
      return role_name(<u32> load<u16>(body, r.SIGNAL_TARGET_ROLE));
    case f.STANDARD_FIELDS_SIGNAL:
      return kind == r.KIND_SIGNAL && number(<u64> load<u32>(body, r.SIGNAL_SIGNAL));
    case f.STANDARD_FIELDS_ACCESS:
      return kind == r.KIND_ACCESS && written(write_access(load<u32>(body, r.ACCESS_ACCESS)));
    default:
      return false;
  }
}

/** Of a change; false for what the process has. */
function load_change_field(standard: u32): bool {
  switch (standard) {
    case f.STANDARD_FIELDS_SOURCE_FILENAME:
      return slot(r.CHANGE_SLOT_OLD_PATH);
    case f.STANDARD_FIELDS_CHANGE:
      return written(write_change(load<u32>(body, r.CHANGE_CHANGE)));
    case f.STANDARD_FIELDS_FILE_MODE:
      return load<u32>(body, r.CHANGE_MODE) != 0 &&
        written(write_mode(load<u32>(body, r.CHANGE_MODE)));
    case f.STANDARD_FIELDS_FILE_OWNER_ID:
      return load<u32>(body, r.CHANGE_MODE) != 0 &&
        number(<u64> load<u32>(body, r.CHANGE_OWNER_UID));
    default:
      return false;
  }
}

/** Of an act; false for what the process has. */
function load_act_field(standard: u32): bool {
  switch (standard) {
    case f.STANDARD_FIELDS_SOURCE_FILENAME:
      return slot(r.ACT_SLOT_SOURCE);
    case f.STANDARD_FIELDS_ACT:
      return written(write_act(load<u32>(body, r.ACT_ACT)));
    case f.STANDARD_FIELDS_ACT_ARGUMENT:
      return number(load<u64>(body, r.ACT_ARGUMENT));
    default:
      return false;
  }
}

/** Hash of a program or file, with or without the name of its kind. */
function hash(named: bool): bool {
  return kind == r.KIND_IMAGE_HASH && open_slot(r.IMAGE_HASH_SLOT_SHA256) && slot_length == 32 &&
    written(write_hash(slot_text, slot_length, named));
}

/** Id of the container that the process belongs to. */
function container(): bool {
  return container_of(load<u64>(record, r.HEADER_CGROUP_ID)) &&
    set(container_text, container_length);
}

/** Number of a namespace; the four stand one behind the other. */
function namespace(index: u32): bool {
  let first: usize = 0;
  if (kind == r.KIND_ACT) first = body + <usize> r.ACT_MOUNT_NAMESPACE;
  else if (kind == r.KIND_EXEC && body_has(r.EXEC_BODY_BYTES)) {
    first = body + <usize> r.EXEC_MOUNT_NAMESPACE;
  }
  if (first == 0) return false;
  const found: u32 = load<u32>(first + <usize> (index << 2));
  return found != 0 && number(<u64> found);
}

/** Path of the file that was opened or changed, or that an act is about. */
function target_path(): bool {
  if (kind == r.KIND_ACT) return slot(r.ACT_SLOT_PATH);
  if (kind == r.KIND_IMAGE_HASH) {
    return load<u32>(body, r.IMAGE_HASH_IS_PROGRAM) == 0 && slot(r.IMAGE_HASH_SLOT_PATH);
  }
  if (kind == r.KIND_CHANGE) return slot(r.CHANGE_SLOT_PATH);
  return kind == r.KIND_OPEN && slot(r.OPEN_SLOT_PATH);
}

/** Names of the flags that are set. */
function flags(): bool {
  const length: u32 = write_flags(load<u32>(record, r.HEADER_FLAGS));
  return length != 0 && written(length);
}

/** Finds the value of a standard field; false when the record does not have it. */
export function load_field(standard: u32): bool {
  switch (standard) {
    case f.STANDARD_FIELDS_TARGET_FILENAME:
    case f.STANDARD_FIELDS_NAME:
      return target_path();
    case f.STANDARD_FIELDS_FLAGS:
      return flags();
    case f.STANDARD_FIELDS_CONTAINER_ID:
      return container();
    case f.STANDARD_FIELDS_HASHES:
      return hash(true);
    case f.STANDARD_FIELDS_SHA256:
      return hash(false);
    case f.STANDARD_FIELDS_MOUNT_NAMESPACE:
      return namespace(0);
    case f.STANDARD_FIELDS_PID_NAMESPACE:
      return namespace(1);
    case f.STANDARD_FIELDS_NETWORK_NAMESPACE:
      return namespace(2);
    case f.STANDARD_FIELDS_USER_NAMESPACE:
      return namespace(3);
    case f.STANDARD_FIELDS_TYPE:
      return audit_type();
    case f.STANDARD_FIELDS_DESTINATION_IP:
      return destination() && address();
    case f.STANDARD_FIELDS_DESTINATION_PORT:
      return destination() && number(<u64> load<u16>(end_port));
    case f.STANDARD_FIELDS_DESTINATION_HOSTNAME:
      return destination() && host_name(end_address, end_family == FAMILY_IPV6) &&
        set(host_text, host_length);
    case f.STANDARD_FIELDS_SOURCE_IP:
      return source() && address();
    case f.STANDARD_FIELDS_SOURCE_PORT:
      return source() && number(<u64> load<u16>(end_port));
    case f.STANDARD_FIELDS_PROTOCOL:
      return protocol();
    case f.STANDARD_FIELDS_INITIATED:
      return is_socket() && truth(initiated());
    case f.STANDARD_FIELDS_DESTINATION_IS_IPV6:
      return destination() && truth(end_family == FAMILY_IPV6);
    case f.STANDARD_FIELDS_USER_ID:
      return number(<u64> header_uid());
    case f.STANDARD_FIELDS_PARENT_USER_ID:
      return parent_uid() != UID_UNKNOWN && number(<u64> parent_uid());
    case f.STANDARD_FIELDS_REAL_USER_ID:
      return real_uid();
    case f.STANDARD_FIELDS_EXEC_FILE:
      return kind == r.KIND_EXEC && slot(r.EXEC_SLOT_FILE_NAME);
    case f.STANDARD_FIELDS_EXIT_CODE:
      return kind == r.KIND_EXIT && number(<u64> load<u32>(body, r.EXIT_EXIT_CODE));
    case f.STANDARD_FIELDS_EXIT_SIGNAL:
      return kind == r.KIND_EXIT && number(<u64> load<u32>(body, r.EXIT_SIGNAL));
    case f.STANDARD_FIELDS_OLD_USER_ID:
      return kind == r.KIND_IDENTITY && number(<u64> load<u32>(body, r.IDENTITY_OLD_UID));
    case f.STANDARD_FIELDS_ROLE:
      return role_name(<u32> load<u16>(record, r.HEADER_ROLE));
    case f.STANDARD_FIELDS_SESSION:
      return session();
    case f.STANDARD_FIELDS_BYTES_SENT:
      return kind == r.KIND_FLOW && number(load<u64>(body, r.FLOW_BYTES_SENT));
    case f.STANDARD_FIELDS_BYTES_RECEIVED:
      return kind == r.KIND_FLOW && number(load<u64>(body, r.FLOW_BYTES_RECEIVED));
    case f.STANDARD_FIELDS_STDIO_SOCKET:
      return stdio();
    case f.STANDARD_FIELDS_HIDDEN:
      return kind == r.KIND_PROCESS &&
        truth((load<u32>(record, r.HEADER_FLAGS) & r.FLAG_HIDDEN) != 0);
    default:
      if (standard >= f.STANDARD_FIELDS_A0 && standard <= f.STANDARD_FIELDS_A9) {
        return argument(standard - f.STANDARD_FIELDS_A0);
      }
      if (kind == r.KIND_ACT) return load_act_field(standard) || load_process_field(standard);
      if (kind == r.KIND_CHANGE) return load_change_field(standard) || load_process_field(standard);
      if (kind == r.KIND_DNS) return load_dns_field(standard) || load_process_field(standard);
      if (kind == r.KIND_SIGNAL || kind == r.KIND_ACCESS) {
        return load_target_field(standard) || load_process_field(standard);
      }
      return load_process_field(standard);
  }
}

/** Finds the value of field #`index` of a flat record. */
export function load_flat_field(index: u32): bool {
  return slot(index);
}
