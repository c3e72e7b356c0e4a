// Whether the current record has a value that may be listed: the Bloom filter is asked for the
// bytes that lie in the record. What it does not deny is confirmed outside, by the exact set.

import {
  ACCEPT_PEER_ADDRESS,
  CONNECT_ADDRESS,
  CONNECT_FAMILY,
  DNS_IS_ANSWER,
  DNS_SLOT_NAME,
  EXEC_SLOT_FILE_NAME,
  EXEC_SLOT_IMAGE,
  IMAGE_HASH_SLOT_SHA256,
  KIND_ACCEPT,
  KIND_CONNECT,
  KIND_DNS,
  KIND_EXEC,
  KIND_IMAGE_HASH,
  KIND_OPEN,
  OPEN_SLOT_OPENED_AS,
  OPEN_SLOT_PATH,
} from "../../out/gen/record";
import { bloom_has } from "./bloom";
import { body, kind, open_slot, slot_length, slot_text } from "./current";
import { SCRATCH } from "./memory";

@inline const FAMILY_IPV4: u32 = 2;
@inline const FAMILY_IPV6: u32 = 10;
@inline const SLASH: u32 = 0x2f;
@inline const DOT: u32 = 0x2e;
@inline const STAR: u8 = 0x2a;
/** Longest domain, in bytes: a longer one is none. */
@inline const DOMAIN_BYTES_MAX: u32 = 253;
@inline const PREFIX_WORDS: u32 = 4;

/** `asks`: what the filter holds. The same numbers are in wasm/engine/listed.ts. */
@inline const ASK_PATHS: u32 = 1;
@inline const ASK_NAMES: u32 = 2;
@inline const ASK_DOMAINS: u32 = 4;
@inline const ASK_BELOW: u32 = 8;
@inline const ASK_SHA256: u32 = 16;

let asks: u32 = 0;
/** Bit n - 1: the filter holds networks with a prefix of n bits. */
let prefixes_ipv4: u32 = 0;
const PREFIXES_IPV6: usize = memory.data(16);

/** Says what the filter holds; all 0: nothing is asked for. */
export function listed_ask(what: u32, ipv4: u32, a: u32, b: u32, c: u32, d: u32): void {
  asks = what;
  prefixes_ipv4 = ipv4;
  store<u32>(PREFIXES_IPV6, a);
  store<u32>(PREFIXES_IPV6, b, 4);
  store<u32>(PREFIXES_IPV6, c, 8);
  store<u32>(PREFIXES_IPV6, d, 12);
}

/** The path in the slot that was opened, or the name behind its last slash. */
function path_listed(): bool {
  if ((asks & ASK_PATHS) != 0 && bloom_has(slot_text, slot_length) != 0) return true;
  if ((asks & ASK_NAMES) == 0) return false;
  let name: usize = slot_text + <usize> slot_length;
  while (name > slot_text && <u32> load<u8>(name - 1) != SLASH) name--;
  const length: u32 = slot_length - <u32> (name - slot_text);
  return length != 0 && bloom_has(name, length) != 0;
}

function slot_listed(slot: u32): bool {
  return open_slot(slot) && path_listed();
}

/** An exec has the file that runs, and the path that was asked for: a script's own. */
function exec_listed(): bool {
  if (!open_slot(EXEC_SLOT_IMAGE)) return slot_listed(EXEC_SLOT_FILE_NAME);
  if (path_listed()) return true;
  const image: usize = slot_text;
  const length: u32 = slot_length;
  if (!open_slot(EXEC_SLOT_FILE_NAME)) return false;
  const is_same: bool = slot_length == length &&
    memory.compare(slot_text, image, <usize> length) == 0;
  return !is_same && path_listed();
}

/** An address of so many bytes, as a network of that prefix: the key is prefix and masked bytes. */
function network_listed(address: usize, bytes: u32, prefix: u32): bool {
  const key: usize = SCRATCH;
  store<u8>(key, <u8> prefix);
  memory.copy(key + 1, address, <usize> bytes);
  const whole: u32 = prefix >> 3;
  if (whole < bytes) {
    const at: usize = key + 1 + <usize> whole;
    store<u8>(at, <u8> (<u32> load<u8>(at) & (0xff00 >> (prefix & 7))));
    memory.fill(at + 1, 0, <usize> (bytes - whole - 1));
  }
  return bloom_has(key, bytes + 1) != 0;
}

/** The address as a network of each prefix of a word of them. */
function prefixes_listed(address: usize, bytes: u32, word: u32): bool {
  let left: u32 = word == PREFIX_WORDS
    ? prefixes_ipv4
    : load<u32>(PREFIXES_IPV6 + (<usize> word << 2));
  const first: u32 = word == PREFIX_WORDS ? 1 : word * 32 + 1;
  for (; left != 0; left &= left - 1) {
    if (network_listed(address, bytes, first + <u32> ctz<u32>(left))) return true;
  }
  return false;
}

/** An address of a body of a socket; they all begin as that of a connect. */
function address_listed(address: usize): bool {
  const family: u32 = <u32> load<u16>(body, CONNECT_FAMILY);
  if (family == FAMILY_IPV4) return prefixes_listed(address, 4, PREFIX_WORDS);
  if (family != FAMILY_IPV6) return false;
  for (let word: u32 = 0; word < PREFIX_WORDS; word++) {
    if (prefixes_listed(address, 16, word)) return true;
  }
  return false;
}

/** The domain in the slot that was opened, or `*` and what is behind one of its dots. */
function domain_listed(): bool {
  if (slot_length > DOMAIN_BYTES_MAX) return false;
  if ((asks & ASK_DOMAINS) != 0 && bloom_has(slot_text, slot_length) != 0) return true;
  if ((asks & ASK_BELOW) == 0) return false;
  memory.copy(SCRATCH, slot_text, <usize> slot_length);
  for (let i: u32 = 1; i < slot_length; i++) {
    const at: usize = SCRATCH + <usize> i;
    if (<u32> load<u8>(at) != DOT) continue;
    // The label before the dot was looked at: its last byte makes room.
    store<u8>(at - 1, STAR);
    if (bloom_has(at - 1, slot_length - i + 1) != 0) return true;
  }
  return false;
}

/** A question for a domain; its answer says nothing more. */
function question_listed(): bool {
  if ((asks & (ASK_DOMAINS | ASK_BELOW)) == 0) return false;
  return load<u16>(body, DNS_IS_ANSWER) == 0 && open_slot(DNS_SLOT_NAME) && domain_listed();
}

/** False: nothing of the current record is listed; true: something may be. */
export function maybe_listed(): bool {
  if (kind == KIND_CONNECT) return address_listed(body + <usize> CONNECT_ADDRESS);
  if (kind == KIND_ACCEPT) return address_listed(body + <usize> ACCEPT_PEER_ADDRESS);
  if (asks == 0) return false;
  if (kind == KIND_EXEC) return exec_listed();
  if (kind == KIND_DNS) return question_listed();
  if (kind == KIND_IMAGE_HASH) {
    return (asks & ASK_SHA256) != 0 && open_slot(IMAGE_HASH_SLOT_SHA256) &&
      bloom_has(slot_text, slot_length) != 0;
  }
  // A watched file that was opened by another name has both.
  return kind == KIND_OPEN && (slot_listed(OPEN_SLOT_PATH) || slot_listed(OPEN_SLOT_OPENED_AS));
}
