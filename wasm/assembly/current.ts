// The record that the scan looks at: where its parts are, after its bounds were checked once.

import {
  ACCEPT_BODY_BYTES,
  ACCESS_BODY_BYTES,
  ACT_BODY_BYTES,
  BIND_BODY_BYTES,
  CHANGE_BODY_BYTES,
  CONNECT_BODY_BYTES,
  DNS_BODY_BYTES,
  EXIT_BODY_BYTES,
  FLOW_BODY_BYTES,
  HEADER_BODY_LENGTH,
  HEADER_BYTES,
  HEADER_HEADER_LENGTH,
  HEADER_KIND,
  HEADER_LENGTH,
  HEADER_SLOT_COUNT,
  IDENTITY_BODY_BYTES,
  IMAGE_HASH_BODY_BYTES,
  KIND_ACCEPT,
  KIND_ACCESS,
  KIND_ACT,
  KIND_BIND,
  KIND_CHANGE,
  KIND_CONNECT,
  KIND_DNS,
  KIND_EXEC,
  KIND_EXIT,
  KIND_FLOW,
  KIND_IDENTITY,
  KIND_IMAGE_HASH,
  KIND_LISTEN,
  KIND_OPEN,
  KIND_PROCESS,
  KIND_SIGNAL,
  LISTEN_BODY_BYTES,
  OPEN_BODY_BYTES,
  PROCESS_BODY_BYTES,
  RECORD_ALIGNMENT,
  RECORD_BYTES_MAX,
  SIGNAL_BODY_BYTES,
  SLOT_BYTES,
} from "../../out/gen/record";

export let record: usize = 0;
export let record_length: u32 = 0;
export let kind: u32 = 0;
export let body: usize = 0;
export let slot_count: u32 = 0;
let slots: usize = 0;

/** The slot that `open_slot` found. */
export let slot_text: usize = 0;
export let slot_length: u32 = 0;

/** Least bytes of the body of a kind that the scan reads. */
function body_bytes(wanted: u32): u32 {
  // What was appended to it is asked for by body_has.
  if (wanted == KIND_EXEC) return PROCESS_BODY_BYTES;
  if (wanted == KIND_EXIT) return EXIT_BODY_BYTES;
  if (wanted == KIND_IDENTITY) return IDENTITY_BODY_BYTES;
  if (wanted == KIND_CONNECT) return CONNECT_BODY_BYTES;
  if (wanted == KIND_BIND) return BIND_BODY_BYTES;
  if (wanted == KIND_OPEN) return OPEN_BODY_BYTES;
  if (wanted == KIND_SIGNAL) return SIGNAL_BODY_BYTES;
  if (wanted == KIND_ACCESS) return ACCESS_BODY_BYTES;
  if (wanted == KIND_LISTEN) return LISTEN_BODY_BYTES;
  if (wanted == KIND_ACCEPT) return ACCEPT_BODY_BYTES;
  if (wanted == KIND_FLOW) return FLOW_BODY_BYTES;
  if (wanted == KIND_DNS) return DNS_BODY_BYTES;
  if (wanted == KIND_CHANGE) return CHANGE_BODY_BYTES;
  if (wanted == KIND_ACT) return ACT_BODY_BYTES;
  if (wanted == KIND_IMAGE_HASH) return IMAGE_HASH_BODY_BYTES;
  return wanted == KIND_PROCESS ? PROCESS_BODY_BYTES : 0;
}

/** Whether the current record's body is so long: older writers know less. */
export function body_has(bytes: u32): bool {
  return <usize> bytes <= slots - body;
}

/** Makes the record at `at` the current one; false when it is malformed within `room` bytes. */
export function open_record(at: usize, room: u32): bool {
  if (room < HEADER_BYTES) return false;
  const length: u32 = load<u32>(at, HEADER_LENGTH);
  if (length < HEADER_BYTES || length % RECORD_ALIGNMENT != 0) return false;
  if (length > RECORD_BYTES_MAX || length > room) return false;
  const header_length: u32 = <u32> load<u16>(at, HEADER_HEADER_LENGTH);
  const body_length: u32 = <u32> load<u16>(at, HEADER_BODY_LENGTH);
  record = at;
  record_length = length;
  kind = <u32> load<u16>(at, HEADER_KIND);
  slot_count = <u32> load<u16>(at, HEADER_SLOT_COUNT);
  body = at + <usize> header_length;
  slots = body + <usize> body_length;
  const fixed: u32 = header_length + body_length + slot_count * SLOT_BYTES;
  if (header_length < HEADER_BYTES || body_length < body_bytes(kind)) return false;
  return fixed <= length && slots_hold(fixed);
}

function slots_hold(fixed: u32): bool {
  for (let i: u32 = 0; i < slot_count; i++) {
    const slot: usize = slots + <usize> (i * SLOT_BYTES);
    const offset: u32 = <u32> load<u16>(slot);
    if (offset == 0) continue;
    if (offset < fixed || offset + <u32> load<u16>(slot, 2) > record_length) return false;
  }
  return true;
}

/** Finds slot `index` of the current record; false when it is absent. */
export function open_slot(index: u32): bool {
  if (index >= slot_count) return false;
  const slot: usize = slots + <usize> (index * SLOT_BYTES);
  const offset: u32 = <u32> load<u16>(slot);
  if (offset == 0) return false;
  slot_text = record + <usize> offset;
  slot_length = <u32> load<u16>(slot, 2);
  return true;
}
