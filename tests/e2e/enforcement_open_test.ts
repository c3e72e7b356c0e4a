import { assert, assertEquals } from "@std/assert";
import type { RecordView } from "../../common/record/decode.ts";
import { VERDICT_TIERS } from "../../common/record/values.ts";
import {
  blocking,
  compile,
  enforcementOf,
  hasTier,
  Refusals,
  tierTest,
} from "../support/enforcement.ts";
import { inFolder, Probe } from "../support/probe.ts";

/** Whether a shell's open works: `<` reads, `>>` writes. */
async function opens(path: string, how: "<" | ">>" = "<"): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", `: ${how} "$0"`, path],
    stderr: "null",
  }).output();
  return success;
}

for (const tier of ["lsm", "fanotify"] as const) {
  tierTest("opens of a file and of a tree are refused, by any name, but not to an exception", {
    tier,
    action: "open",
    test: () =>
      inFolder(async (folder) => {
        await Deno.mkdir(`${folder}/keys/old`, { recursive: true });
        for (const name of ["keys/id", "keys/old/id", "one", "other"]) {
          await Deno.writeTextFile(`${folder}/${name}`, "secret\n");
        }
        const targets = `paths = ["${folder}/keys/**", "${folder}/one"]`;
        using refusals = new Refusals(blocking("open", targets), { tiers: [tier] });
        await Deno.link(`${folder}/one`, `${folder}/two`);
        assertEquals(await opens(`${folder}/keys/id`), false);
        assertEquals(await opens(`${folder}/keys/../keys/old/id`), false);
        assertEquals(await opens(`${folder}/one`), false);
        assertEquals(await opens(`${folder}/two`), false);
        assertEquals(await opens(`${folder}/other`), true);
        const [first] = refusals.until(4);
        assertEquals(first?.number("verdict", "tier"), VERDICT_TIERS[tier]);
        assertEquals(
          new TextDecoder().decode(first?.slot("verdict", "path")),
          `${folder}/keys/id`,
        );
        const shell = Deno.realPathSync("/bin/sh");
        refusals.set(blocking("open", `${targets}\nexcept_programs = ["${shell}"]`));
        assertEquals(await opens(`${folder}/keys/id`), true);
        refusals.set(blocking("open", `${targets}\nroles = ["coding_agent"]`));
        assertEquals(await opens(`${folder}/keys/id`), true);
        // The agent itself is never refused.
        refusals.set(blocking("open", targets));
        assertEquals(await Deno.readTextFile(`${folder}/keys/id`), "secret\n");
        // What was made in a tree later; fanotify has to be told of it.
        await Deno.mkdir(`${folder}/keys/later/deep`, { recursive: true });
        await Deno.writeTextFile(`${folder}/keys/later/deep/id`, "secret\n");
        refusals.enforcer.look();
        assertEquals(await opens(`${folder}/keys/later/deep/id`), false);
        // Deeper than a path is followed.
        const deep = `${folder}/keys${"/d".repeat(280)}`;
        await Deno.mkdir(deep, { recursive: true });
        await Deno.writeTextFile(`${deep}/id`, "secret\n");
        refusals.enforcer.look();
        assertEquals(await opens(`${deep}/id`), false);
      }),
  });
}

tierTest("reading and writing are told apart", {
  tier: "lsm",
  action: "open",
  test: () =>
    inFolder(async (folder) => {
      const path = `${folder}/file`;
      await Deno.writeTextFile(path, "");
      const of = (access: string): string =>
        blocking("open", `paths = ["${path}"]\naccess = ["${access}"]`);
      using refusals = new Refusals(of("write"), { tiers: ["lsm"] });
      assertEquals([await opens(path, "<"), await opens(path, ">>")], [true, false]);
      assertEquals(refusals.until(1)[0]?.number("verdict", "mode"), 2);
      // Emptied by an open for reading; access mode 3 has neither right, and a descriptor for ioctl.
      const evade = await compile("evade", folder);
      const evades = async (how: string): Promise<boolean> =>
        (await new Deno.Command(evade, { args: [how, path], stdout: "null", stderr: "null" })
          .output()).success;
      await Deno.writeTextFile(path, "kept");
      for (const how of ["empty", "empty2", "three"]) assertEquals(await evades(how), false, how);
      assertEquals(await Deno.readTextFile(path), "kept");
      refusals.set(of("read"));
      assertEquals([await opens(path, "<"), await opens(path, ">>")], [false, true]);
      assertEquals(await evades("three"), false);
    }),
});

tierTest("nothing leaves a tree by a link or a move, and within it names may change", {
  tier: "lsm",
  action: "open",
  test: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/home/keys/old`, { recursive: true });
      await Deno.writeTextFile(`${folder}/home/keys/id`, "secret\n");
      await Deno.writeTextFile(`${folder}/other`, "");
      await Deno.mkdir(`${folder}/home/more`);
      // What these trees are named by is in no tree, whether it is there or not.
      const trees = ["home/keys", "home/more", "none/in"].map((tree) => `"${folder}/${tree}/**"`);
      const tree = `paths = [${trees}]`;
      const evade = await compile("evade", folder);
      using refusals = new Refusals(blocking("open", tree), { tiers: ["lsm"] });
      const works = async (command: string, ...args: readonly string[]): Promise<boolean> =>
        (await new Deno.Command(command, { args: [...args], cwd: folder, stderr: "null" })
          .output()).success;
      const ways = [
        ["ln", "home/keys/id", "k"],
        ["mv", "home/keys/id", "k"],
        ["mv", "home/keys", "s"],
        ["mv", "home", "h"],
        ["mv", "home/keys/id", "none"],
        ["ln", "home/keys/id", "none"],
        [evade, "home/keys/id", "home/more"],
        [evade, "home/more", "home/keys/id"],
      ] as const;
      for (const [command, from, to] of ways) {
        // mv would copy it then, which reads it.
        const how = { ln: [], mv: ["-T"], [evade]: ["exchange"] }[command] ?? [];
        assertEquals(await works(command, ...how, from, to), false, `${command} ${from} ${to}`);
      }
      assert((await Deno.stat(`${folder}/home/keys/id`)).isFile);
      const moves = (): readonly RecordView[] =>
        refusals.verdicts().filter((verdict) => verdict.number("verdict", "mode") === 4);
      refusals.probe.until(() => moves().length >= ways.length);
      assertEquals(moves().length, ways.length);
      assertEquals(
        new TextDecoder().decode(moves()[0]?.slot("verdict", "path")),
        `${folder}/home/keys/id`,
      );
      assertEquals(await works("mv", "home/keys/id", "home/keys/old/one"), true);
      assertEquals(await works("ln", "home/keys/old/one", "home/keys/two"), true);
      assertEquals(await works("mv", "other", "another"), true);
      refusals.set(blocking("open", `${tree}\nroles = ["coding_agent"]`));
      assertEquals(await works("ln", "home/keys/two", "k"), true);
    }),
});

tierTest("a file that is moved or linked is refused by what it is as long as it lives", {
  tier: hasTier("lsm", "open") ? "lsm" : "fanotify",
  action: "open",
  test: () =>
    inFolder(async (folder) => {
      const [path, far] = [`${folder}/one`, `${folder}/far`];
      await Deno.mkdir(far);
      await Deno.writeTextFile(path, "secret\n");
      using probe = new Probe({ kinds: ["verdict"] });
      using enforcement = enforcementOf(probe, { policy: blocking("open", `paths = ["${path}"]`) });
      // A second name, which it had not when the policy was loaded.
      await Deno.link(path, `${far}/two`);
      enforcement.restore();
      assertEquals(await opens(`${far}/two`), false);
      await Deno.remove(`${far}/two`);
      await Deno.rename(path, `${far}/moved`);
      enforcement.restore();
      await Deno.writeTextFile(path, "another\n");
      enforcement.restore();
      assertEquals(await opens(`${far}/moved`), false);
      assertEquals(await opens(path), false);
      // Another one of the name that it had elsewhere is not meant.
      await Deno.remove(`${far}/moved`);
      enforcement.restore();
      await Deno.writeTextFile(`${far}/moved`, "new\n");
      assertEquals(await opens(`${far}/moved`), true);
    }),
});
