import { assertEquals } from "@std/assert";
import { followFiles, KEPT_FILES_MAX } from "./kept.ts";
import { parseEnforcement } from "./parse.ts";
import type { EnforcementPolicy } from "./policy.ts";
import type { FileAbout, ResolvedFiles } from "./resolve.ts";

function policyOf(...paths: readonly string[]): EnforcementPolicy {
  const text = `[[entry]]\nname = "a"\naction = "open"\npaths = ${JSON.stringify(paths)}\n`;
  return parseEnforcement(text, { file: "test", homes: [] });
}

function about(inode: number): FileAbout {
  return {
    device: 1,
    inode: BigInt(inode),
    kernel: undefined,
    links: 1,
    changed: [0n, 0],
    sha256: "",
    raw: new Uint8Array(),
  };
}

function found(alone: Readonly<Record<string, number>>): ResolvedFiles {
  return {
    named: new Map(),
    alone: new Map(Object.entries(alone).map(([path, inode]) => [path, about(inode)])),
    kept: new Map(),
    protected: [],
    users: new Map(),
    missing: [],
    unknown: [],
  };
}

const keptOf = ({ kept }: ResolvedFiles): readonly (readonly [string, readonly bigint[]])[] =>
  [...kept].map(([path, files]) => [path, files.map(({ inode }) => inode)]);

Deno.test("followFiles() keeps a file that was moved while it lives, and tells what it cannot", () => {
  const policy = policyOf("/a", "/b", "/c", "/d");
  const before = found({ "/a": 1, "/b": 2, "/c": 3, "/d": 4 });
  const state = { 1: "lives", 2: "gone", 3: "unknown" } as const;
  const lives = (_: string, { inode }: FileAbout) => state[Number(inode) as keyof typeof state];
  const first = followFiles(policy, { before, now: found({ "/a": 9, "/d": 4 }), lives });
  assertEquals([keptOf(first.files), first.lost], [[["/a", [1n]]], ["/c"]]);
  // Moved back: it has its name again, and what was there meanwhile is followed.
  const second = followFiles(policy, {
    before: first.files,
    now: found({ "/a": 1, "/d": 4 }),
    lives: () => "lives",
  });
  assertEquals([keptOf(second.files), second.lost], [[["/a", [9n]]], []]);
});

Deno.test("followFiles() keeps so many files and tells the others", () => {
  const paths = Array.from({ length: KEPT_FILES_MAX + 2 }, (_, i) => `/${i}`);
  const before = found(Object.fromEntries(paths.map((path, i) => [path, i + 1])));
  const { files, lost } = followFiles(policyOf(...paths), {
    before,
    now: found({}),
    lives: () => "lives",
  });
  assertEquals([files.kept.size, lost], [KEPT_FILES_MAX, paths.slice(KEPT_FILES_MAX)]);
});
