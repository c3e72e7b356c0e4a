import { directiveBytes, readDirective, sealDirective } from "../../../common/wire/mod.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const HEAD = {
  fleet: "f1".repeat(16),
  target: "0".repeat(64),
  number: 3,
  issuedMs: 1_800_000_000_000,
  expiresMs: 1_800_000_060_000,
} as const;
const WATCH = ["/etc/shadow", "/srv/models/**"];
const SEEDS = [
  directiveBytes({ ...HEAD, kind: "stop", body: { action: "stop" } }),
  directiveBytes({ ...HEAD, kind: "rules", body: { pack: "ab".repeat(32) } }),
  directiveBytes({ ...HEAD, kind: "antibodies", body: { set: "ef".repeat(32) } }),
  directiveBytes({ ...HEAD, kind: "antibodies", body: { set: null } }),
  directiveBytes({ ...HEAD, kind: "canary", body: { nonce: "cd".repeat(16) } }),
  directiveBytes({
    ...HEAD,
    kind: "policy",
    body: { open: "wide", wakeIntervalUs: 5, watch: WATCH },
  }),
].map((signed) => sealDirective(signed, new Uint8Array(64).fill(7)));

/** `readDirective`: what comes down from a hive. What it takes has one form alone. */
export const target: FuzzTarget = {
  open: () =>
    plainSubject(SEEDS, (input) => {
      const read = readDirective(input);
      if ("cause" in read) return undefined;
      const again = sealDirective(directiveBytes(read.directive), read.signature);
      return again.toHex() === input.toHex() ? undefined : "it is not what would be written";
    }),
};
