import { ImmuneError } from "../../../common/config/errors.ts";
import { checkShare, makeStopKey } from "../../../common/keys/mod.ts";
import { type FuzzSubject, type FuzzTarget, plainSubject } from "../target.ts";

/** `checkShare`: what holders type or have in files. No damaged one may pass for another. */
export const target: FuzzTarget = {
  async open(): Promise<FuzzSubject> {
    const { facts, shares } = await makeStopKey();
    const seeds = shares.map((share) => new TextEncoder().encode(`Share:\n${share}\n`));
    return plainSubject(seeds, (input) => {
      const text = new TextDecoder().decode(input);
      try {
        const { holder } = checkShare(facts, text);
        const plain = (words: string): string => words.toUpperCase().replaceAll(/[-\s]/g, "");
        const isWhole = plain(text).includes(plain(shares[holder - 1] ?? "?"));
        return isWhole ? undefined : "a damaged share was taken";
      } catch (error) {
        if (!(error instanceof ImmuneError)) return `it threw ${String(error)}`;
        return error.code === "SHARE_INVALID" ? undefined : `code ${error.code}`;
      }
    });
  },
};
