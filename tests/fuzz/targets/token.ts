import { ImmuneError } from "../../../common/config/errors.ts";
import { decodeToken, encodeToken } from "../../../common/link/token.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const TOKEN = encodeToken({
  version: 2,
  enroll: "hive.example:9997",
  agents: "[::1]:9998",
  pins: ["MAA=", "MAAA"],
  secret: "A".repeat(43),
});

/** `decodeToken`: what is typed or piped into `immune enroll`. */
export const target: FuzzTarget = {
  open: () =>
    plainSubject([new TextEncoder().encode(TOKEN)], (input) => {
      try {
        decodeToken(new TextDecoder().decode(input));
      } catch (error) {
        if (!(error instanceof ImmuneError)) return `it threw ${String(error)}`;
        if (error.code !== "TOKEN_INVALID") return `code ${error.code}`;
      }
      return undefined;
    }),
};
