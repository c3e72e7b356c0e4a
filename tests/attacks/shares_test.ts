import { makeStopKey, readShare, shareText, withStopKey } from "../../common/keys/mod.ts";
import { type Attack, attackTable } from "./table.ts";

const made = await makeStopKey();
const foreign = await makeStopKey();
const [A = "", B = "", C = "", D = ""] = made.shares;

/** What the holders are told when they use shares. */
async function used(shares: readonly string[], facts = made.facts): Promise<string> {
  try {
    await withStopKey(facts, { shares, use: () => Promise.resolve() });
    return "the key was used";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A share that is another's in what the row says. */
function forged(change: (value: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>): string {
  const share = readShare(C);
  return shareText({ ...share, value: change(share.value) });
}

const ROWS: readonly Attack<undefined>[] = [
  {
    tries: "two of five shares",
    refused: /2 shares of 3 are here/,
    attempt: () => used([A, B]),
  },
  {
    tries: "one share three times",
    refused: /comes twice/,
    attempt: () => used([A, A, A]),
  },
  {
    tries: "two shares, one of them twice",
    refused: /comes twice/,
    attempt: () => used([A, B, B]),
  },
  {
    tries: "a forged share with a right checksum",
    refused: /holder 3: it is not the one that was given/,
    attempt: () => used([A, B, forged((value) => value.with(0, (value[0] ?? 0) ^ 1))]),
  },
  {
    tries: "a share with another's x",
    refused: /not the one that was given/,
    attempt: () => used([A, B, forged((value) => value.with(32, readShare(A).value[32] ?? 0))]),
  },
  {
    tries: "a share with x = 0, which would be the key itself",
    refused: /its numbers do not hold/,
    attempt: () => used([A, B, forged((value) => value.with(32, 0))]),
  },
  {
    tries: "a share that says that two are enough",
    refused: /not the one that was given/,
    attempt: () => used([A, shareText({ ...readShare(B), threshold: 2 })]),
  },
  {
    tries: "a share of another stop key",
    refused: /another sharing/,
    attempt: () => used([A, B, foreign.shares[2] ?? ""]),
  },
  {
    tries: "shares of another stop key against this one's public half",
    refused: /another one than was published/,
    attempt: () => used(foreign.shares, { ...foreign.facts, publicKey: made.facts.publicKey }),
  },
  {
    tries: "a hive that says that one share is enough",
    refused: /2 to 10 are possible/,
    attempt: () => used([A], { ...made.facts, threshold: 1 }),
  },
  {
    tries: "a hive that says that two shares are enough",
    refused: /another one than was published/,
    attempt: () => used([A, B], { ...made.facts, threshold: 2 }),
  },
  {
    tries: "a mistyped share",
    refused: /a character of it is wrong/,
    attempt: () => used([A, B, `${D.slice(0, -1)}${D.endsWith("A") ? "E" : "A"}`]),
  },
];

attackTable({
  subject: "the stop key",
  against: (attack) => attack(undefined),
}, ROWS);
