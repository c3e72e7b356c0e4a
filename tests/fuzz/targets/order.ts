import { newSeed, signingKey } from "../../../common/keys/mod.ts";
import { checkDirective } from "../../../agent/guards/check.ts";
import { directiveBytes, sealDirective } from "../../../common/wire/mod.ts";
import { type FuzzSubject, type FuzzTarget, plainSubject } from "../target.ts";

const NOW_MS = 1_800_000_000_000;
const FLEET = "f1".repeat(16);
const HOST = "a5".repeat(32);
const HEAD = {
  fleet: FLEET,
  target: HOST,
  number: 1,
  issuedMs: NOW_MS,
  expiresMs: NOW_MS + 60_000,
} as const;
const NONCE = "cd".repeat(16);

/** `checkDirective`: an agent's whole check. Of all changed orders and canaries none may pass. */
export const target: FuzzTarget = {
  async open(): Promise<FuzzSubject> {
    const [key, stop] = [await signingKey(newSeed()), await signingKey(newSeed())];
    const signed = [
      directiveBytes({ ...HEAD, kind: "rules", body: { pack: null } }),
      directiveBytes({ ...HEAD, kind: "canary", body: { nonce: NONCE } }),
      directiveBytes({ ...HEAD, kind: "stop", body: { action: "lift" } }),
    ] as const;
    const seeds = [
      sealDirective(signed[0], await key.sign("directive", signed[0])),
      sealDirective(signed[1], await key.sign("canary", signed[1])),
      sealDirective(signed[2], await stop.sign("stop", signed[2])),
    ];
    const whole = new Set(seeds.map((seed) => seed.toHex()));
    return plainSubject(seeds, async (input) => {
      const { ok } = await checkDirective(input, {
        fleet: FLEET,
        hostId: HOST,
        keys: { directive: key.publicKey.toHex(), stop: stop.publicKey.toHex() },
        highest: { directive: 0, canary: 0, stop: 0 },
        refuse: new Set(),
        seen: () => false,
        nonce: NONCE,
        nowMs: NOW_MS,
      });
      return ok && !whole.has(input.toHex()) ? "a changed order was taken" : undefined;
    });
  },
};
