import { assertEquals } from "@std/assert";
import { FakeClock } from "../../common/config/clock.ts";
import { REFUSAL_LINES_PER_SECOND_MAX } from "./bounds.ts";
import { handshakeRefusal } from "./handshake.ts";
import { Refusals } from "./refusals.ts";

Deno.test("Refusals.add() counts all, says some, and then how many it did not say", () => {
  const lines: string[] = [];
  const clock = new FakeClock();
  const refusals = new Refusals({ onLine: (line) => lines.push(line), clock });
  const flood = REFUSAL_LINES_PER_SECOND_MAX + 30;
  for (let number = 0; number < flood; number++) refusals.add("resumed", "1.2.3.4:5");
  assertEquals(lines.length, REFUSAL_LINES_PER_SECOND_MAX);
  assertEquals(lines[0], "Refused 1.2.3.4:5: resumed");
  clock.advance(1000);
  refusals.add("gap", "agent a");
  assertEquals(lines.at(-1), "Refused agent a: gap (30 refusals before it are not listed)");
  const { resumed, gap, revoked } = refusals.counts();
  assertEquals([resumed, gap, revoked], [flood, 1, 0]);
});

Deno.test("handshakeRefusal() tells what the platform tells", () => {
  const error = (message: string, code: string): Error =>
    Object.assign(new Error(message), { code });
  const cases = [
    ["no_certificate", error("peer sent", "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"), 300],
    ["tls_version", error("peer is incompatible: SupportedVersionsExtensionRequired", "X"), 200],
    ["bad_certificate", error("socket hang up", "ECONNRESET"), 846],
    ["handshake", error("socket hang up", "ECONNRESET"), 0],
    ["handshake", error("TLS handshake timeout", ""), 0],
    ["handshake", error("corrupt message", "ERR_SSL_WRONG_VERSION_NUMBER"), 100],
  ] as const;
  for (const [reason, given, bytesRead] of cases) {
    assertEquals(handshakeRefusal(given, { bytesRead }), reason);
  }
});
