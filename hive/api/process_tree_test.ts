import { assertEquals } from "@std/assert";
import {
  alertOf,
  forkRecord,
  openTestHive,
  processRecord,
  type TestProcess,
} from "./_test_support.ts";
import { ANCESTORS_MAX, CHILDREN_MAX, type ProcessTree, processTree } from "./process_tree.ts";

const INIT: TestProcess = { pid: 1, bootS: 1, image: "/sbin/init", argv: ["init"] };
const SERVER: TestProcess = {
  pid: 20,
  bootS: 300,
  parent: INIT,
  image: "/usr/bin/python3",
  argv: ["python3", "serve.py"],
};
const SHELL: TestProcess = {
  pid: 30,
  bootS: 3500,
  parent: SERVER,
  image: "/usr/bin/bash",
  argv: ["bash", "-c", "id"],
};

function images(tree: ProcessTree | undefined): unknown {
  return tree === undefined ? undefined : [
    tree.ancestors.map(({ executable }) => executable),
    tree.subject.executable,
    tree.children.map(({ executable }) => executable),
    tree.complete,
  ];
}

async function treeOf(
  process: TestProcess,
  batches: readonly (readonly Uint8Array[])[],
): Promise<ProcessTree | undefined> {
  await using hive = await openTestHive();
  for (const batch of batches) await hive.deliver(batch);
  return await processTree(hive.store, alertOf(process).alert);
}

Deno.test("processTree() goes from the first process to the children", async () => {
  const child: TestProcess = {
    ...SHELL,
    pid: 31,
    bootS: 3501,
    parent: SHELL,
    image: "/usr/bin/id",
  };
  const tree = await treeOf(SHELL, [
    [processRecord("process", INIT), processRecord("process", SERVER)],
    [processRecord("exec", SHELL), processRecord("exec", child)],
  ]);
  assertEquals(images(tree), [
    ["/sbin/init", "/usr/bin/python3"],
    "/usr/bin/bash",
    ["/usr/bin/id"],
    true,
  ]);
  assertEquals(tree?.ancestors[1]?.commandLine, "python3 serve.py");
  assertEquals(tree?.subject.uid, 1000);
});

Deno.test("processTree() finds an ancestor where it started, far from the alert", async () => {
  const noise = (from: number): Uint8Array[] =>
    Array.from(
      { length: 5 },
      (_, i) => processRecord("exec", { ...SHELL, pid: 9000 + i, bootS: from + i, parent: INIT }),
    );
  const batches = [[processRecord("exec", INIT)], [processRecord("exec", SERVER)]];
  for (let from = 400; from < 3400; from += 30) batches.push(noise(from));
  const tree = await treeOf(SHELL, [...batches, [processRecord("exec", SHELL)]]);
  assertEquals(images(tree), [["/sbin/init", "/usr/bin/python3"], "/usr/bin/bash", [], true]);
});

Deno.test("processTree() shows what a process ran when the alert fired", async () => {
  const before: TestProcess = { ...SHELL, image: "/usr/bin/before" };
  const later: TestProcess = { ...SERVER, image: "/usr/bin/later" };
  const laterRecord = processRecord("exec", later);
  // The same process runs another program an hour on.
  new DataView(laterRecord.buffer).setBigUint64(24, 7_200_000_000_000n, true);
  const tree = await treeOf(SHELL, [
    [processRecord("process", SERVER), processRecord("exec", before)],
    [processRecord("exec", SHELL), laterRecord],
  ]);
  assertEquals(images(tree), [["/usr/bin/python3"], "/usr/bin/bash", [], false]);
});

Deno.test("processTree() gives a fork, and a fork of it, the program of its parent", async () => {
  const master: TestProcess = { ...SERVER, pid: 24, bootS: 3498, parent: SERVER };
  const worker: TestProcess = { ...SERVER, pid: 25, bootS: 3499, parent: master };
  const shell: TestProcess = { ...SHELL, parent: worker };
  const tree = await treeOf(shell, [[
    processRecord("process", SERVER),
    forkRecord(master),
    forkRecord(worker),
    processRecord("exec", shell),
  ]]);
  const python = "/usr/bin/python3";
  assertEquals(images(tree), [[python, python, python], "/usr/bin/bash", [], false]);
});

Deno.test("processTree() takes no other process with the same pid for the subject", async () => {
  const other: TestProcess = { ...SHELL, bootS: 3480, image: "/usr/bin/other", parent: INIT };
  const tree = await treeOf(SHELL, [[processRecord("exec", other)]]);
  assertEquals(images(tree), [["/usr/bin/python3"], "/usr/bin/bash", [], false]);
});

Deno.test("processTree() says what the alert says when no event is stored", async () => {
  const tree = await treeOf(SHELL, []);
  assertEquals(images(tree), [["/usr/bin/python3"], "/usr/bin/bash", [], false]);
});

Deno.test("processTree() is bounded upwards and downwards, and ends in a circle", async () => {
  const chain: TestProcess[] = [INIT];
  for (let pid = 2; pid <= ANCESTORS_MAX + 5; pid++) {
    const parent = chain.at(-1) ?? INIT;
    chain.push({ pid, bootS: 3400 + pid, parent, image: `/bin/p${pid}`, argv: [] });
  }
  const last = chain.at(-1) ?? INIT;
  const children = Array.from(
    { length: CHILDREN_MAX + 5 },
    (_, i) =>
      processRecord("exec", {
        pid: 5000 + i,
        bootS: 3450,
        parent: last,
        image: "/bin/c",
        argv: [],
      }),
  );
  const deep = await treeOf(last, [[...chain.map((p) => processRecord("exec", p)), ...children]]);
  assertEquals([deep?.ancestors.length, deep?.children.length, deep?.complete], [
    ANCESTORS_MAX,
    CHILDREN_MAX,
    false,
  ]);
  const self: TestProcess = { ...SHELL, parent: { ...SHELL } };
  const circle = await treeOf(self, [[processRecord("exec", self)]]);
  assertEquals(circle?.complete, false);
});

Deno.test("processTree() gives none for an alert without a process", async () => {
  await using hive = await openTestHive();
  const { process: _process, ...alert } = alertOf(SHELL).alert;
  assertEquals(await processTree(hive.store, alert), undefined);
});
