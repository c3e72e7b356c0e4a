import { SIGNATURE_BYTES } from "../keys/ed25519.ts";
import {
  DIRECTIVE_BODY_BYTES_MAX,
  DIRECTIVE_KIND_NAMES,
  DIRECTIVE_KINDS,
  type DirectiveBodies,
  type DirectiveKind,
  type DirectiveStream,
} from "./directive_body.ts";

/** "IMDR" in little-endian. */
export const DIRECTIVE_MAGIC = 0x5244_4D49;
export const DIRECTIVE_VERSION = 1;

/** Offsets in a directive's header; body and signature follow it. Little-endian. */
export const DIRECTIVE_HEADER = {
  magic: 0, // u32
  version: 4, // u16
  kind: 6, // u16
  length: 8, // u32 whole directive in bytes, signature included
  body_length: 12, // u32
  number: 16, // u64 counts up in its stream, from 1
  issued_ms: 24, // u64 Unix time in ms
  expires_ms: 32, // u64 Unix time in ms
  fleet: 40, // 16 bytes
  target: 56, // 32 bytes host id; zeros = every host of the fleet
} as const;
/** Bytes of that header. */
export const DIRECTIVE_HEADER_BYTES = 88;
/** Shortest and longest directive, in bytes. */
export const DIRECTIVE_BYTES_MIN = DIRECTIVE_HEADER_BYTES + 2 + SIGNATURE_BYTES;
export const DIRECTIVE_BYTES_MAX = DIRECTIVE_HEADER_BYTES + DIRECTIVE_BODY_BYTES_MAX +
  SIGNATURE_BYTES;

/** Target of what every host of a fleet is to do. */
export const EVERY_HOST = "0".repeat(64);

/** A directive's kind with its body. */
export type DirectiveContent = {
  readonly [K in DirectiveKind]: { readonly kind: K; readonly body: DirectiveBodies[K] };
}[DirectiveKind];

/** What a directive says besides. */
export interface DirectiveHead {
  /** Fleet that it is for, 32 lower-case hexadecimal digits. */
  readonly fleet: string;
  /** Host id, or {@linkcode EVERY_HOST}. */
  readonly target: string;
  /** Counts up in its stream, from 1. */
  readonly number: number;
  /** Unix time in milliseconds. */
  readonly issuedMs: number;
  /** Unix time in milliseconds; not carried out from then on. */
  readonly expiresMs: number;
}

/** An order to agents. */
export type Directive = DirectiveHead & DirectiveContent;

/** A directive as it came, whose signature nobody has looked at. */
export interface ReadDirective {
  readonly directive: Directive;
  readonly stream: DirectiveStream;
  /** What the signature is over. */
  readonly signed: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** Why bytes are no directive. */
export type NoDirective = { readonly cause: "malformed" | "unknown_kind"; readonly why: string };

const UTF8 = new TextEncoder();
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The bytes of a directive that are signed. One directive has one form: fields in their order, no
 * spaces.
 *
 * @param directive What it says.
 * @returns Header and body; the signature goes behind them.
 * @throws {RangeError} when a field does not hold.
 */
export function directiveBytes(directive: Directive): Uint8Array<ArrayBuffer> {
  const { kind, fleet, target, number, issuedMs, expiresMs } = directive;
  const spec = DIRECTIVE_KINDS[kind];
  const known = spec.read(directive.body);
  if (known === undefined) throw new RangeError(`The body of this "${kind}" does not hold`);
  const body = UTF8.encode(JSON.stringify(known));
  if (body.length > DIRECTIVE_BODY_BYTES_MAX) throw new RangeError("The body is too long");
  const bytes = new Uint8Array(DIRECTIVE_HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  const at = DIRECTIVE_HEADER;
  view.setUint32(at.magic, DIRECTIVE_MAGIC, true);
  view.setUint16(at.version, DIRECTIVE_VERSION, true);
  view.setUint16(at.kind, spec.id, true);
  view.setUint32(at.length, bytes.length + SIGNATURE_BYTES, true);
  view.setUint32(at.body_length, body.length, true);
  view.setBigUint64(at.number, BigInt(number), true);
  view.setBigUint64(at.issued_ms, BigInt(issuedMs), true);
  view.setBigUint64(at.expires_ms, BigInt(expiresMs), true);
  bytes.set(exactHex(fleet, 16), at.fleet);
  bytes.set(exactHex(target, 32), at.target);
  bytes.set(body, DIRECTIVE_HEADER_BYTES);
  return bytes;
}

/**
 * A directive as it goes to agents.
 *
 * @param signed As {@linkcode directiveBytes} gave it.
 * @param signature Over it.
 */
export function sealDirective(
  signed: Uint8Array,
  signature: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(signed.length + SIGNATURE_BYTES);
  bytes.set(signed);
  bytes.set(signature.subarray(0, SIGNATURE_BYTES), signed.length);
  return bytes;
}

/**
 * Reads a directive, in bounded time and memory, whatever the bytes are. Its signature is the
 * caller's to check.
 *
 * @param bytes The whole of it and nothing else.
 * @returns The directive, or why it is none.
 */
export function readDirective(bytes: Uint8Array): ReadDirective | NoDirective {
  if (bytes.length < DIRECTIVE_BYTES_MIN || bytes.length > DIRECTIVE_BYTES_MAX) {
    return malformed(`${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = DIRECTIVE_HEADER;
  if (view.getUint32(at.magic, true) !== DIRECTIVE_MAGIC) return malformed("no directive's magic");
  const version = view.getUint16(at.version, true);
  if (version !== DIRECTIVE_VERSION) return malformed(`version ${version}`);
  const bodyLength = view.getUint32(at.body_length, true);
  const end = DIRECTIVE_HEADER_BYTES + bodyLength;
  if (view.getUint32(at.length, true) !== bytes.length || end + SIGNATURE_BYTES !== bytes.length) {
    return malformed("its lengths disagree");
  }
  const id = view.getUint16(at.kind, true);
  const kind = DIRECTIVE_KIND_NAMES.find((name) => DIRECTIVE_KINDS[name].id === id);
  if (kind === undefined) return { cause: "unknown_kind", why: `kind ${id}` };
  const content = readContent(kind, bytes.subarray(DIRECTIVE_HEADER_BYTES, end));
  if (content === undefined) return malformed(`no body of a "${kind}"`);
  const number = Number(view.getBigUint64(at.number, true));
  const issuedMs = Number(view.getBigUint64(at.issued_ms, true));
  const expiresMs = Number(view.getBigUint64(at.expires_ms, true));
  if (number === 0 || ![number, issuedMs, expiresMs].every(Number.isSafeInteger)) {
    return malformed("a number out of range");
  }
  const head = {
    fleet: bytes.subarray(at.fleet, at.fleet + 16).toHex(),
    target: bytes.subarray(at.target, at.target + 32).toHex(),
    number,
    issuedMs,
    expiresMs,
  };
  return {
    directive: { ...head, ...content },
    stream: DIRECTIVE_KINDS[kind].stream,
    signed: new Uint8Array(bytes.subarray(0, end)),
    signature: new Uint8Array(bytes.subarray(end)),
  };
}

/** The body, when it is exactly what would be written for it. */
function readContent(kind: DirectiveKind, bytes: Uint8Array): DirectiveContent | undefined {
  try {
    const text = STRICT_UTF8.decode(bytes);
    const body = DIRECTIVE_KINDS[kind].read(JSON.parse(text));
    if (body === undefined || JSON.stringify(body) !== text) return undefined;
    return { kind, body } as DirectiveContent;
  } catch {
    return undefined;
  }
}

function malformed(why: string): NoDirective {
  return { cause: "malformed", why };
}

function exactHex(text: string, bytes: number): Uint8Array {
  if (text.length !== 2 * bytes) throw new RangeError(`"${text}" has not ${bytes} bytes`);
  return Uint8Array.fromHex(text);
}
