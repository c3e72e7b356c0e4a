// deno run -A build/sensor.ts
//
// Compiles the eBPF programs and the loader that carries them: out/libimmune_sensor.so.

import { ImmuneError } from "../common/config/errors.ts";
import { generateC } from "../common/record/generate.ts";

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const GEN = `${ROOT}/out/gen`;
const OBJECTS = `${ROOT}/out/bpf`;
const LIBRARY = `${ROOT}/out/libimmune_sensor.so`;
const BTF = "/sys/kernel/btf/vmlinux";
/** Folders where administrative commands lie, also when the PATH lacks them. */
const ADMINISTRATIVE_PATH = "/usr/local/sbin:/usr/sbin:/sbin";

/** How libbpf's headers are told the architecture; these two are supported. */
const TARGET_DEFINES: Readonly<Record<string, string>> = {
  x86_64: "-D__TARGET_ARCH_x86",
  aarch64: "-D__TARGET_ARCH_arm64",
};

// BPF_PROG of libbpf declares a context that a program need not use.
const BPF_FLAGS = "-O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Werror";
const LOADER_FLAGS = "-O2 -g -std=gnu11 -D_GNU_SOURCE= -fPIC -Wall -Wextra -Werror " +
  "-fvisibility=hidden -pthread";

/**
 * Builds what is missing or older than its sources: `out/gen/immune_record.h`, `out/gen/vmlinux.h`,
 * `out/bpf/*.o`, `out/gen/sensor.skel.h` and `out/libimmune_sensor.so`.
 *
 * @throws {ImmuneError} `SENSOR_UNAVAILABLE` when this host cannot build it: another architecture,
 * a kernel without BTF, a missing tool, or a source that does not compile.
 */
export async function buildSensor(): Promise<void> {
  const define = TARGET_DEFINES[Deno.build.arch];
  if (define === undefined) {
    throw new ImmuneError(
      "SENSOR_UNAVAILABLE",
      `Cannot build the sensor for "${Deno.build.arch}": use an x86_64 or aarch64 host`,
    );
  }
  await Deno.mkdir(GEN, { recursive: true });
  await Deno.mkdir(OBJECTS, { recursive: true });
  await writeIfDifferent(`${GEN}/immune_record.h`, generateC());
  await makeTypes();
  const libraryHeaders = files("bpf/lib", ".h");
  const generated = [`${GEN}/immune_record.h`, `${GEN}/vmlinux.h`];
  const objects = await Promise.all(
    files("bpf/events", ".bpf.c").map((source) =>
      compile(source, { define, headers: [...libraryHeaders, ...generated] })
    ),
  );
  await makeSkeleton(objects);
  await link([...libraryHeaders, `${GEN}/immune_record.h`]);
}

/** Writes the running kernel's types as a header, again when the kernel changed. */
async function makeTypes(): Promise<void> {
  const header = `${GEN}/vmlinux.h`;
  const stamp = `${GEN}/vmlinux.release`;
  const release = Deno.osRelease();
  if (modified(header) > 0 && readOr(stamp, "") === release) return;
  if (modified(BTF) === 0) {
    throw new ImmuneError(
      "SENSOR_UNAVAILABLE",
      `Cannot build the sensor: no kernel types at "${BTF}", use a kernel with BTF`,
    );
  }
  await make(header, await tool("bpftool", ["btf", "dump", "file", BTF, "format", "c"]));
  await Deno.writeTextFile(stamp, release);
}

interface CompileOptions {
  readonly define: string;
  readonly headers: readonly string[];
}

async function compile(source: string, options: CompileOptions): Promise<string> {
  const object = `${OBJECTS}/${baseName(source).replace(/\.c$/, ".o")}`;
  if (isFresh(object, [source, ...options.headers])) return object;
  const flags = [...BPF_FLAGS.split(" "), options.define, `-I${GEN}`, `-I${ROOT}/bpf/lib`];
  await tool("clang", [...flags, "-c", source, "-o", `${object}.new`]);
  await Deno.rename(`${object}.new`, object);
  return object;
}

/** Joins the objects, and wraps the result as the header that the loader includes. */
async function makeSkeleton(objects: readonly string[]): Promise<void> {
  const joined = `${OBJECTS}/sensor.o`;
  const skeleton = `${GEN}/sensor.skel.h`;
  if (isFresh(skeleton, objects)) return;
  await tool("bpftool", ["gen", "object", joined, ...objects]);
  await make(skeleton, await tool("bpftool", ["gen", "skeleton", joined, "name", "sensor_bpf"]));
}

async function link(headers: readonly string[]): Promise<void> {
  const sources = files("bpf/loader", ".c").filter((path) => !path.endsWith("_test.c"));
  const inputs = [...sources, ...files("bpf/loader", ".h"), ...headers, `${GEN}/sensor.skel.h`];
  if (isFresh(LIBRARY, inputs)) return;
  await tool("cc", [
    ...LOADER_FLAGS.split(" "),
    ...[GEN, `${ROOT}/bpf/lib`, `${ROOT}/bpf/loader`].map((folder) => `-I${folder}`),
    "-shared",
    "-Wl,-z,defs,-z,relro,-z,now",
    ...sources,
    // Dynamic: the distribution's archives are not position-independent.
    "-lbpf",
    "-lelf",
    "-lz",
    "-o",
    `${LIBRARY}.new`,
  ]);
  await Deno.rename(`${LIBRARY}.new`, LIBRARY);
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
