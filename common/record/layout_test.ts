import { assertEquals, assertThrows } from "@std/assert";
import { BODY_LAYOUTS, fixedBytes, HEADER_BYTES, HEADER_OFFSETS, layOut } from "./layout.ts";
import { KIND_NAMES, KINDS } from "./table.ts";

Deno.test("layOut() refuses a misaligned field", () => {
  assertThrows(
    () => layOut([{ name: "a", type: "u16", doc: "" }, { name: "b", type: "u32", doc: "" }]),
    TypeError,
    'Cannot place field "b"',
  );
});

Deno.test("layOut() refuses an end that is no multiple of 8", () => {
  assertThrows(() => layOut([{ name: "a", type: "u32", doc: "" }]), TypeError, "Cannot end layout");
});

Deno.test("header keeps the places that stored records have", () => {
  assertEquals(HEADER_BYTES, 96);
  assertEquals(HEADER_OFFSETS.kind, 8);
  assertEquals(HEADER_OFFSETS.pid, 20);
  assertEquals(HEADER_OFFSETS.start_time_ns, 48);
  assertEquals(HEADER_OFFSETS.cgroup_id, 72);
  assertEquals(HEADER_OFFSETS.role, 88);
});

Deno.test("kinds keep the sizes that stored records have", () => {
  const sizes = Object.fromEntries(
    KIND_NAMES.map((name) => [name, [KINDS[name].id, BODY_LAYOUTS[name].length, fixedBytes(name)]]),
  );
  assertEquals(sizes, {
    exec: [1, 64, 192],
    fork: [2, 0, 96],
    exit: [3, 8, 104],
    identity: [4, 32, 128],
    signal: [5, 32, 128],
    access: [6, 32, 128],
    act: [7, 40, 152],
    verdict: [12, 56, 160],
    connect: [16, 24, 120],
    bind: [17, 24, 120],
    open: [18, 16, 128],
    listen: [19, 24, 120],
    accept: [20, 48, 144],
    flow: [21, 72, 168],
    dns: [22, 32, 144],
    change: [23, 32, 144],
    process: [128, 24, 144],
    user: [129, 0, 104],
    cgroup: [130, 0, 112],
    role: [131, 0, 104],
    rule_set: [132, 0, 104],
    alert: [133, 16, 120],
    loss: [134, 24, 120],
    action_result: [135, 24, 128],
    health: [138, 40, 192],
    image_hash: [139, 32, 144],
    folded: [140, 32, 128],
    login: [141, 32, 208],
    auth_failure: [142, 32, 208],
    privilege: [143, 32, 208],
    tamper: [144, 8, 120],
    log_line: [145, 32, 208],
    flat: [192, 0, 96],
  });
});
