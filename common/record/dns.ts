import { addressText } from "./text.ts";

const HEADER_BYTES = 12;
/** Type, class, life time and length before the data of a resource record. */
const RESOURCE_BYTES = 10;
const QUESTION_BYTES = 4;
const POINTER = 0xc0;
/** Resource records of an answer that are looked at. */
const RESOURCES_MAX = 32;
const FAMILY_BY_TYPE: Readonly<Record<number, readonly [family: number, bytes: number]>> = {
  1: [2, 4],
  28: [10, 16],
};

/**
 * The addresses in a DNS answer (RFC 1035, 4.1).
 *
 * @param message The message as it went over the wire; it may be cut.
 * @returns IPv4 and IPv6 addresses as text, in their order; those before a malformed record.
 */
export function answeredAddresses(message: Uint8Array): string[] {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const addresses: string[] = [];
  if (message.length < HEADER_BYTES || view.getUint16(4) !== 1) return addresses;
  const resources = Math.min(view.getUint16(6), RESOURCES_MAX);
  let at = behindName(message, HEADER_BYTES) + QUESTION_BYTES;
  for (let i = 0; i < resources; i++) {
    at = behindName(message, at);
    if (at + RESOURCE_BYTES > message.length) break;
    const family = FAMILY_BY_TYPE[view.getUint16(at)];
    const length = view.getUint16(at + RESOURCE_BYTES - 2);
    const data = at + RESOURCE_BYTES;
    at = data + length;
    if (at > message.length) break;
    if (family?.[1] !== length) continue;
    const address = new Uint8Array(16);
    address.set(message.subarray(data, at));
    addresses.push(addressText(address, family[0]));
  }
  return addresses;
}

/** Where a name ends: behind its last length, or behind the pointer that stands for the rest. */
function behindName(message: Uint8Array, from: number): number {
  let at = from;
  while (at < message.length) {
    const length = message[at] ?? 0;
    if ((length & POINTER) !== 0) return at + 2;
    at += length + 1;
    if (length === 0) break;
  }
  return at;
}
