// Overwrites key-like values of a text with `*`, same length. One pass from left to right: a run of
// name bytes is remembered, and what follows it (`=`, `:`, a gap) says whether a value comes.

import {
  EXEC_SLOT_ARGV,
  FLAG_MASKED,
  HEADER_FLAGS,
  KIND_EXEC,
  KIND_PROCESS,
} from "../../out/gen/record";
import {
  kind,
  open_record,
  open_slot,
  record,
  record_length,
  slot_length,
  slot_text,
} from "./current";
import {
  ends_private_key,
  is_authorization,
  is_scheme,
  is_secret_name,
  is_secret_option,
  key_prefix,
  starts_authority,
  starts_private_key,
} from "./mask_words";
import { BATCH, BATCH_BYTES } from "./memory";
import { add, count, STAT_BYTES_MASKED, STAT_RECORDS_MASKED } from "./stats";

@inline const NUL: u32 = 0;
@inline const DOUBLE_QUOTE: u32 = 0x22;
@inline const SINGLE_QUOTE: u32 = 0x27;
@inline const AMPERSAND: u32 = 0x26;
@inline const STAR: u32 = 0x2a;
@inline const DASH: u32 = 0x2d;
@inline const SLASH: u32 = 0x2f;
@inline const COLON: u32 = 0x3a;
@inline const SEMICOLON: u32 = 0x3b;
@inline const EQUALS: u32 = 0x3d;
@inline const AT: u32 = 0x40;
@inline const BACKSLASH: u32 = 0x5c;
@inline const UNDERSCORE: u32 = 0x5f;

let text: usize = 0;
let text_end: usize = 0;
let overwritten: u32 = 0;

@inline function byte_at(at: usize): u32 {
  return at < text_end ? <u32> load<u8>(at) : NUL;
}

@inline function is_word(byte: u32): bool {
  return (byte | 0x20) - 0x61 < 26 || byte - 0x30 < 10 || byte == UNDERSCORE;
}

@inline function is_name(byte: u32): bool {
  return is_word(byte) || byte == DASH;
}

/** Bytes of a key: base64url and the dots of a JWT. */
@inline function is_key(byte: u32): bool {
  return is_name(byte) || byte == 0x2e;
}

@inline function is_quote(byte: u32): bool {
  return byte == DOUBLE_QUOTE || byte == SINGLE_QUOTE;
}

@inline function is_blank(byte: u32): bool {
  return byte == 0x20 || byte - 9 < 5;
}

/** Start of an argument: of the text, or after a NUL. */
@inline function starts_argument(at: usize): bool {
  return at == text || load<u8>(at - 1) == 0;
}

/** Overwrites from `at` to `end`; returns `end`. */
function overwrite(at: usize, end: usize): usize {
  for (; at < end; at++) {
    if (<u32> load<u8>(at) == STAR) continue;
    store<u8>(at, <u8> STAR);
    overwritten++;
  }
  return end;
}

function overwrite_quoted(at: usize, quote: u32): usize {
  let end: usize = at;
  while (end < text_end && byte_at(end) != quote && byte_at(end) != NUL) {
    if (byte_at(end) == BACKSLASH && end + 1 < text_end && byte_at(end + 1) != NUL) end++;
    end++;
  }
  return overwrite(at, end);
}

/** Overwrites one word, quoted or not; `in_list`: `&` and `;` end it too. */
function overwrite_word(at: usize, in_list: bool): usize {
  const first: u32 = byte_at(at);
  if (is_quote(first)) return overwrite_quoted(at + 1, first);
  let end: usize = at;
  for (; end < text_end; end++) {
    const byte: u32 = byte_at(end);
    if (byte == NUL || is_blank(byte) || is_quote(byte)) break;
    if (in_list && (byte == AMPERSAND || byte == SEMICOLON)) break;
  }
  return overwrite(at, end);
}

function overwrite_argument(at: usize): usize {
  let end: usize = at;
  while (end < text_end && byte_at(end) != NUL) end++;
  return overwrite(at, end);
}

@inline function skip_blanks(at: usize): usize {
  while (is_blank(byte_at(at)) && at < text_end) at++;
  return at;
}

@inline function without_dashes(name: usize, end: usize): usize {
  while (name < end && byte_at(name) == DASH) name++;
  return name;
}

/** `NAME=value`: `at` is behind the `=`. */
function assignment(name: usize, end: usize, at: usize): usize {
  const bare: usize = without_dashes(name, end);
  if (!is_secret_name(bare, end)) return at;
  const heads: bool = starts_argument(name);
  if (heads && bare != name && !is_quote(byte_at(at))) return overwrite_argument(at);
  return overwrite_word(at, !heads);
}

/** `Name: value`: `at` is behind the colon. */
function header(name: usize, end: usize, at: usize): usize {
  const authorizes: bool = is_authorization(name, end);
  if (!authorizes && !is_secret_name(name, end)) return at;
  let value: usize = skip_blanks(at);
  if (!authorizes) return overwrite_word(value, false);
  if (is_quote(byte_at(value))) value++;
  let scheme_end: usize = value;
  while (is_word(byte_at(scheme_end))) scheme_end++;
  if (is_blank(byte_at(scheme_end)) && is_scheme(value, scheme_end)) {
    value = skip_blanks(scheme_end);
  }
  return overwrite_word(value, false);
}

/** `--option value`: `at` is on the gap. */
function option(name: usize, end: usize, at: usize): usize {
  const bare: usize = without_dashes(name, end);
  if (bare == name || !is_secret_option(bare, end)) return at;
  const is_argument: bool = byte_at(at) == NUL;
  const value: usize = is_argument ? at + 1 : skip_blanks(at);
  if (value >= text_end || byte_at(value) == DASH) return at;
  return is_argument ? overwrite_argument(value) : overwrite_word(value, false);
}

/** `scheme://user:password@host`: `at` is behind the slashes. */
function authority(at: usize): usize {
  let colon: usize = 0;
  let last_at: usize = 0;
  let end: usize = at;
  for (; end < text_end; end++) {
    const byte: u32 = byte_at(end);
    if (byte == NUL || is_blank(byte) || is_quote(byte) || byte == SLASH) break;
    if (byte == COLON && colon == 0) colon = end;
    if (byte == AT) last_at = end;
  }
  if (last_at == 0) return at;
  if (colon != 0 && colon < last_at) overwrite(colon + 1, last_at);
  return last_at;
}

/** A key that its own first letters give away. */
function known_key(at: usize): usize {
  const known: u32 = key_prefix(at, text_end);
  if (known == 0) return at;
  const start: usize = at + <usize> (known & 0xff);
  let end: usize = start;
  while (end < text_end && is_key(byte_at(end))) end++;
  return end - start < <usize> (known >> 8) ? at : overwrite(start, end);
}

/** The body of a PEM private key, up to its END line or the end of the argument. */
function private_key(at: usize): usize {
  const start: usize = at + 16; // "PRIVATE KEY-----"
  let end: usize = start;
  while (end < text_end && byte_at(end) != NUL && !ends_private_key(end, text_end)) end++;
  return overwrite(start, end);
}

/** What may follow the name from `name` to `end`; returns where to go on, over `end`. */
function after_name(name: usize, end: usize): usize {
  let at: usize = end;
  if (is_quote(byte_at(at)) && byte_at(at + 1) == COLON) at++;
  const byte: u32 = byte_at(at);
  if (byte == EQUALS) return assignment(name, end, at + 1);
  if (byte == COLON) {
    if (starts_authority(at, text_end)) return authority(at + 3);
    return header(name, end, at + 1);
  }
  if (byte == NUL || is_blank(byte)) return max<usize>(option(name, end, at), end + 1);
  return end + 1;
}

let key_ended: bool = false;

/** The end of a run of name bytes, or (`key_ended`) of a key that was found and masked in it. */
function end_of_run(at: usize): usize {
  let was_word: bool = false;
  key_ended = false;
  for (; at < text_end && is_name(byte_at(at)); at++) {
    const word: bool = is_word(byte_at(at));
    if (word && !was_word) {
      const end: usize = starts_private_key(at, text_end) ? private_key(at) : known_key(at);
      key_ended = end != at;
      if (key_ended) return end;
    }
    was_word = word;
  }
  return at;
}

/** Overwrites key-like values in a text; returns how many bytes were overwritten. */
export function mask_text(pointer: usize, length: u32): u32 {
  text = pointer;
  text_end = pointer + <usize> length;
  overwritten = 0;
  let at: usize = text;
  while (at < text_end) {
    const end: usize = end_of_run(at);
    if (key_ended) at = end;
    else at = end == at ? at + 1 : after_name(at, end);
  }
  add(STAT_BYTES_MASKED, <f64> overwritten);
  return overwritten;
}

/** Masks argv of the records from `offset` to `length` in BATCH; returns how many were changed. */
export function mask(offset: u32, length: u32): u32 {
  const end: u32 = min<u32>(length, BATCH_BYTES);
  let changed: u32 = 0;
  while (offset < end && open_record(BATCH + <usize> offset, end - offset)) {
    offset += record_length;
    if (kind != KIND_EXEC && kind != KIND_PROCESS) continue;
    if (!open_slot(EXEC_SLOT_ARGV) || mask_text(slot_text, slot_length) == 0) continue;
    store<u32>(record, load<u32>(record, HEADER_FLAGS) | FLAG_MASKED, HEADER_FLAGS);
    count(STAT_RECORDS_MASKED);
    changed++;
  }
  return changed;
}
