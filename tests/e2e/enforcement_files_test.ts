// What a policy in force does as programs, files and orders change.
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { BEGIN_AGAIN_MS, TAKE_OVER_TRIALS } from "../../agent/enforce/enforcement.ts";
import {
  chooseTiers,
  type EnforcementPolicy,
  parseEnforcement,
  releasePinned,
  type Tier,
  type TierTrial,
} from "../../agent/enforce/mod.ts";
import type { RecordView } from "../../common/record/decode.ts";
import { KINDS } from "../../common/record/table.ts";
import {
  blocking,
  enforcementOf,
  hasTier,
  hostTiers,
  Refusals,
  tierTest,
} from "../support/enforcement.ts";
import { letGo } from "../support/held_bpf.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";
import { hasOverlay, onOverlay, onTmpfs } from "../support/mounts.ts";
import { compile, Probe, run } from "../support/probe.ts";
import {
  RAN,
  REFUSED,
  refusedUntil,
  starts,
  type Tools,
  untilRefused,
  withTools,
} from "../support/starts.ts";

/** Of `struct immune_enforce_header`, and of `struct immune_enforce_mark`, which ends a policy here. */
const MARK_COUNT_AT = 52;
const MARK_BYTES = 264;

tierTest("a program is found by its hash before its first run, under any name", {
  tier: "fanotify",
  action: "exec",
  test: withTools(async ({ folder, runs, speaker }) => {
    const bytes = await Deno.readFile(speaker);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    using refusals = new Refusals(blocking("exec", `sha256 = ["${hash}"]`), {
      tiers: ["fanotify"],
    });
    await untilRefused(() => starts(runs, { program: speaker }));
    await Deno.copyFile(speaker, `${folder}/fresh`);
    const refused = "refused 1 killed 0 ran 0 bytes 0";
    assertEquals(await starts(runs, { program: `${folder}/fresh` }), refused);
    // Its identity is known by now; what it is changed to is another program.
    assertEquals(await starts(runs, { program: `${folder}/fresh` }), refused);
    await Deno.writeFile(`${folder}/fresh`, new Uint8Array([...bytes, 0]));
    assertEquals(
      await starts(runs, { program: `${folder}/fresh` }),
      RAN,
    );
    assertEquals(refusedUntil(refusals, 3).length, 3);
    // Changed back, or one that ran before it became what is listed: refused.
    await Deno.writeFile(`${folder}/fresh`, bytes);
    assertEquals(await starts(runs, { program: `${folder}/fresh` }), refused);
    assertEquals(refusedUntil(refusals, 4).length, 4);
    // Read once and known from then on, as all programs of the host are: soon nothing is read.
    const read = async (): Promise<number | undefined> => {
      assertEquals(await starts(runs, { program: `${folder}/fresh` }), refused);
      return refusals.enforcer.counts()[0]?.hashed;
    };
    let [before, now] = [await read(), await read()];
    for (let i = 0; i < 50 && before !== now; i++) [before, now] = [now, await read()];
    assertEquals(before, now);
  }),
});

/** Refuses a program by its hash after it was let go, and back, each time without another change time. */
async function remapAndRefuse({ folder, runs, speaker }: Tools, place: string): Promise<void> {
  const remap = await compile("remap", folder);
  const [listed, other] = [`${folder}/listed`, `${place}/other`];
  await Deno.copyFile(speaker, listed);
  await Deno.writeTextFile(listed, "1", { append: true });
  await Deno.copyFile(speaker, other);
  await Deno.writeTextFile(other, "0", { append: true });
  const bytes = await Deno.readFile(listed);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  using refusals = new Refusals(blocking("exec", `sha256 = ["${hash}"]`), {
    tiers: ["fanotify"],
  });
  const start = (program: string): Promise<string> => starts(runs, { program });
  await untilRefused(() => start(listed));
  assertEquals(await start(other), RAN);
  assertEquals((await run(remap, [other])).lines, ["untold"]);
  await untilRefused(() => start(other));
  assertEquals((await run(remap, [other])).lines, ["untold"]);
  assertEquals(await start(other), RAN);
  assert((refusals.enforcer.counts()[0]?.hashed ?? 0) > 0);
}

tierTest("a program in memory is found by its hash, whatever it was when it ran before", {
  tier: "fanotify",
  action: "exec",
  test: withTools(async (tools) => {
    const place = `${tools.folder}/memory`;
    await onTmpfs(place, async () => await remapAndRefuse(tools, place));
  }),
});

Deno.test({
  name: "fanotify tier: a program of an overlay in memory is found by its hash, whatever it was",
  ignore: !hasOverlay() || !hasTier("fanotify", "exec"),
  fn: withTools(async (tools) => {
    const { folder, speaker } = tools;
    await onOverlay({ folder, program: speaker }, async (program) => {
      await remapAndRefuse(tools, program.slice(0, program.lastIndexOf("/")));
    });
  }),
});

for (const tier of ["lsm", "fanotify", "signal"] as const) {
  Deno.test({
    name: `${tier} tier: on overlayfs a file is refused by what it is`,
    ignore: !hasOverlay() || !hasTier(tier, "exec"),
    fn: withTools(async ({ folder, runs }) =>
      await onOverlay({ folder, program: `${folder}/speak` }, async (program) => {
        using refusals = new Refusals(blocking("exec", `files = ["${program}"]`), {
          tiers: [tier],
        });
        await Deno.rename(program, `${program}-renamed`);
        const ended = await starts(runs, { program: `${program}-renamed` });
        assertEquals(ended, (REFUSED[tier] ?? String)(1));
        assertEquals(refusals.until(1).length, 1);
        assertEquals(
          await starts(runs, { program: `${folder}/speak` }),
          RAN,
        );
      })
    ),
  });
}

tierTest("while large programs are hashed others are judged, and not one goes unnoticed", {
  tier: "fanotify",
  action: "exec",
  test: withTools(async ({ folder, runs, speaker }) => {
    // More than may wait for their hash.
    const large = Array.from({ length: 40 }, (_, i) => `${folder}/large-${i}`);
    for (const [i, path] of large.entries()) {
      await Deno.copyFile(speaker, path);
      // Zeros that take no room, and a length that no other one has.
      await Deno.truncate(path, (60 << 20) + i);
    }
    const policy = blocking("exec", `paths = ["${speaker}"]\nsha256 = ["${"0".repeat(64)}"]`);
    using refusals = new Refusals(policy, { tiers: ["fanotify"] });
    let hashing = true;
    const ends = Promise.all(large.map((program) => starts(runs, { program })))
      .finally(() => hashing = false);
    let times = 0;
    for (; hashing || times === 0; times++) {
      assertEquals(await starts(runs, { program: speaker }), "refused 1 killed 0 ran 0 bytes 0");
    }
    for (const ended of await ends) assertEquals(ended, RAN);
    assertEquals(refusals.until(times).length, times);
  }),
});

tierTest("a policy that does not hold changes nothing", {
  tier: "fanotify",
  action: "exec",
  test: withTools(async ({ runs, speaker }) => {
    const policy = blocking("exec", `paths = ["${speaker}"]`);
    const tiers: readonly Tier[] = hasTier("signal", "exec")
      ? ["fanotify", "signal"]
      : ["fanotify"];
    using refusals = new Refusals(policy, { tiers });
    // Marks of a kind that there is not.
    const blob = refusals.blob(policy);
    const view = new DataView(blob.buffer);
    view.setUint32(blob.length - view.getUint32(MARK_COUNT_AT, true) * MARK_BYTES, 9, true);
    assertThrows(() => refusals.enforcer.policy(blob), Error, "Cannot mark");
    assertEquals(await starts(runs, { program: speaker }), "refused 1 killed 0 ran 0 bytes 0");
    refusals.set(blocking("exec", `paths = ["/nowhere/x"]`));
    assertEquals(await starts(runs, { program: speaker }), RAN);
    assertEquals(refusals.until(1).length, 1);
  }),
});

tierTest("directories that somebody makes take no place of those above or before", {
  tier: "fanotify",
  action: "exec",
  test: withTools(async ({ folder, runs, speaker }) => {
    const many = `${folder}/many`;
    await Deno.mkdir(`${many}/kept`, { recursive: true });
    const policy = blocking("exec", `paths = ["${many}/**", "${speaker}"]`);
    // Where the file system does not say when it was made, `kept` is one among many.
    const isKnown = Deno.statSync(`${many}/kept`).birthtime !== null;
    const programs = [speaker, `${many}/speak`, ...isKnown ? [`${many}/kept/speak`] : []];
    for (const program of programs.slice(1)) await Deno.copyFile(speaker, program);
    const refused = async (): Promise<void> => {
      for (const program of programs) {
        assertEquals(await starts(runs, { program }), "refused 1 killed 0 ran 0 bytes 0");
      }
    };
    const left = (refusals: Refusals): readonly unknown[] =>
      refusals.enforcer.left().map(({ what, path, count }) => [what, path, count]);
    const over = [["directories", `${many}/`, 6]];
    {
      using refusals = new Refusals(policy, { tiers: ["fanotify"] });
      assertEquals(left(refusals), []);
      for (let i = 0; i < 4100; i++) Deno.mkdirSync(`${many}/${i}`);
      assertStringIncludes(refusals.enforcer.look() ?? "", `6 directories or more`);
      assertEquals(left(refusals), over);
      await refused();
    }
    using again = new Refusals(policy, { tiers: ["fanotify"] });
    assertEquals(left(again), over);
    await refused();
    assertEquals(again.until(programs.length).length, programs.length);
  }),
});

tierTest("a policy that cannot be put in force at the start is told, and the sensor goes on", {
  tier: "signal",
  action: "exec",
  test: withTools(async ({ folder, runs, speaker }) => {
    using probe = new Probe({ kinds: ["exec", "verdict"] });
    const warnings: string[] = [];
    const policy = blocking("exec", `paths = ["${speaker}"]`);
    const pinPath = `${folder}/pins`;
    await Deno.mkdir(pinPath);
    // Nothing can be pinned here.
    using enforcement = enforcementOf(probe, {
      policy,
      pinPath,
      onWarning: (message) => warnings.push(message),
    });
    assertEquals(enforcement.tiers, []);
    assertStringIncludes(warnings.join("\n"), "this agent refuses nothing");
    assertEquals(enforcement.weaknesses().map(({ object }) => object), ["policy"]);
    assertEquals(await starts(runs, { program: speaker }), RAN);
    probe.until((records) => records.some((record) => record.kindId === KINDS.exec.id));
    await run("mount", ["-t", "bpf", "none", pinPath]);
    try {
      enforcement.use(enforcement.policy);
      assertEquals(enforcement.weaknesses(), []);
      assertNotEquals(await starts(runs, { program: speaker }), RAN);
      await letGo(() => enforcement.remove());
    } finally {
      await run("umount", [pinPath]);
    }
  }),
});

/** A policy that the loader refuses: it has more hashes than there is room for. */
function tooManyHashes(): string {
  return Array.from({ length: 5 }, (_, entry) => {
    const hashes = Array.from({ length: 1000 }, (_, i) => `${entry}${i}`.padStart(64, "0"));
    return `[[entry]]\nname = "${entry}"\naction = "exec"\nsha256 = ${JSON.stringify(hashes)}\n`;
  }).join("");
}

tierTest("while no policy is in force what was pinned goes on, and is told", {
  tier: "signal",
  action: "exec",
  test: withTools(async ({ runs, speaker }) => {
    using probe = new Probe({ kinds: ["verdict"] });
    const pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
    const start = (): Promise<string> => starts(runs, { program: speaker });
    const tooMany = tooManyHashes();
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    const earlier = async (): Promise<void> => {
      const policy = blocking("exec", `paths = ["${speaker}"]`);
      enforcementOf(probe, { policy, pinPath })[Symbol.dispose]();
      assertNotEquals(await start(), RAN);
      warnings.length = 0;
    };
    try {
      await earlier();
      {
        using next = enforcementOf(probe, { policy: tooMany, pinPath, onWarning });
        assertNotEquals(await start(), RAN);
        const detail = next.weaknesses().map(({ detail }) => detail).join("\n");
        for (const said of [warnings.join("\n"), detail]) {
          assertStringIncludes(said, "too many hashes");
          assertStringIncludes(said, `left pinned in "${pinPath}" goes on refusing`);
          assertStringIncludes(said, "immune agent release");
        }
        assertEquals(next.blocking(true), true);
        const { programs, left } = next.remove();
        assertEquals([programs > 0, left], [true, 0]);
        assertEquals(await start(), RAN);
      }
      // One that is to observe ends what it cannot pause, and says so.
      await earlier();
      using next = enforcementOf(probe, { policy: tooMany, pinPath, paused: true, onWarning });
      assertEquals(await start(), RAN);
      assertStringIncludes(warnings.at(-1) ?? "", "were taken away");
      assertEquals(next.blocking(false), false);
      // What cannot be taken away is no success.
      Deno.mkdirSync(`${pinPath}/1/folder`, { recursive: true });
      assertEquals(next.blocking(false), true);
      assertEquals(next.remove().left, 1);
      assertStringIncludes(warnings.at(-1) ?? "", "Cannot release what is pinned");
      Deno.removeSync(`${pinPath}/1/folder`);
    } finally {
      releasePinned(pinPath);
    }
  }),
});

/** What a trial says where tiers fail that may work later. */
function without(isFailing: (trial: TierTrial) => boolean): readonly TierTrial[] {
  return hostTiers().map((trial) =>
    trial.state === "works" && isFailing(trial)
      ? { ...trial, state: "silent", reason: "told nothing", mayWork: true }
      : trial
  );
}

tierTest("tiers that fail at the start are tried again, and what was pinned refuses until then", {
  tier: "signal",
  action: "exec",
  test: withTools(async ({ runs, speaker }) => {
    using probe = new Probe({ kinds: ["verdict"] });
    const pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
    const policy = blocking("exec", `paths = ["${speaker}"]`);
    const start = (): Promise<string> => starts(runs, { program: speaker });
    let trials = without(({ action }) => action === "exec");
    let nowMs = 0;
    const options = { policy, pinPath, tryTiers: () => trials, nowMs: () => nowMs };
    try {
      enforcementOf(probe, { policy, pinPath })[Symbol.dispose]();
      const before = [...Deno.readDirSync(pinPath)].map(({ name }) => name);
      using enforcement = enforcementOf(probe, options);
      assertEquals(enforcement.tiers, []);
      const [weak, ...others] = enforcement.weaknesses();
      assertEquals([weak?.object, others], ["policy", []]);
      assertStringIncludes(weak?.detail ?? "", "told nothing; this agent refuses nothing; what");
      assertNotEquals(await start(), RAN);
      trials = hostTiers();
      enforcement.lookAgainIfDue();
      assertEquals(enforcement.tiers, []);
      nowMs += BEGIN_AGAIN_MS;
      enforcement.lookAgainIfDue();
      assertEquals(enforcement.tiers, chooseTiers(trials, enforcement.policy.entries));
      assertEquals(enforcement.weaknesses(), []);
      assertNotEquals(await start(), RAN);
      const after = [...Deno.readDirSync(pinPath)].map(({ name }) => name);
      assertEquals([after.length, before.includes(after[0] ?? "")], [1, false]);
      // An earlier set that may refuse by a tier that fails now stays for so many trials.
      enforcement[Symbol.dispose]();
      trials = without(({ tier }) => tier !== "signal");
      const ports = `${policy}[[entry]]\nname = "c"\naction = "connect"\nports = [9]\n`;
      using next = enforcementOf(probe, { ...options, policy: ports });
      for (let i = 0; i < TAKE_OVER_TRIALS; i++) {
        assertEquals(next.tiers, []);
        assertEquals([...Deno.readDirSync(pinPath)].map(({ name }) => name), after);
        nowMs += BEGIN_AGAIN_MS;
        next.lookAgainIfDue();
      }
      assertEquals(next.tiers, ["signal"]);
      assertEquals(next.weaknesses().map(({ object }) => object), ["entry c", "entry test"]);
      assertNotEquals(await start(), RAN);
    } finally {
      releasePinned(pinPath);
    }
  }),
});

tierTest("a better tier that works later takes over, and no program runs between the two", {
  tier: "fanotify",
  action: "exec",
  isPossible: hasTier("signal", "exec"),
  test: withTools(async ({ runs, speaker }) => {
    using probe = new Probe({ kinds: ["verdict"] });
    const policy = `actions_per_minute = 100000\n${blocking("exec", `paths = ["${speaker}"]`)}`;
    const failing = (...tiers: readonly Tier[]): readonly TierTrial[] =>
      without(({ tier }) => tiers.includes(tier));
    let [trials, tried, nowMs] = [failing("lsm", "fanotify"), 0, 0];
    const warnings: string[] = [];
    using enforcement = enforcementOf(probe, {
      policy,
      onWarning: (message) => warnings.push(message),
      tryTiers: () => {
        tried++;
        return trials;
      },
      nowMs: () => nowMs,
    });
    const look = (afterMs: number): readonly Tier[] => {
      nowMs += afterMs;
      enforcement.lookAgainIfDue();
      return enforcement.tiers;
    };
    assertEquals(enforcement.tiers, ["signal"]);
    const [weak] = enforcement.weaknesses();
    assertEquals(weak?.object, "entry test");
    assertStringIncludes(weak?.detail ?? "", "it holds by signal alone: ");
    // A tier that worked stays, whatever a later trial says; the next one comes later.
    trials = failing("lsm", "fanotify", "signal");
    assertEquals([look(BEGIN_AGAIN_MS), tried], [["signal"], 2]);
    trials = failing("lsm");
    assertEquals([look(BEGIN_AGAIN_MS), tried], [["signal"], 2]);
    const ended = starts(runs, { times: 1000, program: speaker });
    assertEquals([look(BEGIN_AGAIN_MS), tried], [["fanotify", "signal"], 3]);
    const end = await ended;
    assert(/ ran 0 bytes 0$/.test(end), end);
    // One of a reload that the kernel refuses is told and found, and changes nothing.
    enforcement.take(parseEnforcement(tooManyHashes(), { file: "test", homes: [] }));
    assertStringIncludes(warnings.at(-1) ?? "", "too many hashes");
    assertStringIncludes(warnings.at(-1) ?? "", "the enforcement policy in force stays");
    assertEquals(enforcement.weaknesses()[0]?.object, "policy");
    assertEquals(await starts(runs, { program: speaker }), "refused 1 killed 0 ran 0 bytes 0");
  }),
});

tierTest("a place that cannot be marked is told, when it is looked too, and keeps no other out", {
  tier: "fanotify",
  action: "exec",
  test: withTools(async ({ folder, runs, speaker }) => {
    const paths = JSON.stringify([`${folder}/loop/x`, speaker]);
    using refusals = new Refusals(blocking("exec", `paths = ${paths}`), { tiers: ["fanotify"] });
    assertEquals(refusals.enforcer.look(), undefined);
    await Deno.symlink("loop", `${folder}/loop`);
    assertStringIncludes(refusals.enforcer.look() ?? "", `"${folder}/loop/x" is not asked about`);
    assertEquals(await starts(runs, { program: speaker }), "refused 1 killed 0 ran 0 bytes 0");
    assertEquals(refusals.until(1).length, 1);
  }),
});

tierTest("a file system of another mount namespace alone is told, then asked about by hash", {
  tier: "fanotify",
  action: "exec",
  test: withTools(async ({ folder, runs, speaker }) => {
    const bytes = await Deno.readFile(speaker);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    using probe = new Probe({ kinds: ["exec", "verdict"] });
    using enforcement = enforcementOf(probe, { policy: blocking("exec", `sha256 = ["${hash}"]`) });
    // As anybody may, in a user namespace of his own; the program lies below a second mount.
    const place = `${folder}/elsewhere`;
    const script = `mount -t tmpfs none ${place} && mkdir ${place}/in && ` +
      `mount -t tmpfs none ${place}/in && cp ${speaker} ${place}/in/p && ` +
      `while read -r _; do ${runs} 1 execve ${place}/in/p; done`;
    await Deno.mkdir(place);
    await using other = new Deno.Command("unshare", {
      args: ["-rm", "sh", "-c", script],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = new Lines(other.stdout);
    const writer = other.stdin.getWriter();
    const start = async (): Promise<string> => {
      await writer.write(new TextEncoder().encode("\n"));
      return await lines.find((line) => line.startsWith("refused"), { waitMs: START_WAIT_MS });
    };
    const failed = (): number =>
      enforcement.counts().find(({ tier }) => tier === "fanotify")?.failed ?? 0;
    assertEquals(await start(), RAN);
    const ranAt = (record: RecordView): boolean =>
      record.kindId === KINDS.exec.id &&
      new TextDecoder().decode(record.slot("exec", "image")).endsWith("/in/p");
    probe.until((records) => records.some(ranAt));
    const before = failed();
    enforcement.ran(probe.records.find(ranAt)?.number("exec", "device") ?? 0);
    assertEquals(failed(), before + 1);
    assert(enforcement.weaknesses().some(({ object }) => object === "tier fanotify"));
    enforcement.restore();
    await untilRefused(start);
    assertNotEquals(await start(), RAN);
    // Others of the host may have been let go meanwhile.
    const later = failed();
    enforcement.ran(probe.records.find(ranAt)?.number("exec", "device") ?? 0);
    assertEquals(failed(), later);
    await writer.close();
    await lines.drain();
  }),
});

tierTest("on an order to observe programs run, with any policy, and are refused again after it", {
  tier: "signal",
  action: "exec",
  test: withTools(async ({ runs, speaker }) => {
    const parse = (text: string): EnforcementPolicy =>
      parseEnforcement(text, { file: "test", homes: [] });
    const exec = blocking("exec", `paths = ["${speaker}"]`);
    const start = (): Promise<string> => starts(runs, { program: speaker });
    using probe = new Probe({ kinds: ["verdict"] });
    using enforcement = enforcementOf(probe, { policy: exec, paused: true });
    assertEquals(await start(), RAN);
    assertEquals(enforcement.blocking(true), true);
    assertNotEquals(await start(), RAN);
    assertEquals(enforcement.blocking(false), false);
    assertEquals(await start(), RAN);
    // Another policy does not end it, nor one that needs other tiers.
    enforcement.use(parse(exec.replace('"test"', '"again"')));
    assertEquals(await start(), RAN);
    const connect = `[[entry]]\nname = "c"\naction = "connect"\nports = [9]\n`;
    enforcement.use(parse(exec + connect));
    assertEquals(await start(), RAN);
    assertEquals(enforcement.blocking(true), true);
    assertNotEquals(await start(), RAN);
    await letGo(() => enforcement.remove());
    assertEquals(await start(), RAN);
  }),
});
