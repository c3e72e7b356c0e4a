import { assert, assertEquals } from "@std/assert";
import { compileRules } from "../../common/sigma/mod.ts";
import { inFolder, pathOf, Probe, run, sensorTest } from "../support/probe.ts";
import { openCounts } from "../support/opens.ts";

/** What rules on opened files want from the kernel. */
function wanted(...detections: readonly (readonly [category: string, detection: string])[]): Probe {
  const { interest } = compileRules(detections.map(([category, detection], i) => ({
    path: `${i}.yml`,
    text: `title: T\nid: r${i}\nlogsource: { category: ${category}, product: linux }\n` +
      `detection: ${detection}\n`,
  })));
  return new Probe({ kinds: ["open"], wideOpen: true, opens: interest.opens });
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
        ["file_access", SELECT("TargetFilename|endswith", `.${mark}`)],
      );
      const before = openCounts(probe);
      const { pid } = await run("cat", files.map(([path]) => `${folder}/${path}`));
      while (probe.read(0) > 0);
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
    while (probe.read(0) > 0);
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
    while (probe.read(0) > 0);
    assert(probe.opens(pid).map(pathOf).includes(`${deep}/file`));
  });
});
