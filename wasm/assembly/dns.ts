// Addresses in a DNS answer (RFC 1035, 4.1): one pass, no pointer is followed.

@inline const HEADER_BYTES: u32 = 12;
/** Counts of questions and of answers in the header. */
@inline const QUESTIONS_AT: usize = 4;
@inline const ANSWERS_AT: usize = 6;
/** Type and class behind a question's name; type, class, life time and length before the data. */
@inline const QUESTION_BYTES: u32 = 4;
@inline const RESOURCE_BYTES: u32 = 10;
@inline const TYPE_A: u32 = 1;
@inline const TYPE_AAAA: u32 = 28;
/** Two bits that make a length a pointer, which ends a name. */
@inline const POINTER: u32 = 0xc0;
/** Records of an answer that are looked at, and labels of one name. */
@inline const RESOURCES_MAX: u32 = 32;
@inline const LABELS_MAX: u32 = 128;

let message: usize = 0;
let end: u32 = 0;
let at: u32 = 0;
let left: u32 = 0;

/** The address that `next_address` found. */
export let found_address: usize = 0;
export let found_is_ipv6: bool = false;

@inline function u16_at(offset: u32): u32 {
  return <u32> bswap<u16>(load<u16>(message + <usize> offset));
}

/** Goes behind a name; false when it does not end within the message. */
function skip_name(): bool {
  for (let i: u32 = 0; i < LABELS_MAX && at < end; i++) {
    const length: u32 = <u32> load<u8>(message + <usize> at);
    if ((length & POINTER) != 0) {
      at += 2;
      return at <= end;
    }
    at += length + 1;
    if (length == 0) return at <= end;
  }
  return false;
}

/** Begins with the message of an answer; `next_address` finds its addresses. */
export function open_answer(text: usize, length: u32): void {
  message = text;
  end = length;
  at = HEADER_BYTES;
  left = 0;
  if (length < HEADER_BYTES || u16_at(<u32> QUESTIONS_AT) != 1) return;
  if (!skip_name()) return;
  at += QUESTION_BYTES;
  left = min<u32>(u16_at(<u32> ANSWERS_AT), RESOURCES_MAX);
}

/** Finds the next address; false when there is none. */
export function next_address(): bool {
  while (left != 0) {
    left--;
    if (!skip_name() || at + RESOURCE_BYTES > end) {
      left = 0;
      return false;
    }
    const type: u32 = u16_at(at);
    const length: u32 = u16_at(at + RESOURCE_BYTES - 2);
    const data: u32 = at + RESOURCE_BYTES;
    at = data + length;
    if (at > end) left = 0;
    else if ((type == TYPE_A && length == 4) || (type == TYPE_AAAA && length == 16)) {
      found_address = message + <usize> data;
      found_is_ipv6 = length == 16;
      return true;
    }
  }
  return false;
}
