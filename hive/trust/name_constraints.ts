import { type DerElement, derElement, derElements } from "./der.ts";
import { fleetDomain } from "./fleet_id.ts";
import { Extension, type X509Certificate } from "./x509.ts";

/** Object id of the extension (RFC 5280, section 4.2.1.10). */
const NAME_CONSTRAINTS = "2.5.29.30";
const SEQUENCE = 0x30;
const PERMITTED = 0xA0;
const EXCLUDED = 0xA1;
const EMAIL = 0x81;
const DNS = 0x82;
const IP = 0x87;
/** An IP constraint is address and mask: all zeros is every address of that family. */
const IPV4_ALL = new Uint8Array(8);
const IPV6_ALL = new Uint8Array(32);

/**
 * What an authority of a fleet may name: hosts and mailboxes in the fleet's domain, and no address
 * at all.
 *
 * There is no constraint of URIs: it would apply to the host of a URI, a certificate whose URI has
 * none (`urn:uuid:`) would have to be refused, and the TLS of this platform refuses every
 * certificate under such a constraint (measured). So the name that is constrained is a DNS name.
 *
 * @param fleetId A UUID.
 */
export function nameConstraints(fleetId: string): Extension {
  const text = new TextEncoder();
  const domain = text.encode(fleetDomain(fleetId));
  const permitted = derElement(PERMITTED, subtree(DNS, domain), subtree(EMAIL, domain));
  const excluded = derElement(EXCLUDED, subtree(IP, IPV4_ALL), subtree(IP, IPV6_ALL));
  return new Extension(NAME_CONSTRAINTS, true, derElement(SEQUENCE, permitted, excluded));
}

/** How an authority stands to a fleet's names. */
export type Constraint =
  /** It may name no host outside the fleet. */
  | "fleet"
  /** It may name the fleet's hosts and others. */
  | "wider"
  /** It may not name the fleet's hosts. */
  | "foreign";

/**
 * What an authority may name, seen from a fleet.
 *
 * @param authority Its certificate.
 * @param fleetId A UUID.
 * @returns `foreign` too where the extension cannot be read.
 */
export function constraintOf(authority: X509Certificate, fleetId: string): Constraint {
  const extension = authority.getExtension(NAME_CONSTRAINTS);
  if (extension === null) return "wider";
  try {
    const [whole] = derElements(new Uint8Array(extension.value));
    const parts = derElements(whole?.content ?? new Uint8Array());
    const permitted = hosts(parts, PERMITTED);
    const domain = fleetDomain(fleetId);
    const inside = (name: string): boolean => isWithin(domain, name);
    if (hosts(parts, EXCLUDED).some((name) => inside(name) || isWithin(name, domain))) {
      return "foreign";
    }
    if (permitted.length === 0) return "wider";
    if (!permitted.some(inside)) return "foreign";
    return permitted.every((name) => isWithin(name, domain)) ? "fleet" : "wider";
  } catch {
    return "foreign";
  }
}

function subtree(tag: number, name: Uint8Array): Uint8Array {
  return derElement(SEQUENCE, derElement(tag, name));
}

function hosts(parts: readonly DerElement[], which: number): string[] {
  return parts.filter(({ tag }) => tag === which)
    .flatMap(({ content }) => derElements(content))
    .flatMap(({ content }) => derElements(content))
    .filter(({ tag }) => tag === DNS)
    .map(({ content }) => new TextDecoder().decode(content).toLowerCase().replace(/^\./, ""));
}

/** Whether a name is a domain or lies below it; the empty one is above all. */
function isWithin(name: string, domain: string): boolean {
  return domain === "" || name === domain || name.endsWith(`.${domain}`);
}
