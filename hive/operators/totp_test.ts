import { assertEquals } from "@std/assert";
import { newTotp, TOTP_STEP_S, totpCode, totpStep } from "./totp.ts";

/** "12345678901234567890", the secret of RFC 6238's test vectors. */
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

Deno.test("totpCode() gives the codes of RFC 6238, appendix B", () => {
  const codes = [59, 1_111_111_109, 1_111_111_111, 1_234_567_890, 2_000_000_000]
    .map((seconds) => totpCode(SECRET, seconds * 1000));
  assertEquals(codes, ["287082", "081804", "050471", "005924", "279037"]);
});

Deno.test("totpStep() takes a code a step early or late, and each step once", () => {
  const nowMs = 1_700_000_000_000;
  const stepMs = TOTP_STEP_S * 1000;
  const step = Math.floor(nowMs / stepMs);
  const at = (offset: number): string => totpCode(SECRET, nowMs + offset * stepMs);
  const taken = (code: string, lastStep: number): unknown =>
    totpStep(code, SECRET, { nowMs, lastStep });
  assertEquals([-1, 0, 1].map((offset) => taken(at(offset), 0)), [step - 1, step, step + 1]);
  assertEquals([-2, 2].map((offset) => taken(at(offset), 0)), [undefined, undefined]);
  assertEquals([taken(at(0), step), taken(at(-1), step)], [undefined, undefined]);
  assertEquals(taken(at(1), step), step + 1);
  for (const bad of ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", `${at(0)} `]) {
    assertEquals(taken(bad, 0), undefined);
  }
});

Deno.test("newTotp() gives 160 bits and the app's address", () => {
  const { secret, uri } = newTotp("ada@example.org");
  assertEquals(secret.length, 32);
  const { protocol, searchParams } = new URL(uri);
  assertEquals([protocol, searchParams.get("secret")], ["otpauth:", secret]);
});
