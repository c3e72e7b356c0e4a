import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TestHerd } from "./_herd_test_support.ts";
import { HERD_LIMITS } from "./limits.ts";
import { trustNow } from "./standing.ts";

function near(found: number, expected: number): void {
  assert(Math.abs(found - expected) < 1e-9, `${found} is not ${expected}`);
}

Deno.test("Trust.vouch() adds a tenth a distinct voucher, and three make a member", () => {
  const herd = new TestHerd();
  const [a = "", b = "", c = ""] = herd.elders(3);
  herd.join("new", 1);
  near(herd.trust("new0"), 0.3);
  herd.run("vouch", { by: a, of: "new0" });
  const second = herd.run("vouch", { by: b, of: "new0" });
  near(second.trust, 0.5);
  assertEquals([second.state, second.counts], ["newcomer", false]);
  const third = herd.run("vouch", { by: c, of: "new0" });
  assertEquals([third.state, third.counts, third.vouchers], ["member", true, 3]);
});

Deno.test("Trust.vouch() counts one voucher three times once", () => {
  const herd = new TestHerd();
  const [a = ""] = herd.elders(3);
  herd.join("new", 1);
  herd.run("vouch", { by: a, of: "new0" });
  assertEquals(herd.refusal("vouch", { by: a, of: "new0" }), "repeated");
  assertEquals(herd.refusal("vouch", { by: a, of: "new0" }), "repeated");
  near(herd.trust("new0"), 0.4);
});

Deno.test("Trust.vouch() takes nobody's word for itself, nor that of one who does not count", () => {
  const herd = new TestHerd();
  const [a = ""] = herd.elders(3);
  herd.join("new", 2);
  assertEquals(herd.refusal("vouch", { by: a, of: a }), "self");
  assertEquals(herd.refusal("vouch", { by: "new0", of: "new1" }), "newcomer");
  assertEquals(herd.refusal("vouch", { by: "nobody", of: "new1" }), "unknown");
  assertEquals(herd.refusal("vouch", { by: a, of: "nobody" }), "unknown");
});

Deno.test("Trust.vouch() is bounded for a voucher, and free again when its window is over", () => {
  const herd = new TestHerd();
  const [a = ""] = herd.elders(1);
  const newcomers = herd.join("new", HERD_LIMITS.vouchesPerVoucher + 1);
  const last = newcomers.at(-1) ?? "";
  for (const of of newcomers.slice(0, -1)) herd.run("vouch", { by: a, of });
  assertEquals(herd.refusal("vouch", { by: a, of: last }), "budget");
  herd.nowMs += HERD_LIMITS.vouchWindowMs;
  assertEquals(herd.refusal("vouch", { by: a, of: last }), undefined);
});

Deno.test("Trust.vouch() is not for those who joined a short time ago", () => {
  const herd = new TestHerd();
  const elders = herd.elders(6);
  herd.join("new", 3);
  for (const by of elders) herd.run("vouch", { by, of: "new0" });
  for (const by of elders.slice(0, 3)) herd.run("vouch", { by, of: "new1" });
  assertEquals(herd.refusal("vouch", { by: "new0", of: "new2" }), "probation");
  herd.nowMs += HERD_LIMITS.probationMs;
  assertEquals(herd.refusal("vouch", { by: "new0", of: "new2" }), undefined);
  assertEquals(
    herd.refusal("vouch", { by: "new1", of: "new2" }),
    "newcomer",
    "three vouches do not carry so far that who has no more brings others in",
  );
});

Deno.test("Trust.report() makes suspect at five distinct agents, not at one that storms", () => {
  const herd = new TestHerd();
  const elders = herd.elders(6);
  const [target = "", ...reporters] = elders;
  const [first = ""] = reporters;
  herd.run("report", { by: first, of: target });
  for (let i = 0; i < 20; i++) {
    assertEquals(herd.refusal("report", { by: first, of: target }), "repeated");
  }
  for (const by of reporters.slice(1, 4)) herd.run("report", { by, of: target });
  assertEquals(herd.herd.trust.standing(target, herd.nowMs).state, "member");
  herd.run("report", { by: reporters[4] ?? "", of: target });
  assertEquals(herd.herd.trust.standing(target, herd.nowMs).state, "suspect");
});

Deno.test("Trust.report() does not hear a suspect, who has no vote either", () => {
  const herd = new TestHerd();
  const [a = "", b = ""] = herd.elders(2);
  herd.run("suspect", a);
  assertEquals(herd.refusal("report", { by: a, of: b }), "suspect");
  assertEquals(herd.refusal("vouch", { by: a, of: b }), "suspect");
  assertEquals(herd.herd.trust.standing(a, herd.nowMs).counts, false);
  herd.days(300);
  assertEquals(herd.herd.trust.standing(a, herd.nowMs).state, "suspect", "time alone clears none");
  assertEquals(herd.run("clear", a).state, "member");
});

Deno.test("Trust.report() counts only reporters that count still", () => {
  const herd = new TestHerd();
  const elders = herd.elders(7);
  const [target = "", turned = "", ...others] = elders;
  for (const by of [turned, ...others.slice(0, 3)]) herd.run("report", { by, of: target });
  herd.run("suspect", turned);
  herd.run("report", { by: others[3] ?? "", of: target });
  assertEquals(herd.herd.trust.standing(target, herd.nowMs).state, "member");
  herd.run("report", { by: others[4] ?? "", of: target });
  assertEquals(herd.herd.trust.standing(target, herd.nowMs).state, "suspect");
});

Deno.test("Trust.blacklist() takes back what was vouched, and costs those who vouched", () => {
  const herd = new TestHerd();
  const elders = herd.elders(6);
  herd.join("bad", 1);
  herd.join("new", 1);
  for (const by of elders) herd.run("vouch", { by, of: "bad0" });
  herd.nowMs += HERD_LIMITS.probationMs;
  herd.run("vouch", { by: "bad0", of: "new0" });
  const before = [herd.trust("new0"), herd.trust("elder0")];
  herd.run("blacklist", "bad0");
  near(herd.trust("new0"), (before[0] ?? 0) - 0.1);
  near(herd.trust("elder0"), (before[1] ?? 0) - 0.1);
  assertEquals(herd.herd.trust.standing("new0", herd.nowMs).vouchers, 0);
  assertEquals(herd.refusal("vouch", { by: "bad0", of: "new0" }), "blacklisted");
  assertEquals(herd.refusal("clear", "bad0"), "state");
  assertEquals(herd.refusal("vouch", { by: "elder0", of: "bad0" }), "blacklisted");
});

Deno.test("Trust.judge() adds for two confirmed detections a day, and takes for a false one", () => {
  const herd = new TestHerd();
  herd.join("new", 1);
  for (let i = 0; i < 3; i++) {
    const alertId = herd.alert("new0", "x");
    herd.run("judge", { alertId, isTrue: true });
    assertEquals(herd.refusal("judge", { alertId, isTrue: true }), "repeated");
  }
  near(herd.trust("new0"), 0.4);
  for (let i = 0; i < 3; i++) {
    herd.run("judge", { alertId: herd.alert("new0", "x"), isTrue: false });
  }
  near(herd.trust("new0"), 0.1);
  assertEquals(herd.herd.trust.standing("new0", herd.nowMs).state, "suspect", "under 0.2");
});

Deno.test("trustNow() moves a hundredth a day, up or down, and stops at 0.3", () => {
  const herd = new TestHerd();
  herd.elders(1);
  herd.days(10);
  near(herd.trust("elder0"), 0.9);
  herd.days(1000);
  near(herd.trust("elder0"), 0.3);
  herd.herd.trust.punish("elder0", { loss: 0.2, nowMs: herd.nowMs });
  herd.days(5);
  near(herd.trust("elder0"), 0.15);
  herd.days(500);
  near(herd.trust("elder0"), 0.3);
});

Deno.test("trustNow() is the same however often one looks, and a clock set back changes nothing", () => {
  fc.assert(fc.property(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.array(fc.integer({ min: 0, max: 40 * 86_400_000 }), { maxLength: 20 }),
    (trust, steps) => {
      const limits = HERD_LIMITS;
      let [now, value] = [0, trust];
      for (const step of steps) {
        value = trustNow({ trust: value, trustAtMs: now }, { nowMs: now + step, limits });
        now += step;
      }
      near(value, trustNow({ trust, trustAtMs: 0 }, { nowMs: now, limits }));
      assertEquals(trustNow({ trust, trustAtMs: 1000 }, { nowMs: 0, limits }), trust);
    },
  ));
});

type Deed = readonly [
  kind: "vouch" | "report" | "judge" | "wait" | "blacklist" | "clear",
  by: number,
  of: number,
];

const DEED: fc.Arbitrary<Deed> = fc.tuple(
  fc.constantFrom("vouch", "vouch", "vouch", "report", "judge", "wait", "blacklist", "clear"),
  fc.nat(11),
  fc.nat(11),
);

function does(herd: TestHerd, [kind, by, of]: Deed, ids: readonly string[]): void {
  const [from = "", to = ""] = [ids[by % ids.length], ids[of % ids.length]];
  if (kind === "wait") herd.days(by + 1);
  else if (kind === "judge") {
    herd.run("judge", { alertId: herd.alert(from, "x"), isTrue: of % 2 === 0 });
  } else if (kind === "vouch" || kind === "report") herd.refusal(kind, { by: from, of: to });
  else herd.refusal(kind, from);
}

Deno.test("Trust stays between 0 and 1, and a word counts once, whatever is said", () => {
  fc.assert(
    fc.property(fc.array(DEED, { maxLength: 120 }), (deeds) => {
      const herd = new TestHerd();
      const ids = [...herd.elders(6), ...herd.join("new", 6)];
      for (const deed of deeds) {
        does(herd, deed, ids);
        for (const { trust, vouchers } of herd.run("standings", undefined)) {
          assert(trust >= 0 && trust <= 1, `trust ${trust}`);
          assert(vouchers < ids.length);
        }
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("Trust: bought identities that only know each other never count", () => {
  const among = DEED.filter(([kind]) => kind === "vouch" || kind === "report" || kind === "wait");
  fc.assert(
    fc.property(fc.array(among, { maxLength: 150 }), (deeds) => {
      const herd = new TestHerd();
      herd.elders(3);
      const ids = herd.join("bought", 12);
      for (const deed of deeds) does(herd, deed, ids);
      for (const standing of herd.run("standings", undefined)) {
        if (!standing.agentId.startsWith("bought")) continue;
        assert(standing.trust <= HERD_LIMITS.trustAtJoining + 1e-9 && !standing.counts);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("Trust: stolen agents bring in no more than their vouches divided by three", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 6 }),
    fc.array(fc.tuple(fc.nat(5), fc.nat(11)), { maxLength: 200 }),
    (stolen, words) => {
      const herd = new TestHerd();
      const thieves = herd.elders(6).slice(0, stolen);
      const bought = herd.join("bought", 12);
      for (const [by, of] of words) {
        const [from = "", to = ""] = [thieves[by % stolen], bought[of]];
        herd.refusal("vouch", { by: from, of: to });
      }
      const members = herd.run("standings", undefined)
        .filter(({ agentId, state }) => agentId.startsWith("bought") && state === "member");
      const { vouchesPerVoucher, vouchersNeeded } = HERD_LIMITS;
      assert(members.length <= Math.floor(stolen * vouchesPerVoucher / vouchersNeeded));
    },
  ));
});
