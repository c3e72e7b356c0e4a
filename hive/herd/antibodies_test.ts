import { assertEquals } from "@std/assert";
import { antibodyRuleId } from "../../common/herd/antibody.ts";
import { DAY_MS, proposalOf, TestHerd } from "./_herd_test_support.ts";
import { HERD_LIMITS } from "./limits.ts";

const PATH = "/var/tmp/.cache/miner";

/** An antibody in force on all of 40 hosts, proposed and supported by elders. */
function published(herd: TestHerd, elders: readonly string[]): string {
  const [first = "", ...others] = elders;
  const id = herd.propose(first, PATH);
  for (const by of others.slice(0, herd.herd.trust.quorum(herd.nowMs) - 1)) herd.support(by, id);
  return id;
}

/** Lets hosts match an antibody. */
function match(herd: TestHerd, id: string, agents: readonly string[]): void {
  for (const agentId of agents) {
    const hostId = herd.ledger.member(agentId)?.hostId ?? "";
    herd.ledger.addMatch(antibodyRuleId(id), { hostId, timeMs: herd.nowMs });
  }
}

Deno.test("Antibodies.propose() waits for the quorum, then goes to a few hosts, then to all", () => {
  const herd = new TestHerd();
  const elders = herd.elders(40);
  const [a = "", b = "", c = "", d = ""] = elders;
  const id = herd.propose(a, PATH);
  herd.support(b, id);
  herd.support(c, id);
  assertEquals(herd.stage(id), "proposed", "a tenth of 40 is four");
  herd.support(d, id);
  assertEquals(herd.stage(id), "canary");
  const having = elders.filter((agent) => herd.run("inForce", agent).antibodies.length > 0);
  assertEquals(having.length, 2);
  herd.nowMs += HERD_LIMITS.canaryMs;
  herd.run("tick", undefined);
  assertEquals(herd.stage(id), "all");
  assertEquals(elders.every((agent) => herd.run("inForce", agent).antibodies.length === 1), true);
});

Deno.test("Antibodies.propose() asks for an alert of the agent itself that shows the entry", () => {
  const herd = new TestHerd();
  const [a = "", b = ""] = herd.elders(5);
  const own = (evidence: readonly string[]): string | undefined =>
    herd.refusal("propose", { ...proposalOf(PATH, evidence), by: a });
  assertEquals(own(["0".repeat(32)]), "evidence", "an alert that is not there");
  assertEquals(own([herd.alert(a, "/opt/else")]), "evidence", "an alert of something else");
  assertEquals(own([herd.alert(b, PATH)]), "evidence", "an alert of another agent");
  const old = herd.alert(a, PATH);
  herd.days(8);
  assertEquals(own([old]), "evidence", "an alert of last week");
  const refuted = herd.alert(a, PATH);
  herd.run("judge", { alertId: refuted, isTrue: false });
  assertEquals(own([refuted]), "evidence", "an alert that an analyst refuted");
  assertEquals(
    own([]),
    "HERD_REFUSED: Cannot propose an antibody: It has not the members of an antibody (shape)",
  );
  assertEquals(own([herd.alert(a, PATH)]), undefined);
});

Deno.test("Antibodies.propose() does not take an antibody's own match for a detection", () => {
  const herd = new TestHerd();
  const [a = ""] = herd.elders(5);
  herd.ledger.addEvidence({
    alertId: "1".repeat(32),
    agentId: a,
    hostId: `host ${a}`,
    ruleId: antibodyRuleId("2".repeat(32)),
    timeMs: herd.nowMs,
    texts: new Set([PATH]),
  });
  const proposal = proposalOf(PATH, ["1".repeat(32)]);
  assertEquals(herd.refusal("propose", { ...proposal, by: a }), "evidence");
});

Deno.test("Antibodies.sets() tells canary hosts apart, and takes back from all at once", () => {
  const herd = new TestHerd();
  const elders = herd.elders(40);
  const id = published(herd, elders);
  assertEquals(herd.run("sets", undefined).hosts, [], "nobody looked whether it is ordinary");
  herd.run("checked", { antibodyId: id, looked: 40, hosts: 3 });
  const { fleet, hosts, number } = herd.run("sets", undefined);
  assertEquals([fleet, hosts.length, number], [[], 2, herd.run("revision", undefined)]);
  const having = elders.filter((agent) => herd.run("inForce", agent).antibodies.length > 0)
    .map((agent) => herd.ledger.member(agent)?.hostId ?? "");
  assertEquals(hosts.map(({ hostId }) => hostId).toSorted(), having.toSorted());
  herd.nowMs += HERD_LIMITS.canaryMs;
  herd.run("tick", undefined);
  const later = herd.run("sets", undefined);
  assertEquals([later.fleet.map((one) => one.id), later.hosts], [[id], []]);
  herd.run("pull", { antibodyId: id, why: "a backup", isFalse: false });
  const { fleet: none, number: last } = herd.run("sets", undefined);
  assertEquals([none, last], [[], number + 2]);
});

Deno.test("Antibodies.checked() pulls back what a tenth of the hosts have as something ordinary", () => {
  const herd = new TestHerd();
  const id = published(herd, herd.elders(40));
  herd.run("checked", { antibodyId: id, looked: 40, hosts: 4 });
  assertEquals(herd.stage(id), "pulled");
  assertEquals(herd.run("unchecked", undefined), []);
});

Deno.test("Antibodies.sets() leaves out what has run out, before anybody looks", () => {
  const herd = new TestHerd();
  const id = published(herd, herd.elders(40));
  herd.run("checked", { antibodyId: id, looked: 0, hosts: 0 });
  herd.days(30);
  assertEquals(herd.run("sets", undefined).hosts, []);
});

Deno.test("Antibodies.propose() takes no more than fit in one set", () => {
  const herd = new TestHerd({ antibodyBytesMax: 400 });
  const [a = ""] = herd.elders(1);
  herd.propose(a, "/var/tmp/one");
  const evidence = [herd.alert(a, "/var/tmp/two")];
  assertEquals(herd.refusal("propose", { ...proposalOf("/var/tmp/two", evidence), by: a }), "full");
});

Deno.test("Antibodies.support() counts an agent once, and a host once", () => {
  const herd = new TestHerd();
  const elders = herd.elders(40);
  const [a = "", b = ""] = elders;
  const id = herd.propose(a, PATH);
  const again = (by: string): string | undefined =>
    herd.refusal("support", { by, antibodyId: id, alertId: herd.alert(by, PATH) });
  assertEquals(again(a), "repeated");
  herd.support(b, id);
  assertEquals(again(b), "repeated");
  herd.ledger.join("twin", { nowMs: herd.nowMs, hostId: `host ${a}` });
  herd.herd.trust.setGenesis([...elders, "twin"], herd.nowMs);
  assertEquals(again("twin"), "same_host");
  assertEquals(herd.run("antibodies", undefined)[0]?.supporters, 2);
});

Deno.test("Antibodies.support() loses the votes of those who turn suspect", () => {
  const herd = new TestHerd();
  const [a = "", b = "", c = "", d = ""] = herd.elders(20);
  const id = herd.propose(a, PATH);
  herd.support(b, id);
  herd.run("suspect", b);
  assertEquals(
    herd.refusal("support", { by: b, antibodyId: id, alertId: herd.alert(b, PATH) }),
    "suspect",
  );
  herd.support(c, id);
  assertEquals(herd.stage(id), "proposed");
  herd.support(d, id);
  assertEquals(herd.stage(id), "canary");
});

Deno.test("Antibodies: a rule and the block of a port need an analyst, however many agree", () => {
  const herd = new TestHerd();
  const elders = herd.elders(10);
  const [a = "", ...others] = elders;
  const id = herd.propose(a, "4444", { entry: { type: "port", value: "4444" } });
  for (const by of others) herd.support(by, id);
  assertEquals(herd.stage(id), "proposed");
  assertEquals(herd.run("approve", id).stage, "canary");
});

Deno.test("Antibodies.approve() confirms the detections, and needs no quorum", () => {
  const herd = new TestHerd();
  const [a = ""] = herd.elders(1);
  herd.days(20);
  const id = herd.propose(a, PATH);
  const before = herd.trust(a);
  herd.run("approve", id);
  assertEquals(Math.round((herd.trust(a) - before) * 100), 5);
  assertEquals(herd.refusal("approve", id), "state");
  assertEquals(herd.run("inForce", a).antibodies.length, 1, "the only host is the canary");
});

Deno.test("Antibodies.create() takes an analyst's word, and a detection all the same", () => {
  const herd = new TestHerd();
  herd.join("new", 3);
  assertEquals(herd.refusal("create", proposalOf(PATH, ["0".repeat(32)])), "evidence");
  const { stage } = herd.run("create", proposalOf(PATH, [herd.alert("new0", PATH)]));
  assertEquals(stage, "canary");
});

Deno.test("Antibodies.tick() pulls back what too many hosts match", () => {
  const herd = new TestHerd();
  const elders = herd.elders(40);
  const id = published(herd, elders);
  herd.nowMs += HERD_LIMITS.canaryMs;
  herd.run("tick", undefined);
  match(herd, id, elders.slice(0, 7));
  herd.run("tick", undefined);
  assertEquals(herd.stage(id), "all", "four of the seven are where it was born");
  match(herd, id, elders.slice(30, 31));
  herd.run("tick", undefined);
  assertEquals(herd.stage(id), "pulled");
  assertEquals(elders.some((agent) => herd.run("inForce", agent).antibodies.length > 0), false);
});

Deno.test("Antibodies.tick() adds slow matches up: the brake is not evaded by patience", () => {
  const herd = new TestHerd();
  const elders = herd.elders(40);
  const id = published(herd, elders);
  herd.nowMs += HERD_LIMITS.canaryMs;
  herd.run("tick", undefined);
  for (const agent of elders.slice(20, 24)) {
    assertEquals(herd.stage(id), "all");
    herd.days(1);
    match(herd, id, [agent]);
    herd.run("tick", undefined);
  }
  assertEquals(herd.stage(id), "pulled");
});

Deno.test("Antibodies.tick() brakes on the canary hosts, before all have it", () => {
  const herd = new TestHerd();
  const elders = herd.elders(40);
  const id = published(herd, elders);
  const canaries = elders.filter((agent) => herd.run("inForce", agent).antibodies.length > 0);
  match(herd, id, canaries);
  herd.nowMs += HERD_LIMITS.canaryMs;
  herd.run("tick", undefined);
  assertEquals([canaries.length, herd.stage(id)], [2, "pulled"]);
});

Deno.test("Antibodies.tick() does not hear suspects, so that they cannot pull the brake", () => {
  const herd = new TestHerd();
  const elders = herd.elders(40);
  const id = published(herd, elders);
  herd.nowMs += HERD_LIMITS.canaryMs;
  herd.run("tick", undefined);
  for (const agent of elders.slice(20, 30)) herd.run("suspect", agent);
  match(herd, id, elders.slice(20, 30));
  herd.run("tick", undefined);
  assertEquals(herd.stage(id), "all");
});

Deno.test("Antibodies.confirm() takes the brake off", () => {
  const herd = new TestHerd();
  const elders = herd.elders(40);
  const id = published(herd, elders);
  herd.run("confirm", id);
  match(herd, id, elders);
  herd.run("tick", undefined);
  assertEquals(herd.stage(id), "canary");
  assertEquals(herd.refusal("object", { by: elders[9] ?? "", antibodyId: id }), "state");
});

Deno.test("Antibodies.object() pulls back at three agents that count, and from newcomers none", () => {
  const herd = new TestHerd();
  const elders = herd.elders(40);
  const id = published(herd, elders);
  herd.join("new", 1);
  assertEquals(herd.refusal("object", { by: "new0", antibodyId: id }), "newcomer");
  const [a = "", b = "", c = ""] = elders.slice(10);
  herd.run("object", { by: a, antibodyId: id });
  assertEquals(herd.refusal("object", { by: a, antibodyId: id }), "repeated");
  herd.run("object", { by: b, antibodyId: id });
  assertEquals(herd.stage(id), "canary");
  assertEquals(herd.run("object", { by: c, antibodyId: id }).stage, "pulled");
});

Deno.test("Antibodies.pull() as false costs trust once, and agents cannot bring it again", () => {
  const herd = new TestHerd();
  const elders = herd.elders(40);
  const [a = ""] = elders;
  const id = published(herd, elders);
  herd.run("pull", { antibodyId: id, why: "a backup tool", isFalse: true });
  assertEquals(Math.round(herd.trust(a) * 10), 9);
  assertEquals(
    herd.refusal("pull", { antibodyId: id, why: "again", isFalse: true }),
    "repeated",
  );
  const proposal = { ...proposalOf(PATH, [herd.alert(a, PATH)]), by: a };
  assertEquals(herd.refusal("propose", proposal), "pulled");
  const { stage } = herd.run("create", proposalOf(PATH, [herd.alert(a, PATH)]));
  assertEquals(stage, "canary", "an analyst can");
});

Deno.test("Antibodies.inForce() counts up with every change and forgets what expired", () => {
  const herd = new TestHerd();
  const [a = ""] = herd.elders(1);
  const { number } = herd.run("inForce", a);
  const id = herd.propose(a, PATH);
  assertEquals(herd.run("inForce", a).number, number, "a proposal changes nothing for agents");
  herd.run("approve", id);
  const after = herd.run("inForce", a).number;
  assertEquals(after > number, true);
  herd.days(7);
  assertEquals(herd.run("inForce", a).antibodies, []);
  herd.run("tick", undefined);
  assertEquals(herd.stage(id), "expired");
  assertEquals(herd.run("inForce", a).number > after, true);
  herd.days(31);
  herd.run("tick", undefined);
  assertEquals(herd.stage(id), undefined, "and in the end it is gone");
});

Deno.test("Antibodies.propose() is bounded for an agent and a day, and for the herd", () => {
  const herd = new TestHerd({ antibodiesMax: 25 });
  const [a = "", b = ""] = herd.elders(2);
  const { proposalsPerDay } = HERD_LIMITS;
  const path = (number: number): string => `/var/tmp/${number}/x`;
  for (let i = 0; i < proposalsPerDay; i++) herd.propose(a, path(i));
  const refused = (by: string, number: number): string | undefined =>
    herd.refusal("propose", { ...proposalOf(path(number), [herd.alert(by, path(number))]), by });
  assertEquals(refused(a, 100), "budget");
  for (let i = 20; i < 25; i++) herd.propose(b, path(i));
  assertEquals(refused(b, 101), "full");
  herd.nowMs += DAY_MS + 1;
  assertEquals(refused(a, 102), "full");
});
