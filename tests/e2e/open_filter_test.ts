import { assert, assertEquals } from "@std/assert";
import type { Policy } from "../../agent/sensors/policy.ts";
import { compileRules } from "../../common/sigma/mod.ts";
import { inFolder, pathOf, Probe, run, sensorTest } from "../support/probe.ts";
import { openCounts } from "../support/opens.ts";

/** A rule on opened files. */
type Detection = readonly [category: string, detection: string];

/** What rules on opened files want from the kernel. */
function policyOf(...detections: readonly Detection[]): Partial<Policy> {
  const { interest } = compileRules(detections.map(([category, detection], i) => ({
    path: `${i}.yml`,
    text: `title: T\nid: r${i}\nlogsource: { category: ${category}, product: linux }\n` +
      `detection: ${detection}\n`,
  })));
  return { kinds: ["open"], wideOpen: true, opens: interest.opens };
}

function wanted(...detections: readonly Detection[]): Probe {
  return new Probe(policyOf(...detections));
}

const SELECT = (field: string, value: string): string =>
  `{ s: { ${field}: ${value} }, condition: s }`;

sensorTest(
  "the wide stream has what a rule could need, and counts the rest as filtered",
  async () => {
    await inFolder(async (folder) => {
      const mark = folder.slice(folder.lastIndexOf("/") + 1).toLowerCase();
      await Deno.mkdir(`${folder}/deep/${mark}-part/below`, { recursive: true });
      await Deno.mkdir(`${folder}/tree/below`, { recursive: true });
      const files: readonly (readonly [path: string, isSent: boolean])[] = [
        ["exact", true],
        ["exact2", false],
        ["deep/exact", false],
        ["tree/below/a", true],
        ["tree2", false],
        [`deep/${mark}-part/below/a`, true],
        [`deep/${mark}-part/a`, true],
        [`deep/${mark}-TAIL`, true],
        [`deep/x${mark}-tail`, false],
        [`deep/a.${mark}`, true],
        [`deep/a.${mark}.b`, false],
      ];
      for (const [path] of files) Deno.writeTextFileSync(`${folder}/${path}`, "x");
      using probe = wanted(
        ["file_access", SELECT("TargetFilename", `${folder}/exact`)],
        ["file_access", SELECT("TargetFilename|startswith", `${folder}/tree/`)],
        ["file_access", SELECT("TargetFilename|contains", `/${mark}-part/`)],
        ["file_access", SELECT("TargetFilename|endswith", `/${mark}-tail`)],
        ["file_access", SELECT("TargetFilename|endswith", `'.${mark}'`)],
      );
      const before = openCounts(probe);
      const { pid } = await run("cat", files.map(([path]) => `${folder}/${path}`));
      // Nothing is seen any more, so that what is read one after the other adds up.
      probe.set({});
      probe.drain();
      const after = openCounts(probe);
      const sent = probe.opens(pid).map(pathOf).filter((path) => path.startsWith(folder));
      assertEquals(sent, files.filter(([, isSent]) => isSent).map(([path]) => `${folder}/${path}`));
      assert(after.filtered - before.filtered >= files.length - sent.length);
      assertEquals(after.seen, after.submitted + after.filtered + after.lost);
    });
  },
);

sensorTest("opens that may write are sent where a rule on writes could need them", async () => {
  await inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "x");
    using probe = wanted(["file_event", SELECT("Image", "/nowhere")]);
    const { pid } = await run("cat", [`${folder}/file`]);
    const writer = await run("dd", [`if=/dev/null`, `of=${folder}/file`, "status=none"]);
    probe.drain();
    const paths = (of: number): string[] => probe.opens(of).map(pathOf);
    assertEquals(paths(pid), []);
    assertEquals(paths(writer.pid), [`${folder}/file`]);
  });
});

sensorTest("what lies on a path that is too long to look at is sent", async () => {
  await inFolder(async (folder) => {
    const names = Array.from({ length: 8 }, (_, i) => String(i).repeat(200));
    const deep = `${folder}/${names.join("/")}`;
    await Deno.mkdir(deep, { recursive: true });
    Deno.writeTextFileSync(`${deep}/file`, "x");
    using probe = wanted(["file_access", SELECT("TargetFilename|startswith", `${folder}/other/`)]);
    const { pid } = await run("cat", [`${deep}/file`]);
    probe.drain();
    assert(probe.opens(pid).map(pathOf).includes(`${deep}/file`));
  });
});

sensorTest(
  "a directory is judged by the name that it has now, under the policy that is set",
  async () => {
    await inFolder(async (folder) => {
      const mark = folder.slice(folder.lastIndexOf("/") + 1).toLowerCase();
      const about = (text: string): [string, string] => [
        "file_access",
        SELECT("TargetFilename|contains", `/${mark}-${text}/`),
      ];
      const [plain, wantedName] = [`${folder}/plain`, `${folder}/${mark}-new`];
      const [file, wantedFile] = [`${plain}/below/file`, `${wantedName}/below/file`];
      await Deno.mkdir(`${plain}/below`, { recursive: true });
      Deno.writeTextFileSync(file, "x");
      using probe = wanted(about("new"));
      const opened = async (path: string): Promise<boolean> => {
        const { pid } = await run("cat", [path]);
        probe.drain();
        return probe.opens(pid).map(pathOf).includes(path);
      };
      // Each twice: the second one is judged by what the kernel kept of the first.
      for (let i = 0; i < 2; i++) {
        for (let twice = 0; twice < 2; twice++) assertEquals(await opened(file), false);
        Deno.renameSync(plain, wantedName);
        for (let twice = 0; twice < 2; twice++) assertEquals(await opened(wantedFile), true);
        Deno.renameSync(wantedName, plain);
      }
      probe.set(
        policyOf(about("other"), ["file_access", SELECT("TargetFilename|contains", "/below/")]),
      );
      assertEquals(await opened(file), true);
      probe.set(policyOf(about("other")));
      assertEquals(await opened(file), false);
    });
  },
);

sensorTest(
  "a file is judged by where it is mounted, and by its path however deep it lies",
  async () => {
    await inFolder(async (folder) => {
      const mark = folder.slice(folder.lastIndexOf("/") + 1).toLowerCase();
      const deep = `${folder}/${mark}-top${"/d".repeat(60)}`;
      await Deno.mkdir(deep, { recursive: true });
      await Deno.mkdir(`${folder}/${mark}-part`);
      const [source, named, inside] = ["source", `${mark}-name`, `${mark}-part/x`]
        .map((name) => `${folder}/${name}`) as [string, string, string];
      for (const path of [source, named, inside, `${deep}/file`]) Deno.writeTextFileSync(path, "x");
      using probe = wanted(
        ["file_access", SELECT("TargetFilename|endswith", `/${mark}-name`)],
        ["file_access", SELECT("TargetFilename|contains", `/${mark}-part/`)],
        ["file_access", SELECT("TargetFilename|contains", `/${mark}-top/`)],
      );
      const mounts = `mount --bind ${source} ${named} && mount --bind ${source} ${inside}`;
      const script = `${mounts} && cat ${source} ${named} ${inside} ${deep}/file`;
      const { success } = await new Deno.Command("unshare", { args: ["-m", "sh", "-c", script] })
        .output();
      assert(success);
      const paths = (): Set<string> =>
        new Set(probe.records.map(pathOf).filter((path) => path.startsWith(folder)));
      // The last of them: what came before it is there by then, wanted or not.
      probe.until(() => paths().has(`${deep}/file`));
      probe.drain();
      assertEquals(paths(), new Set([named, inside, `${deep}/file`]));
    });
  },
);
