// What a policy in force does as programs, files and orders change.
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type EnforcementPolicy, parseEnforcement } from "../../agent/enforce/mod.ts";
import type { RecordView } from "../../common/record/decode.ts";
import { KINDS } from "../../common/record/table.ts";
import { blocking, enforcementOf, hasTier, Refusals, tierTest } from "../support/enforcement.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";
import { Probe, run } from "../support/probe.ts";
import { RAN, REFUSED, starts, withTools } from "../support/starts.ts";

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
    assertEquals(refusals.until(2).length, 2);
    // Changed back, or one that ran before it became what is listed: refused.
    await Deno.writeFile(`${folder}/fresh`, bytes);
    assertEquals(await starts(runs, { program: `${folder}/fresh` }), refused);
    assertEquals(refusals.until(3).length, 3);
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

/** Mounts an overlay whose lower layer is a file system of its own; the speaker lies in it. */
async function onOverlay(folder: string, body: (program: string) => Promise<void>): Promise<void> {
  const [lower, upper] = [`${folder}/lower`, `${folder}/upper`];
  const merged = `${folder}/merged`;
  for (const path of [lower, upper, merged]) await Deno.mkdir(path);
  await run("mount", ["-t", "tmpfs", "none", lower]);
  try {
    await run("mount", ["-t", "tmpfs", "none", upper]);
    try {
      for (const name of ["up", "work"]) await Deno.mkdir(`${upper}/${name}`);
      await Deno.copyFile(`${folder}/speak`, `${lower}/speak`);
      const layers = `lowerdir=${lower},upperdir=${upper}/up,workdir=${upper}/work`;
      await run("mount", ["-t", "overlay", "none", merged, "-o", layers]);
      try {
        await body(`${merged}/speak`);
      } finally {
        await run("umount", [merged]);
      }
    } finally {
      await run("umount", [upper]);
    }
  } finally {
    await run("umount", [lower]);
  }
}

for (const tier of ["lsm", "fanotify", "signal"] as const) {
  const hasOverlay = Deno.readTextFileSync("/proc/filesystems").includes("\toverlay\n");
  Deno.test({
    name: `${tier} tier: on overlayfs a file is refused by what it is`,
    ignore: !hasOverlay || !hasTier(tier, "exec"),
    fn: withTools(async ({ folder, runs }) =>
      await onOverlay(folder, async (program) => {
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
    using refusals = new Refusals(policy, { tiers: ["fanotify", "signal"] });
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
      assertEquals(enforcement.remove().left, 0);
    } finally {
      await run("umount", [pinPath]);
    }
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
    assertNotEquals(await start(), RAN);
    enforcement.ran(probe.records.find(ranAt)?.number("exec", "device") ?? 0);
    assertEquals(failed(), before + 1);
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
    assertEquals(enforcement.remove().left, 0);
    assertEquals(await start(), RAN);
  }),
});
