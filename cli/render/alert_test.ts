import { assertEquals } from "@std/assert";
import type { Alert } from "../../common/wire/mod.ts";
import { renderAlert } from "./alert.ts";
import { painter } from "./terminal.ts";

const PLAIN = painter({ terminal: false });

const ALERT: Alert = {
  id: "0123456789abcdef0123456789abcdef",
  time: "2026-01-02T03:04:05.678Z",
  host: { id: "h", name: "gpu-1" },
  rule: { id: "rule-1", title: "Shell over a socket" },
  severity: "high",
  event: { kind: "alert", action: "exec" },
  process: {
    pid: 12,
    executable: "/usr/bin/bash",
    command_line: "bash -c \x1b[2J",
    parent: { pid: 11, executable: "/usr/bin/sshd" },
  },
};

Deno.test("renderAlert() shows what ran, who started it, and no control bytes", () => {
  assertEquals(
    renderAlert(ALERT, PLAIN),
    "2026-01-02T03:04:05.678Z HIGH     Shell over a socket rule-1\n" +
      "  process  /usr/bin/bash pid 12\n" +
      "  command  bash -c \\x1b[2J\n" +
      "  parent   /usr/bin/sshd pid 11\n",
  );
});

Deno.test("renderAlert() brackets an IPv6 destination", () => {
  const { process: _, ...rest } = ALERT;
  const alert = { ...rest, destination: { ip: "2001:db8::1", port: 4444 } };
  assertEquals(renderAlert(alert, PLAIN).split("\n")[1], "  target   [2001:db8::1]:4444");
});
