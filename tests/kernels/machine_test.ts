import { assertEquals } from "@std/assert";
import { StaleBreakpoint } from "./machine.ts";

function isSeen(...lines: readonly string[]): boolean {
  const stale = new StaleBreakpoint();
  for (const line of lines) stale.look(line);
  return stale.seen;
}

Deno.test("StaleBreakpoint sees one in the kernel's text, and nothing in other crashes", () => {
  const trap = "[   85.143573] Oops: int3: 0000 [#1] SMP NOPTI";
  const cpu = "[   85.144067] CPU: 0 UID: 0 PID: 765 Comm: sensor_test";
  const text = "[   85.144459] RIP: 0010:syscall_exit_work+0x6e/0x140";
  assertEquals(isSeen(trap, cpu, text), true);
  assertEquals(isSeen(trap, cpu, "[   85.1] RIP: 0010:bpf_prog_0f00_on_exec+0x31/0x90"), false);
  assertEquals(isSeen(trap, cpu, "[   85.1] RIP: 0010:0xffffffffc0001234"), false);
  assertEquals(isSeen("[   85.1] Oops: general protection fault, 0000 [#1]", text), false);
  assertEquals(isSeen(text, trap, cpu), false);
});
