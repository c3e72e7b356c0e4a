import { assert, assertEquals } from "@std/assert";
import { within } from "./eventually.ts";

/** Objects of the kernel's eBPF, by their ids. */
export interface BpfIds {
  readonly prog: ReadonlySet<number>;
  readonly map: ReadonlySet<number>;
  readonly link: ReadonlySet<number>;
}

/** What bpftool says of a program, a link, a map or one of its rows. */
export interface BpfObject {
  readonly id: number;
  readonly name?: string;
  /** Of a map. */
  readonly bytes_value: number;
  /** Of a link. */
  readonly prog_id: number;
  /** Of a row. */
  readonly key?: readonly string[];
}

/**
 * What a process holds open, by its fdinfo (proc_pid_fdinfo(5)).
 *
 * @param pid The process.
 */
export async function heldBpf(pid: number): Promise<BpfIds> {
  const held = { prog: new Set<number>(), map: new Set<number>(), link: new Set<number>() };
  for await (const { name } of Deno.readDir(`/proc/${pid}/fdinfo`)) {
    // It may have closed it meanwhile.
    const text = await Deno.readTextFile(`/proc/${pid}/fdinfo/${name}`).catch(() => "");
    for (const [, kind, id] of text.matchAll(/^(prog|map|link)_id:\s+(\d+)$/gm)) {
      held[kind as keyof BpfIds].add(Number(id));
    }
  }
  return held;
}

/**
 * How many of these the kernel still has, whoever holds or pins them.
 *
 * @param ids What is looked for.
 */
export async function bpfLeft(ids: BpfIds): Promise<Record<keyof BpfIds, number>> {
  const left = async (kind: keyof BpfIds): Promise<number> =>
    (await bpftool(kind, "show")).filter(({ id }) => ids[kind].has(id)).length;
  return { prog: await left("prog"), map: await left("map"), link: await left("link") };
}

/**
 * Runs bpftool, which must do what it is asked to.
 *
 * @param args Its arguments.
 * @returns What it lists; empty when it lists nothing.
 */
export async function bpftool(...args: readonly string[]): Promise<readonly BpfObject[]> {
  const { code, stdout, stderr } = await new Deno.Command("/usr/sbin/bpftool", {
    args: ["--json", ...args],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(code, 0, new TextDecoder().decode(stderr) + text);
  return text.startsWith("[") ? JSON.parse(text) : [];
}

/**
 * Has something let go of programs that this process holds, and waits until the kernel has none of
 * them: a busy one frees them later than anybody who lets go waits.
 *
 * @param deed What lets go; others may go on to hold theirs.
 */
export async function letGo(deed: () => void): Promise<void> {
  const before = await heldBpf(Deno.pid);
  deed();
  const now = await heldBpf(Deno.pid);
  const prog = before.prog.difference(now.prog);
  assert(prog.size > 0, "it held no program");
  await within(30_000)(
    "the programs are gone",
    async () => (await bpfLeft({ ...now, prog })).prog === 0 || undefined,
  );
}
