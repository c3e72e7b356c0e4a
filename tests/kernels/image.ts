import { buildReport, buildSensorTest } from "../../build/live_tests.ts";
import { compile } from "../support/probe.ts";
import { archive, type ArchiveEntry } from "./archive.ts";
import { BUSYBOX } from "./fetch.ts";
import { GUEST_PROGRAMS, GUEST_ROOT, type Job, JOB_PATH } from "./job.ts";
import { cachedPackages } from "./packages.ts";
import { hostPrograms } from "./programs.ts";
import { addFile, addTree } from "./tree.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** Rooms and files of the project that tests read. */
const ROOMS = ["agent", "build", "cli", "common", "hive", "rules", "tests", "wasm"];
const FILES = ["deno.json", "deno.lock", "mod.ts", "out/engine.wasm", "out/libimmune_sensor.so"];
/** Helpers of tests/support that tests compile on other hosts. */
const HELPERS = ["race", "load", "connects"];
const GUEST_MAIN = `${ROOT}tests/kernels/guest/main.ts`;
/** Links of a system whose /usr is merged (systemd's file-hierarchy(7)). */
const MERGED = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
/** Folders that /init mounts something on, or that programs expect. */
const FOLDERS = ["dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "usr/sbin", "var/tmp"];
const TEXTS: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n",
  "etc/group": "root:x:0:\nnogroup:x:65534:\n",
  "etc/hosts": "127.0.0.1 localhost\n",
  "etc/machine-id": "7d1c4f6fe0b64f0ab8a0c3b6c1d2e3f4\n",
};

/**
 * Writes the root of a guest of this host's architecture: busybox, this host's programs, Deno, the
 * built sensor, the project and what a job needs.
 *
 * @param path Where to.
 * @param job What the guest is to run.
 * @returns Its size, in bytes.
 */
export async function writeImage(path: string, job: Job): Promise<number> {
  const live = await compilePrograms();
  const entries = new Map<string, ArchiveEntry>();
  for (const name of FOLDERS) entries.set(name, { type: "folder", mode: 0o755 });
  for (const name of MERGED) entries.set(name, { type: "link", target: `usr/${name}` });
  const built = live.map((name) => `${ROOT}out/live/${name}`);
  const programs = [Deno.execPath(), `${ROOT}out/libimmune_sensor.so`, ...built];
  for (const [place, entry] of await hostPrograms(programs)) entries.set(place, entry);
  await addFile(entries, { from: BUSYBOX, to: "usr/bin/busybox" });
  await addFile(entries, { from: Deno.execPath(), to: "usr/bin/deno" });
  await addFile(entries, { from: `${ROOT}tests/kernels/guest/init`, to: "init" });
  await addProject(entries);
  for (const name of live) {
    await addFile(entries, {
      from: `${ROOT}out/live/${name}`,
      to: `${GUEST_PROGRAMS}/${name}`.slice(1),
    });
  }
  const files = [GUEST_MAIN, ...job.files.map((file) => `${ROOT}${file}`)];
  for (const [place, entry] of await cachedPackages(files, "deno")) entries.set(place, entry);
  for (const [place, text] of Object.entries(TEXTS)) addText(entries, { place, text });
  addText(entries, { place: JOB_PATH.slice(1), text: JSON.stringify(job) });
  return await write(path, entries);
}

async function compilePrograms(): Promise<readonly string[]> {
  const folder = `${ROOT}out/live`;
  await Deno.mkdir(folder, { recursive: true });
  await buildSensorTest(`${folder}/sensor_test`);
  await buildReport(`${folder}/report`);
  for (const name of HELPERS) await compile(name, folder);
  return ["sensor_test", "report", ...HELPERS];
}

async function addProject(entries: Map<string, ArchiveEntry>): Promise<void> {
  const to = GUEST_ROOT.slice(1);
  for (const room of ROOMS) {
    await addTree(entries, { from: `${ROOT}${room}`, to: `${to}/${room}`, skip: /\.(png|md)$/ });
  }
  for (const file of FILES) await addFile(entries, { from: `${ROOT}${file}`, to: `${to}/${file}` });
}

function addText(
  entries: Map<string, ArchiveEntry>,
  { place, text }: { readonly place: string; readonly text: string },
): void {
  entries.set(place, { type: "file", data: new TextEncoder().encode(text), mode: 0o644 });
}

async function write(path: string, entries: ReadonlyMap<string, ArchiveEntry>): Promise<number> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  let length = 0;
  for (const piece of archive(entries)) {
    for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
    length += piece.length;
  }
  return length;
}
