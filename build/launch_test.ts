import { assertEquals } from "@std/assert";
import { permissionFlags } from "../cli/permissions.ts";
import { VERBS } from "../cli/verbs/mod.ts";
import { needsSensor } from "./launch.ts";

/** Whether a command line may load the sensor's library. */
function mayLoad(args: readonly string[]): boolean {
  return permissionFlags(args, { root: "/opt/immune/", environment: {} })
    .some((flag) => flag.startsWith("--allow-ffi"));
}

Deno.test("needsSensor() is so for each verb that loads the sensor, and asks no other for clang", () => {
  for (const verb of Object.keys(VERBS)) {
    // "up" starts the agent; what is to be uninstalled is not built for it.
    const expected = verb === "up" || (mayLoad([verb]) && verb !== "uninstall");
    assertEquals([verb, needsSensor([verb])], [verb, expected]);
  }
  assertEquals(needsSensor(["threats", "--last", "24h"]), false);
  assertEquals(needsSensor(["watch", "--help"]), false);
  assertEquals(needsSensor([]), false);
});
