// The words by which key-like values are known. specs/hot_path.md lists them for people.

import { fold } from "./fold";

@inline const DASH: u32 = 0x2d;
@inline const UNDERSCORE: u32 = 0x5f;

/** A byte of a name: folded, `-` as `_`, so that one spelling covers all. */
@inline function name_byte(at: usize): u32 {
  const byte: u32 = fold(load<u8>(at));
  return byte == DASH ? UNDERSCORE : byte;
}

/** Whether a name ends with a word (ASCII, lower case, `_`). */
function ends_with(name: usize, end: usize, word: string): bool {
  const length: usize = <usize> word.length;
  if (end - name < length) return false;
  const units: usize = changetype<usize>(word);
  for (let i: usize = 0; i < length; i++) {
    if (name_byte(end - length + i) != <u32> load<u16>(units + (i << 1))) return false;
  }
  return true;
}

@inline function equals(name: usize, end: usize, word: string): bool {
  return end - name == <usize> word.length && ends_with(name, end, word);
}

/** Names whose value is a secret wherever it stands: option, variable, query, header, JSON. */
export function is_secret_name(name: usize, end: usize): bool {
  return ends_with(name, end, "password") || ends_with(name, end, "passwd") ||
    ends_with(name, end, "passphrase") || ends_with(name, end, "secret") ||
    ends_with(name, end, "_token") || ends_with(name, end, "apikey") ||
    ends_with(name, end, "_key") || ends_with(name, end, "_pass") ||
    equals(name, end, "token") || equals(name, end, "pass");
}

/** Options whose next word is a secret. Narrower: `--tls-key FILE` names a file. */
export function is_secret_option(name: usize, end: usize): bool {
  return ends_with(name, end, "password") || ends_with(name, end, "passwd") ||
    ends_with(name, end, "passphrase") || ends_with(name, end, "secret") ||
    ends_with(name, end, "_token") || equals(name, end, "token") ||
    ends_with(name, end, "apikey") || ends_with(name, end, "api_key") ||
    ends_with(name, end, "access_key") || ends_with(name, end, "secret_key") ||
    ends_with(name, end, "account_key");
}

/** Headers whose value starts with the name of a scheme. */
export function is_authorization(name: usize, end: usize): bool {
  return equals(name, end, "authorization") || equals(name, end, "proxy_authorization");
}

export function is_scheme(name: usize, end: usize): bool {
  return equals(name, end, "bearer") || equals(name, end, "basic") ||
    equals(name, end, "token") || equals(name, end, "digest");
}

@inline function starts(at: usize, end: usize, word: string): bool {
  const length: usize = <usize> word.length;
  if (end - at < length) return false;
  const units: usize = changetype<usize>(word);
  for (let i: usize = 0; i < length; i++) {
    if (<u32> load<u8>(at + i) != <u32> load<u16>(units + (i << 1))) return false;
  }
  return true;
}

/**
 * How a key that starts there is known: prefix length in the low byte, least bytes that must follow
 * above it; 0 when none starts there. Case counts.
 */
export function key_prefix(at: usize, end: usize): u32 {
  const first: u32 = <u32> load<u8>(at);
  if (first == 0x73) { // s
    if (starts(at, end, "sk-ant-")) return 7 | 16 << 8;
    if (starts(at, end, "sk-")) return 3 | 16 << 8;
    if (starts(at, end, "sk_live_")) return 8 | 16 << 8;
  } else if (first == 0x67) { // g
    if (starts(at, end, "github_pat_")) return 11 | 20 << 8;
    if (starts(at, end, "glpat-")) return 6 | 16 << 8;
    if (starts(at, end, "ghp_") || starts(at, end, "gho_")) return 4 | 20 << 8;
    if (starts(at, end, "ghu_") || starts(at, end, "ghs_")) return 4 | 20 << 8;
    if (starts(at, end, "ghr_")) return 4 | 20 << 8;
    if (starts(at, end, "gsk_")) return 4 | 20 << 8;
  } else if (first == 0x78) { // x
    if (starts(at, end, "xoxb-") || starts(at, end, "xoxp-")) return 5 | 10 << 8;
    if (starts(at, end, "xoxa-") || starts(at, end, "xoxr-")) return 5 | 10 << 8;
    if (starts(at, end, "xoxs-") || starts(at, end, "xapp-")) return 5 | 10 << 8;
  } else if (first == 0x41) { // A
    if (starts(at, end, "AKIA") || starts(at, end, "ASIA")) return 4 | 16 << 8;
    if (starts(at, end, "AIza")) return 4 | 30 << 8;
  } else if (first == 0x68) { // h
    if (starts(at, end, "hf_")) return 3 | 16 << 8;
  } else if (first == 0x6e) { // n
    if (starts(at, end, "npm_")) return 4 | 30 << 8;
  } else if (first == 0x72) { // r
    if (starts(at, end, "rk_live_")) return 8 | 16 << 8;
  } else if (first == 0x65) { // e
    if (starts(at, end, "eyJ")) return 3 | 20 << 8;
  }
  return 0;
}

export function starts_private_key(at: usize, end: usize): bool {
  return starts(at, end, "PRIVATE KEY-----");
}

export function ends_private_key(at: usize, end: usize): bool {
  return starts(at, end, "-----END");
}

export function starts_authority(at: usize, end: usize): bool {
  return starts(at, end, "://");
}
