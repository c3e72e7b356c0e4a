import { assert, assertEquals } from "@std/assert";
import type { Tier } from "../../agent/enforce/mod.ts";
import type { RecordView } from "../../common/record/decode.ts";
import { VERDICT_OUTCOMES, VERDICT_TIERS } from "../../common/record/values.ts";
import { blocking, hasTier, Refusals, tierTest } from "../support/enforcement.ts";
import { run } from "../support/probe.ts";
import { bpftool, heldBpf } from "../support/held_bpf.ts";
import { RAN, REFUSED, starts, type Tools, withTools } from "../support/starts.ts";

/** Blocked runs of each tier; the whole number is for `IMMUNE_TEST_RUNS=1000`. */
const RUNS = Number(Deno.env.get("IMMUNE_TEST_RUNS") ?? 100);

const BPFTOOL = "/usr/sbin/bpftool";
/** Records in the making on one CPU (IMMUNE_SCRATCHES of bpf/lib/maps.h). */
const SCRATCHES = 3;
/** What a verdict on a move has instead of an open's mode (IMMUNE_REFUSE_MOVE of bpf/lib/enforcement.h). */
const MODE_MOVE = 4;

for (const tier of ["lsm", "fanotify", "signal"] as const satisfies readonly Tier[]) {
  const test = (name: string, body: (tools: Tools) => Promise<void> | void): void =>
    tierTest(name, { tier, action: "exec", test: withTools(body) });
  const refused = REFUSED[tier] ?? String;

  test(`a blocked program prints nothing in ${RUNS} runs, each told once`, async (tools) => {
    const { runs, speaker } = tools;
    using refusals = new Refusals(blocking("exec", `paths = ["${speaker}"]`), { tiers: [tier] });
    assertEquals(await starts(runs, { times: RUNS, program: speaker }), refused(RUNS));
    const verdicts = refusals.until(RUNS);
    assertEquals(verdicts.length, RUNS);
    const outcome = tier === "signal" ? "killed" : "refused";
    for (const verdict of verdicts) {
      assertEquals(verdict.number("verdict", "tier"), VERDICT_TIERS[tier]);
      assertEquals(verdict.number("verdict", "outcome"), VERDICT_OUTCOMES[outcome]);
      assertEquals(verdict.number("verdict", "entry"), 1);
      assertEquals(new TextDecoder().decode(verdict.slot("verdict", "path")), speaker);
    }
    const [counts] = refusals.enforcer.counts();
    assertEquals([counts?.tier, counts?.refused], [tier, RUNS]);
    // Gone with the enforcer.
    refusals.enforcer.close();
    assertEquals(await starts(runs, { program: speaker }), "refused 0 killed 0 ran 1 bytes 6");
  });

  test("a directory, a hard link and what is by identity are refused, a copy is not", async (tools) => {
    const { folder, runs, speaker } = tools;
    const inside = `${folder}/in/deep`;
    await Deno.mkdir(inside, { recursive: true });
    await Deno.copyFile(speaker, `${inside}/one`);
    await Deno.copyFile(speaker, `${folder}/other`);
    using refusals = new Refusals(
      blocking("exec", `paths = ["${folder}/in/**", "${speaker}"]`),
      { tiers: [tier] },
    );
    await Deno.link(speaker, `${folder}/link`);
    await Deno.rename(speaker, `${folder}/renamed`);
    assertEquals(await starts(runs, { program: `${inside}/one` }), refused(1));
    assertEquals(await starts(runs, { program: `${folder}/link` }), refused(1));
    assertEquals(await starts(runs, { program: `${folder}/renamed` }), refused(1));
    assertEquals(
      await starts(runs, { program: `${folder}/other` }),
      "refused 0 killed 0 ran 1 bytes 6",
    );
    assertEquals(refusals.until(3).length, 3);
  });

  test("no path is too deep for an entry of a directory", async ({ folder, runs, speaker }) => {
    const deep = `${folder}/in${"/d".repeat(280)}`;
    await Deno.mkdir(deep, { recursive: true });
    await Deno.copyFile(speaker, `${deep}/one`);
    const directory = `paths = ["${folder}/in/**"]`;
    using refusals = new Refusals(blocking("exec", directory), { tiers: [tier] });
    assertEquals(await starts(runs, { program: `${deep}/one` }), refused(1));
    // One that only tells, and may not even be meant, keeps none from refusing.
    const telling = '[[entry]]\nname = "w"\naction = "exec"\npaths = ["/nowhere/**"]\n';
    refusals.set(`${telling}${blocking("exec", directory)}`);
    assertEquals(await starts(runs, { program: `${deep}/one` }), refused(1));
    const [first] = refusals.until(2);
    // fanotify reads a path by its bytes, not by its components.
    assertEquals(first?.has("truncated"), tier !== "fanotify");
    refusals.set(blocking("exec", `paths = ["${speaker}"]`));
    assertEquals(await starts(runs, { program: `${deep}/one` }), RAN);
  });

  test("an entry that only tells, one that is over, and a pause let programs run", async (tools) => {
    const { runs, speaker } = tools;
    const ran = "refused 0 killed 0 ran 1 bytes 6";
    const watch = `[[entry]]\nname = "w"\naction = "exec"\npaths = ["${speaker}"]\n`;
    using refusals = new Refusals(watch, { tiers: [tier] });
    assertEquals(await starts(runs, { program: speaker }), ran);
    assertEquals(
      refusals.until(1).at(0)?.number("verdict", "outcome"),
      VERDICT_OUTCOMES.monitored,
    );
    refusals.set(blocking("exec", `paths = ["${speaker}"]\nexpires = 1970-01-01T00:00:01Z`));
    assertEquals(await starts(runs, { program: speaker }), ran);
    refusals.set(blocking("exec", `paths = ["${speaker}"]`));
    assertEquals(await starts(runs, { program: speaker }), refused(1));
    assertEquals(refusals.enforcer.pause(true), true);
    assertEquals(await starts(runs, { program: speaker }), ran);
    assertEquals(refusals.enforcer.pause(false), false);
    assertEquals(await starts(runs, { program: speaker }), refused(1));
    refusals.enforcer.close();
    using begun = new Refusals(blocking("exec", `paths = ["${speaker}"]`), {
      tiers: [tier],
      paused: true,
    });
    assertEquals(await starts(runs, { program: speaker }), ran);
    assertEquals(begun.enforcer.pause(false), false);
    assertEquals(await starts(runs, { program: speaker }), refused(1));
  });

  test("over its actions a minute a policy lets programs run, and says so", async (tools) => {
    const { runs, speaker } = tools;
    const times = 20;
    const policy = `actions_per_minute = 1\n${blocking("exec", `paths = ["${speaker}"]`)}`;
    using refusals = new Refusals(policy, { tiers: [tier] });
    const ended = await starts(runs, { times, program: speaker });
    const outcomes = refusals.until(times).map((verdict) => verdict.number("verdict", "outcome"));
    const capped = outcomes.filter((outcome) => outcome === VERDICT_OUTCOMES.capped).length;
    // One is refused, or one on each side of a full minute.
    const allowed = [1, 2].map((count) => [
      refused(count).replace("ran 0 bytes 0", `ran ${times - count} bytes ${6 * (times - count)}`),
      times - count,
    ]);
    assert(allowed.some(([text, over]) => text === ended && over === capped), `${ended} ${capped}`);
    assertEquals(refusals.enforcer.counts()[0]?.capped, capped);
  });

  test("a user id, a role and an exception bind an entry", async (tools) => {
    const { runs, speaker } = tools;
    const ran = "refused 0 killed 0 ran 1 bytes 6";
    const of = (bound: string): string => blocking("exec", `paths = ["${speaker}"]\n${bound}`);
    using refusals = new Refusals(of("users = [4242]"), { tiers: [tier] });
    assertEquals(await starts(runs, { program: speaker }), ran);
    refusals.set(of("users = [0]"));
    assertEquals(await starts(runs, { program: speaker }), refused(1));
    refusals.set(of("except_users = [0]"));
    assertEquals(await starts(runs, { program: speaker }), ran);
    refusals.set(of(`roles = ["coding_agent"]`));
    assertEquals(await starts(runs, { program: speaker }), ran);
    refusals.set(of(`roles = ["none"]`));
    assertEquals(await starts(runs, { program: speaker }), refused(1));
    refusals.set(of(`except_roles = ["none"]`));
    assertEquals(await starts(runs, { program: speaker }), ran);
  });
}

for (const tier of ["lsm", "signal"] as const) {
  tierTest("a program in memory alone is refused where the policy says so", {
    tier,
    action: "exec",
    test: withTools(async ({ runs, speaker }) => {
      const ran = "refused 0 killed 0 ran 1 bytes 6";
      using refusals = new Refusals(blocking("exec", `paths = ["${speaker}"]`), {
        tiers: [tier],
      });
      assertEquals(await starts(runs, { how: "memfd", program: speaker }), ran);
      refusals.set(blocking("exec", "memory = true"));
      assertEquals(
        await starts(runs, { how: "memfd", program: speaker }),
        (REFUSED[tier] ?? String)(1),
      );
      assertEquals(await starts(runs, { program: speaker }), ran);
    }),
  });
}

for (const tier of ["lsm", "signal"] as const) {
  tierTest("a program on a file system that was unmounted is told", {
    tier,
    action: "exec",
    test: withTools(async ({ folder, runs, speaker }) => {
      using refusals = new Refusals(blocking("exec", `paths = ["${folder}/in/**"]`), {
        tiers: [tier],
      });
      await Deno.mkdir(`${folder}/in`);
      await run("mount", ["-t", "tmpfs", "none", `${folder}/in`]);
      const script = 'cp "$1" "$2/one" && cd "$2" && umount -l "$2" && exec "$3" 1 execve ./one';
      const { lines } = await run("sh", ["-c", script, "sh", speaker, `${folder}/in`, runs]);
      assertEquals(lines.join("\n"), RAN);
      const [told] = refusals.until(1);
      assertEquals(told?.number("verdict", "outcome"), VERDICT_OUTCOMES.failed);
      // Another program of the host may have been on such a one.
      assert((refusals.enforcer.counts()[0]?.failed ?? 0) >= 1);
    }),
  });
}

for (const tier of ["lsm", "signal"] as const) {
  const isPossible = hasTier(tier, "exec") && isThere(BPFTOOL);
  Deno.test({
    name: `${tier} tier: without room to walk a path a program is known by what it is, or told`,
    ignore: !isPossible,
    fn: withTools(async ({ folder, runs, speaker }) => {
      using refusals = new Refusals(blocking("exec", `paths = ["${speaker}"]`), { tiers: [tier] });
      await fillScratches();
      assertEquals(await starts(runs, { program: speaker }), (REFUSED[tier] ?? String)(1));
      await Deno.mkdir(`${folder}/in`);
      await Deno.copyFile(speaker, `${folder}/in/speak`);
      refusals.set(blocking("exec", `paths = ["${folder}/in/**"]`));
      assertEquals(await starts(runs, { program: `${folder}/in/speak` }), RAN);
      // Of the whole host it is not known now whether what starts lies in that tree.
      const outcome = (program: string): number | undefined =>
        refusals.verdicts().find((verdict) =>
          verdict.number("verdict", "inode") === Deno.statSync(program).ino
        )?.number("verdict", "outcome");
      refusals.probe.until(() => outcome(`${folder}/in/speak`) !== undefined);
      const { refused: no, killed, failed } = VERDICT_OUTCOMES;
      assertEquals(outcome(speaker), tier === "lsm" ? no : killed);
      assertEquals(outcome(`${folder}/in/speak`), failed);
      assert((refusals.enforcer.counts()[0]?.failed ?? 0) >= 1);
      if (tier === "lsm") await assertMoveTold(refusals, `${folder}/in`);
    }),
  });
}

/** That a move out of a directory, whose path nobody could walk, is told with who did it. */
async function assertMoveTold(refusals: Refusals, directory: string): Promise<void> {
  refusals.set(blocking("open", `paths = ["${directory}/**"]`));
  const { ino } = await Deno.stat(`${directory}/speak`);
  await run("mv", [`${directory}/speak`, `${directory}-moved`]);
  const moved = (): RecordView | undefined =>
    refusals.verdicts().find((verdict) =>
      verdict.number("verdict", "mode") === MODE_MOVE && verdict.number("verdict", "inode") === ino
    );
  refusals.probe.until(() => moved() !== undefined);
  assertEquals(moved()?.number("verdict", "outcome"), VERDICT_OUTCOMES.failed);
}

/** Takes every scratch of this process's sensor, on every CPU, as who is preempted there does. */
async function fillScratches(): Promise<void> {
  const held = await heldBpf(Deno.pid);
  const map = (await bpftool("map", "show"))
    .find(({ id, name }) => name === "scratches" && held.map.has(id));
  assert(map !== undefined, "the sensor has no scratches");
  const busy = Array.from({ length: map.bytes_value }, (_, i) => i === 0 ? "1" : "0");
  for (let place = 0; place < SCRATCHES; place++) {
    const key = [String(place), "0", "0", "0"];
    await bpftool("map", "update", "id", String(map.id), "key", ...key, "value", ...busy);
  }
}

tierTest("a script is refused by its own path, and by sh only if it may not be read", {
  tier: hasTier("lsm", "exec") ? "lsm" : "fanotify",
  action: "exec",
  test: withTools(async ({ folder, runs }) => {
    const script = `${folder}/script`;
    await Deno.writeTextFile(script, "#!/bin/sh\necho spoke\n", { mode: 0o755 });
    const tiers: readonly Tier[] = [hasTier("lsm", "exec") ? "lsm" : "fanotify"];
    const exec = blocking("exec", `paths = ["${script}"]`);
    using refusals = new Refusals(exec, { tiers });
    const refused = "refused 1 killed 0 ran 0 bytes 0";
    assertEquals(await starts(runs, { program: script }), refused);
    // No exec of the script.
    assertEquals(
      await starts(runs, { how: "script", program: script }),
      "refused 0 killed 0 ran 1 bytes 6",
    );
    const open = `[[entry]]\nname = "o"\naction = "open"\nmode = "block"\npaths = ["${script}"]\n`;
    refusals.set(exec + open);
    const said = await starts(runs, { how: "script", program: script });
    assert(said.endsWith(" bytes 0"), said);
  }),
});

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
