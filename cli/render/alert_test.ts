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

Deno.test("renderAlert() shows by which other name a watched file was opened", () => {
  const { process: _, ...rest } = ALERT;
  const lines = (file: NonNullable<Alert["file"]>): readonly string[] =>
    renderAlert({ ...rest, file }, PLAIN).split("\n").slice(1, -1);
  assertEquals(lines({ path: "/etc/shadow" }), ["  target   /etc/shadow"]);
  assertEquals(lines({ path: "/etc/shadow", opened_as: "/tmp/x" }), [
    "  target   /etc/shadow opened as /tmp/x",
  ]);
});

Deno.test("renderAlert() shows what a correlation over hosts found, and where", () => {
  const member = (event: string, name: string) => ({
    event,
    rule: "r",
    time: ALERT.time,
    host: { id: name, name },
  });
  const correlation = {
    type: "value_count",
    group: { User: "an\x07n" },
    value: 2,
    hits: 3,
    first: ALERT.time,
    last: ALERT.time,
    members: [member("a1", "gpu-1"), member("a2", "gpu-2"), member("a3", "gpu-1")],
  };
  const { process: _, ...rest } = ALERT;
  assertEquals(renderAlert({ ...rest, correlation }, PLAIN).split("\n").slice(1), [
    `  found    User an\\x07n, value_count 2, 3 hits from ${ALERT.time}`,
    "  hosts    gpu-1, gpu-2",
    "  alert    a1 r",
    "  alert    a2 r",
    "  alert    a3 r",
    "",
  ]);
});
