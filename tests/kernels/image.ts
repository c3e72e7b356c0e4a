import { buildReport, buildSensorTest } from "../../build/live_tests.ts";
import { compileProgram } from "../support/probe.ts";
import { type RootEntry, writeRoot } from "./root.ts";
import { GUEST_PROGRAMS, GUEST_ROOT, type Job, JOB_PATH } from "./job.ts";
import { cachedPackages } from "./packages.ts";
import type { GuestSystem } from "./system.ts";
import { addFile, addTree } from "./tree.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** Rooms and files of the project that tests read. */
const ROOMS = ["agent", "build", "cli", "common", "hive", "rules", "tests", "wasm"];
const FILES = ["mod.ts", "out/engine.wasm"];
const CONFIGURATION = "deno.json";
const LIBRARY = "libimmune_sensor.so";
/** The small programs that it starts. */
const SMALL_PROGRAMS = ["immune-guardian", "immune-hasher"];
/** Helpers of tests/support that tests compile on other hosts. */
const HELPERS = ["race", "load", "connects", "contact", "evade", "reach", "remap", "runs", "speak"];
/** The same of one architecture alone. */
const HELPERS_OF: Readonly<Record<string, readonly string[]>> = { x86_64: ["open32"] };
/** A program of ours that tests start, whose packages no import of theirs tells. */
const STARTED = `${ROOT}cli/watch_program.ts`;
const GUEST_MAIN = `${ROOT}tests/kernels/guest/main.ts`;
/** Links of a system whose /usr is merged (systemd's file-hierarchy(7)). */
const MERGED = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
/** Folders that /init mounts something on, or that programs expect. */
const FOLDERS = [
  "dev",
  "dev/pts",
  "etc",
  "home",
  "proc",
  "root",
  "run",
  "sys",
  "tmp",
  "usr/sbin",
  "var/tmp",
];
const TEXTS: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n",
  "etc/group": "root:x:0:\nnogroup:x:65534:\n",
  "etc/hostname": "guest\n",
  "etc/hosts": "127.0.0.1 localhost\n",
  "etc/machine-id": "7d1c4f6fe0b64f0ab8a0c3b6c1d2e3f4\n",
};

/** What a guest is to be. */
export interface ImageOptions {
  readonly system: GuestSystem;
  readonly job: Job;
}

/**
 * Writes the root of a guest: programs, Deno, the built sensor, the project and what a job needs.
 *
 * @param path Where to.
 * @param options The guest and its job.
 */
export async function writeImage(path: string, { system, job }: ImageOptions): Promise<void> {
  const { folder } = system.target;
  const live = await compilePrograms(system);
  const entries = new Map<string, RootEntry>();
  for (const name of FOLDERS) entries.set(name, { type: "folder", mode: 0o755 });
  const built = live.map((name) => `${folder}/live/${name}`);
  const more = [system.deno, `${folder}/libimmune_sensor.so`, ...built];
  for (const [place, entry] of await system.files(more)) entries.set(place, entry);
  for (const name of MERGED) entries.set(name, { type: "link", target: `usr/${name}` });
  await addFile(entries, { from: system.deno, to: "usr/bin/deno" });
  await addFile(entries, { from: `${ROOT}tests/kernels/guest/init`, to: "init" });
  await addProject(entries, folder);
  for (const name of live) {
    const to = `${GUEST_PROGRAMS}/${name}`.slice(1);
    await addFile(entries, { from: `${folder}/live/${name}`, to });
  }
  const files = [GUEST_MAIN, STARTED, ...job.files.map((file) => `${ROOT}${file}`)];
  const packages = await cachedPackages(files, "deno");
  for (const [place, entry] of packages.entries) entries.set(place, entry);
  await addConfiguration(entries, packages.names);
  for (const [place, text] of Object.entries(TEXTS)) addText(entries, { place, text });
  addText(entries, { place: JOB_PATH.slice(1), text: JSON.stringify(job) });
  await writeRoot(path, entries);
}

async function compilePrograms({ target }: GuestSystem): Promise<readonly string[]> {
  const { compiler, folder: built } = target;
  const folder = `${built}/live`;
  await Deno.mkdir(folder, { recursive: true });
  await buildSensorTest(`${folder}/sensor_test`, { compiler, built });
  await buildReport(`${folder}/report`, { compiler, built });
  const helpers = [...HELPERS, ...HELPERS_OF[target.arch] ?? []];
  for (const name of helpers) await compileProgram(name, { folder, compiler });
  return ["sensor_test", "report", ...helpers];
}

async function addProject(entries: Map<string, RootEntry>, built: string): Promise<void> {
  const to = GUEST_ROOT.slice(1);
  for (const room of ROOMS) {
    await addTree(entries, { from: `${ROOT}${room}`, to: `${to}/${room}`, skip: /\.(png|md)$/ });
  }
  for (const file of FILES) await addFile(entries, { from: `${ROOT}${file}`, to: `${to}/${file}` });
  for (const file of [LIBRARY, ...SMALL_PROGRAMS]) {
    await addFile(entries, { from: `${built}/${file}`, to: `${to}/out/${file}` });
  }
}

/** The project's configuration without the packages that are not there: Deno would ask for them. */
async function addConfiguration(
  entries: Map<string, RootEntry>,
  packages: ReadonlySet<string>,
): Promise<void> {
  const configuration: { imports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(`${ROOT}${CONFIGURATION}`),
  );
  configuration.imports = Object.fromEntries(
    Object.entries(configuration.imports)
      .filter(([name, target]) => !target.startsWith("npm:") || packages.has(name)),
  );
  const text = JSON.stringify(configuration);
  addText(entries, { place: `${GUEST_ROOT}/${CONFIGURATION}`.slice(1), text });
}

function addText(
  entries: Map<string, RootEntry>,
  { place, text }: { readonly place: string; readonly text: string },
): void {
  entries.set(place, { type: "file", data: new TextEncoder().encode(text), mode: 0o644 });
}
