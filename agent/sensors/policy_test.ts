import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../../common/config/errors.ts";
import { CAPABILITIES, CAPABILITY_ROW_BYTES, CAPABILITY_STATES } from "./capabilities.ts";
import { FOLDED_ROW_BYTES, STATS_ROW_BYTES } from "./control.ts";
import { SENSOR_ABI } from "./library.ts";
import { FILTER_NETWORKS_MAX, PORT_CLASSES_MAX } from "../../common/sigma/network_filter.ts";
import { LISTED_BYTES, LISTED_MAX, LISTED_NETWORKS_MAX, NETWORK_BYTES } from "./network_policy.ts";
import { LISTED_FILES_MAX, LISTED_KEYS, listedFiles } from "./listed_files.ts";
import { encodeOptions, OPTION_PATH_BYTES } from "./options.ts";
import {
  encodePolicy,
  type Policy,
  POLICY_BYTES_MAX,
  POLICY_FLAGS,
  POLICY_MAGIC,
  POLICY_VERSION,
  type Watch,
  WATCH_TYPES,
} from "./policy.ts";
import { WATCHES_MAX } from "../../common/record/bounds.ts";

const EMPTY: Policy = {
  kinds: [],
  wideOpen: false,
  identity: false,
  wakeIntervalUs: 2000,
  watches: [],
};

const watches: fc.Arbitrary<Watch[]> = fc.array(
  fc.record({
    type: fc.constantFrom(...(Object.keys(WATCH_TYPES) as (keyof typeof WATCH_TYPES)[])),
    path: fc.string({ unit: "grapheme", maxLength: 200 })
      .map((name) => `/${name.replaceAll("\0", "")}`),
    wants: fc.constantFrom("changes" as const, "both" as const),
  }, { requiredKeys: ["type", "path"], noNullPrototype: true }),
  { maxLength: 20 },
);

/** Reads a blob back, after the C header's description and nothing else. */
function decode(blob: Uint8Array): { header: number[]; mask: bigint; watches: Watch[] } {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const u32 = (at: number): number => view.getUint32(at, true);
  const header = [u32(0), view.getUint16(4, true), view.getUint16(6, true), u32(8), u32(12)];
  const names = ["", "file", "children", "tree"] as const;
  const found: Watch[] = [];
  let at = view.getUint16(6, true);
  for (let i = 0; i < u32(28); i++) {
    const length = view.getUint16(at + 2, true);
    const type = names[view.getUint16(at, true)];
    const wants = ([undefined, undefined, "changes", "both"] as const)[u32(at + 4)];
    const path = new TextDecoder().decode(blob.subarray(at + 8, at + 8 + length));
    if (type !== undefined && type !== "") {
      found.push({ type, path, ...(wants === undefined ? {} : { wants }) });
    }
    at += 8 + Math.ceil(length / 8) * 8;
  }
  assertEquals(at, blob.length);
  return { header: [...header, u32(24)], mask: view.getBigUint64(16, true), watches: found };
}

Deno.test("encodePolicy() puts every watch where the header says, any watches", () => {
  fc.assert(
    fc.property(watches, fc.boolean(), fc.boolean(), (watches, wideOpen, identity) => {
      const blob = encodePolicy({ ...EMPTY, kinds: ["exec", "open"], wideOpen, identity, watches });
      const read = decode(blob);
      assertEquals(read.watches, watches);
      assertEquals(read.mask, (1n << 1n) | (1n << 18n));
      const flags = Number(wideOpen) + Number(identity) * 2;
      assertEquals(read.header, [0x4c4f5049, 5, 136, blob.length, flags, 2000]);
    }),
  );
});

Deno.test("encodePolicy() ends with the keys of listed files, and filters no open where any may be", () => {
  const opens = { marks: [], every: 0, deep: 0 };
  const files = listedFiles({ paths: ["/tmp/a"], names: ["b"] });
  const of = (
    listedFiles: Policy["listedFiles"] & object,
  ): readonly [number, number, Uint8Array] => {
    const blob = encodePolicy({ ...EMPTY, opens, listedFiles });
    const view = new DataView(blob.buffer);
    return [view.getUint32(12, true), view.getUint32(128, true), blob.subarray(136)];
  };
  assertEquals(of(files), [POLICY_FLAGS.open_filter, 4, files.keys]);
  assertEquals(of(listedFiles({ paths: ["/a"], names: [] }, 1)), [0, 0, new Uint8Array()]);
});

Deno.test("encodePolicy() refuses what does not hold, each bound", () => {
  const refuse = (change: Partial<Policy>, part: string): void => {
    const error = assertThrows(() => encodePolicy({ ...EMPTY, ...change }), ImmuneError, part);
    assertEquals(error.code, "CONFIG_INVALID");
  };
  refuse({ watches: [{ type: "file", path: "etc/shadow" }] }, "not absolute");
  refuse({ watches: [{ type: "file", path: "/etc/\0" }] }, "NUL");
  refuse({ watches: [{ type: "file", path: "/" + "a".repeat(4096) }] }, "4095 bytes");
  const path = { type: "file", path: "/a" } as const;
  refuse({ watches: new Array(WATCHES_MAX + 1).fill(path) }, `${WATCHES_MAX} are allowed`);
  const long = { type: "file", path: "/" + "a".repeat(4000) } as const;
  refuse({ watches: new Array(2200).fill(long) }, `${POLICY_BYTES_MAX} are allowed`);
  refuse({ kinds: ["alert"] }, 'kind "alert"');
  for (const wakeIntervalUs of [-1, 0.5, NaN, 1_000_001]) {
    refuse({ wakeIntervalUs }, "microseconds");
  }
});

Deno.test("constants equal those of immune_sensor.h", async () => {
  const source = new URL("../../bpf/loader/immune_sensor.h", import.meta.url);
  const filter = new URL("../../bpf/lib/network_filter.h", import.meta.url);
  const listed = new URL("../../bpf/lib/listed_file.h", import.meta.url);
  const program = `
#include <stdio.h>
#include <linux/types.h>
#include "${source.pathname}"
#include "${filter.pathname}"
#include "${listed.pathname}"
int main(void)
{
	printf("%u %u %u %u %u ", IMMUNE_SENSOR_ABI, IMMUNE_POLICY_MAGIC, IMMUNE_POLICY_VERSION,
	       IMMUNE_POLICY_BYTES_MAX, IMMUNE_WATCHES_MAX);
	printf("%d %d %d ", IMMUNE_POLICY_WIDE_OPEN, IMMUNE_POLICY_IDENTITY,
	       IMMUNE_POLICY_PUBLIC_PEERS);
	printf("%d %zu ", IMMUNE_POLICY_OPEN_FILTER, sizeof(struct immune_folded_row));
	printf("%d %d ", IMMUNE_POLICY_NETWORK_FILTER, IMMUNE_POLICY_LISTED_ANY);
	printf("%zu %zu %zu ", sizeof(struct immune_policy_header),
	       sizeof(struct immune_policy_network), sizeof(struct immune_policy_listed));
	printf("%d %d %d ", IMMUNE_LISTED_MAX, IMMUNE_PORT_CLASSES_MAX,
	       IMMUNE_FILTER_NETWORKS_MAX);
	printf("%d %d %d %d ", IMMUNE_LISTED_FILES_MAX, IMMUNE_LISTED_LAST, IMMUNE_LISTED_NAME,
	       IMMUNE_LISTED_PATH);
	printf("%d %d %d ", IMMUNE_WATCH_FILE, IMMUNE_WATCH_CHILDREN, IMMUNE_WATCH_TREE);
	printf("%d %d ", IMMUNE_CAP_COUNT, IMMUNE_CAP_SILENT);
	printf("%zu %zu %zu %d", sizeof(struct immune_stats_row),
	       sizeof(struct immune_capability_row), sizeof(struct immune_options),
	       IMMUNE_OPTION_PATH_BYTES);
}`;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.c`, program);
    const compiled = await new Deno.Command("cc", { args: ["-o", `${folder}/a`, `${folder}/a.c`] })
      .output();
    assertEquals(new TextDecoder().decode(compiled.stderr), "");
    const { stdout } = await new Deno.Command(`${folder}/a`).output();
    assertEquals(new TextDecoder().decode(stdout).split(" ").map(Number), [
      SENSOR_ABI,
      POLICY_MAGIC,
      POLICY_VERSION,
      POLICY_BYTES_MAX,
      WATCHES_MAX,
      POLICY_FLAGS.wide_open,
      POLICY_FLAGS.identity,
      POLICY_FLAGS.public_peers,
      POLICY_FLAGS.open_filter,
      FOLDED_ROW_BYTES,
      POLICY_FLAGS.network_filter,
      POLICY_FLAGS.listed_any,
      encodePolicy(EMPTY).length,
      NETWORK_BYTES,
      LISTED_BYTES,
      LISTED_MAX,
      PORT_CLASSES_MAX,
      FILTER_NETWORKS_MAX + LISTED_NETWORKS_MAX,
      LISTED_FILES_MAX,
      LISTED_KEYS.last,
      LISTED_KEYS.name,
      LISTED_KEYS.path,
      WATCH_TYPES.file,
      WATCH_TYPES.children,
      WATCH_TYPES.tree,
      CAPABILITIES.length,
      CAPABILITY_STATES.indexOf("silent"),
      STATS_ROW_BYTES,
      CAPABILITY_ROW_BYTES,
      encodeOptions({}).length,
      OPTION_PATH_BYTES,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
