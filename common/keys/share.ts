import { createHash } from "node:crypto";
import { ImmuneError } from "../config/errors.ts";
import { fromBase32, toBase32 } from "./base32.ts";
import { KEY_BYTES } from "./ed25519.ts";
import { HOLDERS_MAX } from "./shamir.ts";

/** Bytes of a share's value: one for each of the seed's, and x. */
export const SHARE_VALUE_BYTES = KEY_BYTES + 1;
/** Bytes of the number that tells one sharing from another. */
export const SET_BYTES = 4;
/** Longest text in which a share is looked for, in characters. */
export const SHARE_TEXT_MAX = 4096;

const VERSION = 1;
const CHECK_BYTES = 4;
/** Version, holder, holders, threshold. */
const HEAD_BYTES = 4;
const BODY_BYTES = HEAD_BYTES + SET_BYTES + SHARE_VALUE_BYTES;
const SHARE_BYTES = BODY_BYTES + CHECK_BYTES;
const PREFIX = "IMMUNE-SHARE";
const GROUP_CHARACTERS = 6;
const GROUPS = Math.ceil(SHARE_BYTES * 8 / 5 / GROUP_CHARACTERS);
const LINE = new RegExp(
  `${PREFIX}((?:[-\\s]+[A-Z2-7]{${GROUP_CHARACTERS}}){${GROUPS}})(?![A-Z2-7])`,
);

/** What one holder has. */
export interface Share {
  /** Number of the holder, from 1. */
  readonly holder: number;
  readonly holders: number;
  /** How many shares are needed. */
  readonly threshold: number;
  /** Which sharing it belongs to, 8 hexadecimal digits. */
  readonly set: string;
  /** As `splitSecret` gave it. */
  readonly value: Uint8Array<ArrayBuffer>;
}

/**
 * A share as one line that people can write down and type again: what was mistyped is found.
 *
 * @param share The share.
 */
export function shareText(share: Share): string {
  const bytes = new Uint8Array(SHARE_BYTES);
  bytes.set(shareBody(share));
  bytes.set(checkOf(bytes.subarray(0, BODY_BYTES)), BODY_BYTES);
  const groups = toBase32(bytes).match(new RegExp(`.{${GROUP_CHARACTERS}}`, "g")) ?? [];
  bytes.fill(0);
  return [PREFIX, ...groups].join("-");
}

/**
 * Finds the one share in a text, for instance a file with lines around it.
 *
 * @param text The text; small letters, and spaces or line ends between groups, are no mistake.
 * @returns The share. That it is the one that was given out is for the published hash to say.
 * @throws {ImmuneError} `SHARE_INVALID` that says what is wrong and shows no part of the text.
 */
export function readShare(text: string): Share {
  if (text.length > SHARE_TEXT_MAX) throw invalid("it is too long a text");
  const found = LINE.exec(text.toUpperCase())?.[1];
  if (found === undefined) {
    throw invalid(`it holds no "${PREFIX}-" and ${GROUPS} groups of ${GROUP_CHARACTERS} letters`);
  }
  const bytes = fromBase32(found.replaceAll(/[-\s]/g, ""));
  if (bytes?.length !== SHARE_BYTES) throw invalid("a character of it is wrong");
  const body = bytes.subarray(0, BODY_BYTES);
  if (!checkOf(body).every((byte, i) => byte === bytes[BODY_BYTES + i])) {
    throw invalid("a character of it is wrong: its checksum differs");
  }
  const [version, holder = 0, holders = 0, threshold = 0] = body;
  const value = body.slice(HEAD_BYTES + SET_BYTES);
  if (version !== VERSION) throw invalid(`it is of version ${version}`);
  const holds = holders <= HOLDERS_MAX && threshold >= 2 && threshold <= holders &&
    holder >= 1 && holder <= holders && value.at(-1) !== 0;
  if (!holds) throw invalid("its numbers do not hold");
  const set = body.subarray(HEAD_BYTES, HEAD_BYTES + SET_BYTES).toHex();
  return { holder, holders, threshold, set, value };
}

/**
 * What is published of a share. The share has 256 random bits: its hash says nothing about it.
 *
 * @param share The share.
 * @returns SHA-256, 64 lower-case hexadecimal digits.
 */
export function shareHash(share: Share): string {
  return createHash("sha256").update("sentinel-immune share v1\n").update(shareBody(share))
    .digest("hex");
}

function shareBody({ holder, holders, threshold, set, value }: Share): Uint8Array {
  const bytes = new Uint8Array(BODY_BYTES);
  bytes.set([VERSION, holder, holders, threshold]);
  bytes.set(Uint8Array.fromHex(set), HEAD_BYTES);
  bytes.set(value, HEAD_BYTES + SET_BYTES);
  return bytes;
}

function checkOf(body: Uint8Array): Uint8Array {
  return createHash("sha256").update(body).digest().subarray(0, CHECK_BYTES);
}

function invalid(why: string): ImmuneError {
  return new ImmuneError("SHARE_INVALID", `Cannot use share: ${why}`);
}
