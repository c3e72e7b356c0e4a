import { assertEquals, assertThrows } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { ImmuneError } from "../../common/config/errors.ts";
import { TestHerd } from "./_herd_test_support.ts";
import { readGenesis, signGenesis } from "./genesis.ts";

const KEY = generateKeyPairSync("ed25519").privateKey;
const OTHER = generateKeyPairSync("ed25519").privateKey;
const IDS = [crypto.randomUUID(), crypto.randomUUID()];

function herdOf(ids: readonly string[]): TestHerd {
  const herd = new TestHerd();
  for (const id of ids) herd.ledger.join(id, { nowMs: herd.nowMs });
  return herd;
}

Deno.test("readGenesis() gives what signGenesis() signed", () => {
  const { number, agents } = readGenesis(signGenesis({ number: 3, agents: IDS }, KEY));
  assertEquals([number, agents], [3, IDS]);
});

Deno.test("readGenesis() refuses what was changed, and what is none", () => {
  const good = JSON.parse(signGenesis({ number: 1, agents: IDS }, KEY));
  const other = JSON.parse(signGenesis({ number: 2, agents: IDS }, KEY));
  const bad = [
    "",
    "{}",
    "x".repeat(70_000),
    JSON.stringify({ ...good, content: other.content }),
    JSON.stringify({ ...good, signature: other.signature }),
    JSON.stringify({ ...good, publicKey: "A".repeat(43) }),
    JSON.stringify({ ...good, publicKey: `A${"d".repeat(41)}A` }),
    JSON.stringify({ ...good, more: 1 }),
    signGenesis({ number: 0, agents: IDS }, KEY),
    signGenesis({ number: 1, agents: [] }, KEY),
    signGenesis({ number: 1, agents: ["not a uuid"] }, KEY),
  ];
  for (const text of bad) assertThrows(() => readGenesis(text), ImmuneError);
});

Deno.test("Herd genesis: gives trust 1, from the first key on by that key alone, and only newer", () => {
  const herd = herdOf(IDS);
  const [a = "", b = ""] = IDS;
  herd.run("genesis", signGenesis({ number: 2, agents: [a] }, KEY));
  assertEquals([herd.trust(a), herd.trust(b)], [1, 0.3]);
  const set = (number: number, key = KEY): string => signGenesis({ number, agents: IDS }, key);
  assertEquals(herd.refusal("genesis", set(3, OTHER)), "signature");
  assertEquals(herd.refusal("genesis", set(2)), "replayed");
  assertEquals(herd.refusal("genesis", set(1)), "replayed");
  assertEquals(herd.refusal("genesis", set(3)), undefined);
  assertEquals(herd.trust(b), 1);
});

Deno.test("Herd genesis: a set with an agent that cannot be in it changes nothing", () => {
  const herd = herdOf(IDS);
  const [a = "", b = ""] = IDS;
  const stranger = crypto.randomUUID();
  herd.run("blacklist", b);
  for (const bad of [stranger, b]) {
    const text = signGenesis({ number: 1, agents: [a, bad] }, KEY);
    assertEquals(herd.refusal("genesis", text) !== undefined, true);
    assertEquals(herd.trust(a), 0.3);
  }
  assertEquals(herd.refusal("genesis", signGenesis({ number: 1, agents: [a] }, KEY)), undefined);
});

Deno.test("Herd genesis: who leaves the set keeps its trust and needs vouchers", () => {
  const herd = herdOf(IDS);
  const [a = "", b = ""] = IDS;
  herd.run("genesis", signGenesis({ number: 1, agents: [a, b] }, KEY));
  herd.days(10);
  herd.run("genesis", signGenesis({ number: 2, agents: [a] }, KEY));
  const standing = herd.herd.trust.standing(b, herd.nowMs);
  assertEquals([Math.round(standing.trust * 10), standing.state], [9, "newcomer"]);
  assertEquals(herd.trust(a), 1, "signing again renews");
});
