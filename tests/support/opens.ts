import { assert, assertEquals } from "@std/assert";
import type { Watch } from "../../agent/sensors/policy.ts";
import { type KindName, KINDS } from "../../common/record/table.ts";
import { OPEN_FLAGS_UNKNOWN, SOURCES } from "../../common/record/values.ts";
import { lostOf } from "../../common/wire/tally.ts";
import { pathOf, Probe, run } from "./probe.ts";

/** Tries until the sensor has followed a change of names; each is a whole process. */
const ATTEMPTS_MAX = 200;

/** A sensor that reports opens of what is watched, and nothing else. */
export function watching(...watches: Watch[]): Probe {
  return new Probe({ kinds: ["open"], watches });
}

/** Reads a file in another process; that process must be the one that is reported, once. */
export async function expectOpen(probe: Probe, options: {
  readonly argument: string;
  readonly path: string;
  /** The name that it is opened by, where `path` is the watched one of the same file. */
  readonly openedAs?: string;
  readonly cwd?: string;
}): Promise<void> {
  const { pid } = await run("cat", [options.argument], options);
  probe.until(() => probe.opens(pid).length > 0);
  const opens = probe.opens(pid);
  assertEquals(opens.map(pathOf), [options.path]);
  for (const record of opens) {
    const openedAs = new TextDecoder().decode(record.slot("open", "opened_as"));
    assertEquals(openedAs, options.openedAs ?? "");
    const about = Deno.statSync(options.path);
    assertEquals(record.number("open", "inode"), Number(about.ino));
    assertEquals(record.number("open", "open_flags"), OPEN_FLAGS_UNKNOWN);
    // Linux's number of a device in stat(2) and in the kernel differ from minor 256 up.
    const [major, minor] = [Number(about.dev) >> 8 & 0xFFF, Number(about.dev) & 0xFF];
    assertEquals(record.number("open", "device"), major * 2 ** 20 + minor);
    assertEquals([record.flags, record.uid, record.parentPid], [0, 0, Deno.pid]);
    assert(record.startTimeNs > 0n);
    assert(record.timeNs >= record.startTimeNs);
  }
}

/**
 * Reads a file, by its path or another name, in new processes until the sensor reports it: it follows
 * names on its own thread.
 */
export async function eventually(
  probe: Probe,
  path: string,
  options: { readonly as?: string } = {},
): Promise<void> {
  for (let i = 0; i < ATTEMPTS_MAX; i++) {
    const { pid } = await run("cat", [options.as ?? path]);
    probe.read(10);
    if (probe.opens(pid).some((record) => pathOf(record) === path)) return;
  }
  throw new Error(`"${path}" was opened ${ATTEMPTS_MAX} times and never seen`);
}

/** What the kernel counted of one kind. */
export interface KindCounts {
  readonly seen: number;
  readonly submitted: number;
  readonly filtered: number;
  readonly folded: number;
  readonly lost: number;
}

/** Counters of opens, all CPUs together, without those of watched files. */
export function openCounts(probe: Probe): KindCounts {
  return kindCounts(probe, "open");
}

/** Counters of a kind, all CPUs together, without those of watched files. */
export function kindCounts({ sensor }: Probe, kind: KindName): KindCounts {
  const rows = sensor.stats().filter((row) =>
    row.kind === KINDS[kind].id && row.source !== SOURCES.watch
  );
  const sum = (of: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((total, row) => total + of(row), 0);
  return {
    seen: sum(({ seen }) => seen),
    submitted: sum(({ submitted }) => submitted),
    filtered: sum(({ filtered }) => filtered),
    folded: sum(({ folded }) => folded),
    lost: sum(lostOf),
  };
}
