// deno run -A build/sensor.ts
//
// Compiles the eBPF programs, the loader that carries them, out/libimmune_sensor.so, and the small
// programs that it starts, out/immune-guardian and out/immune-hasher.

import { ImmuneError } from "../common/config/errors.ts";
import { generateC } from "../common/record/generate.ts";
import { withCrew } from "./crew.ts";
import { HOST, type SensorTarget } from "./target.ts";

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
/** Folders where administrative commands lie, also when the PATH lacks them. */
const ADMINISTRATIVE_PATH = "/usr/local/sbin:/usr/sbin:/sbin";

/** Programs that are loaded together, and what sets their object apart. */
const OBJECT_GROUPS = [
  { folder: "events", name: "sensor", flags: [] },
  // For kernels before 5.12, which know no atomic step with a result.
  { folder: "events", name: "sensor_old", flags: ["-DIMMUNE_PLAIN_ATOMICS"] },
  // Those that refuse.
  { folder: "enforce", name: "enforce", flags: [] },
] as const;
type ObjectGroup = (typeof OBJECT_GROUPS)[number];

/** How libbpf's headers are told the architecture; these two are supported. */
const TARGET_DEFINES: Readonly<Record<string, string>> = {
  x86_64: "-D__TARGET_ARCH_x86",
  aarch64: "-D__TARGET_ARCH_arm64",
};

// BPF_PROG of libbpf declares a context that a program need not use.
const BPF_FLAGS = "-O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Werror";
const LOADER_FLAGS = "-O2 -g -std=gnu11 -D_GNU_SOURCE= -fPIC -Wall -Wextra -Werror " +
  "-fvisibility=hidden -pthread";
// Static: what is preloaded into others is not into it, and it is small.
const SMALL_FLAGS = "-O2 -std=gnu11 -D_GNU_SOURCE= -static -Wall -Wextra -Werror";

/** What answers while the agent stands still, and what reads files that may stand still too. */
const SMALL_PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "immune-guardian": ["guardian/guardian.c"],
  "immune-hasher": [
    "hasher/hasher.c",
    "loader/hash_read.c",
    "loader/hash_cache.c",
    "loader/file_tick.c",
    "loader/sha256.c",
  ],
};

/**
 * Builds what is missing or older than its sources: `out/gen/immune_record.h`, `out/gen/vmlinux.h`,
 * `out/bpf/*.o`, `out/gen/*.skel.h`, `out/libimmune_sensor.so`, `out/immune-guardian` and
 * `out/immune-hasher`.
 *
 * @param target What for. Default: this host.
 * @throws {ImmuneError} `SENSOR_UNAVAILABLE` when this host cannot build it: another architecture,
 * a kernel without BTF, a missing tool, or a source that does not compile.
 */
export async function buildSensor(target: SensorTarget = HOST): Promise<void> {
  const gen = `${target.folder}/gen`;
  if (TARGET_DEFINES[target.arch] === undefined) {
    throw new ImmuneError(
      "SENSOR_UNAVAILABLE",
      `Cannot build the sensor for "${target.arch}": use an x86_64 or aarch64 host`,
    );
  }
  await Deno.mkdir(gen, { recursive: true });
  for (const { name } of OBJECT_GROUPS) {
    await Deno.mkdir(`${target.folder}/bpf/${name}`, { recursive: true });
  }
  await writeIfDifferent(`${gen}/immune_record.h`, generateC());
  await makeTypes(target);
  const headers = [...files("bpf/lib", ".h"), `${gen}/immune_record.h`];
  for (const group of OBJECT_GROUPS) {
    const options = { target, group, headers: [...headers, `${gen}/vmlinux.h`] };
    const sources = files(`bpf/${group.folder}`, ".bpf.c");
    await makeSkeleton(await withCrew(sources, (source) => compile(source, options)), options);
  }
  await link(headers, { target });
  for (const [name, sources] of Object.entries(SMALL_PROGRAMS)) {
    await compileSmall(sources, { target, name });
  }
}

/** Writes a kernel's types as a header, again when the kernel changed. */
async function makeTypes({ folder, btf, release }: SensorTarget): Promise<void> {
  const header = `${folder}/gen/vmlinux.h`;
  const stamp = `${folder}/gen/vmlinux.release`;
  if (modified(header) > 0 && readOr(stamp, "") === release) return;
  if (modified(btf) === 0) {
    throw new ImmuneError(
      "SENSOR_UNAVAILABLE",
      `Cannot build the sensor: no kernel types at "${btf}", use a kernel with BTF`,
    );
  }
  await make(header, await tool("bpftool", ["btf", "dump", "file", btf, "format", "c"]));
  await Deno.writeTextFile(stamp, release);
}

interface GroupOptions {
  readonly target: SensorTarget;
  readonly group: ObjectGroup;
}

interface CompileOptions extends GroupOptions {
  readonly headers: readonly string[];
}

async function compile(source: string, options: CompileOptions): Promise<string> {
  const { target, group } = options;
  const object = `${target.folder}/bpf/${group.name}/${baseName(source).replace(/\.c$/, ".o")}`;
  if (isFresh(object, [source, ...options.headers])) return object;
  const flags = [
    ...BPF_FLAGS.split(" "),
    TARGET_DEFINES[target.arch] ?? "",
    ...group.flags,
    `-I${target.folder}/gen`,
    `-I${ROOT}/bpf/lib`,
  ];
  await tool("clang", [...flags, "-c", source, "-o", `${object}.new`]);
  await Deno.rename(`${object}.new`, object);
  return object;
}

/** Joins the objects, and wraps the result as the header that the loader includes. */
async function makeSkeleton(
  objects: readonly string[],
  { target: { folder }, group: { name } }: GroupOptions,
): Promise<void> {
  const joined = `${folder}/bpf/${name}.o`;
  const skeleton = `${folder}/gen/${name}.skel.h`;
  if (isFresh(skeleton, objects)) return;
  await tool("bpftool", ["gen", "object", joined, ...objects]);
  await make(skeleton, await tool("bpftool", ["gen", "skeleton", joined, "name", `${name}_bpf`]));
}

async function link(
  headers: readonly string[],
  { target: { folder, compiler } }: { readonly target: SensorTarget },
): Promise<void> {
  const library = `${folder}/libimmune_sensor.so`;
  const sources = files("bpf/loader", ".c").filter((path) => !path.endsWith("_test.c"));
  const skeletons = OBJECT_GROUPS.map(({ name }) => `${folder}/gen/${name}.skel.h`);
  const inputs = [...sources, ...files("bpf/loader", ".h"), ...headers, ...skeletons];
  if (isFresh(library, inputs)) return;
  const [command = "cc", ...first] = compiler;
  await tool(command, [
    ...first,
    ...LOADER_FLAGS.split(" "),
    ...[`${folder}/gen`, `${ROOT}/bpf/lib`, `${ROOT}/bpf/loader`].map((path) => `-I${path}`),
    "-shared",
    "-Wl,-z,defs,-z,relro,-z,now",
    ...sources,
    // Dynamic: the distribution's archives are not position-independent.
    "-lbpf",
    "-lelf",
    "-lz",
    "-ldl",
    "-o",
    `${library}.new`,
  ]);
  await Deno.rename(`${library}.new`, library);
}

/** A program that the library starts, and its sources. */
async function compileSmall(
  sources: readonly string[],
  { target: { folder, compiler }, name }: { readonly target: SensorTarget; readonly name: string },
): Promise<void> {
  const program = `${folder}/${name}`;
  const paths = sources.map((source) => `${ROOT}/bpf/${source}`);
  if (isFresh(program, [...paths, ...files("bpf/loader", ".h"), `${folder}/gen/immune_record.h`])) {
    return;
  }
  const [command = "cc", ...first] = compiler;
  const flags = [...first, ...SMALL_FLAGS.split(" ")];
  const includes = [`-I${folder}/gen`, `-I${ROOT}/bpf/loader`];
  await tool(command, [...flags, ...includes, ...paths, "-o", `${program}.new`]);
  await Deno.rename(`${program}.new`, program);
}

/** Runs a tool; its output, or an error with the first line of its complaint. */
async function tool(name: string, args: readonly string[]): Promise<string> {
  const PATH = `${Deno.env.get("PATH") ?? ""}:${ADMINISTRATIVE_PATH}`;
  // The shell finds the tool on the extended PATH, which the caller's own lookup would not.
  const command = new Deno.Command("/bin/sh", {
    args: ["-c", 'exec "$0" "$@"', name, ...args],
    env: { PATH },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  const complaint = decoder.decode(stderr).trim();
  const lines = complaint.split("\n");
  const first = lines.find((line) => /error:|undefined|not found/i.test(line)) ?? lines[0] ?? "";
  throw new ImmuneError("SENSOR_UNAVAILABLE", `Cannot build the sensor: ${name}: ${first}`, {
    cause: complaint,
  });
}

/** Files of a folder with that ending, sorted, so that a build is the same everywhere. */
function files(folder: string, ending: string): readonly string[] {
  return [...Deno.readDirSync(`${ROOT}/${folder}`)]
    .filter((entry) => entry.isFile && entry.name.endsWith(ending))
    .map((entry) => `${ROOT}/${folder}/${entry.name}`)
    .sort();
}

function isFresh(output: string, inputs: readonly string[]): boolean {
  const made = modified(output);
  return made > 0 && inputs.every((input) => modified(input) <= made);
}

/** Milliseconds since the epoch; 0 when there is no such file. */
function modified(path: string): number {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? 1;
  } catch {
    return 0;
  }
}

function readOr(path: string, fallback: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return fallback;
  }
}

/** Puts a whole file in place at once, so that a build that is cut leaves nothing half. */
async function make(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${path}.new`, text);
  await Deno.rename(`${path}.new`, path);
}

async function writeIfDifferent(path: string, text: string): Promise<void> {
  if (readOr(path, "") !== text) await make(path, text);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

if (import.meta.main) await buildSensor();
