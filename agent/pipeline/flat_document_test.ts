import { assertEquals } from "@std/assert";
import { alertSchema } from "../../common/wire/alert.ts";
import { flatDocument } from "./flat_document.ts";

const ORIGIN = { context: { hostId: "a".repeat(64), hostName: "gpu-1" }, timeMs: 0, line: 3 };

Deno.test("flatDocument() keeps what a flat event says, under its ECS names", () => {
  const { process, user, file, destination, source } = flatDocument({
    Image: "/usr/bin/bash",
    CommandLine: "bash -i",
    ProcessId: "7",
    ParentImage: "/usr/sbin/sshd",
    User: "ann",
    TargetFilename: "/etc/shadow",
    DestinationIp: "203.0.113.7",
    DestinationPort: 443,
    Role: "mcp",
    Session: "00000000000000ff",
  }, ORIGIN);
  assertEquals(process, {
    pid: 7,
    executable: "/usr/bin/bash",
    command_line: "bash -i",
    role: "mcp",
    session: { id: "00000000000000ff" },
    parent: { pid: 0, executable: "/usr/sbin/sshd" },
  });
  assertEquals(user, { id: "ann", name: "ann" });
  assertEquals(file, { path: "/etc/shadow" });
  assertEquals([destination, source], [{ ip: "203.0.113.7", port: 443 }, undefined]);
});

Deno.test("flatDocument() of an event in ECS form is of this host, and makes a sound alert", () => {
  const document = flatDocument({
    "@timestamp": "2020-01-01T00:00:00Z",
    host: { id: "b", name: "other" },
    process: { pid: -1, executable: "/bin/x" },
    user: { id: "1000" },
  }, ORIGIN);
  assertEquals(document.host, { id: ORIGIN.context.hostId, name: "gpu-1" });
  assertEquals([document.process?.pid, document.user], [0, { id: "1000" }]);
  const { "@timestamp": time, event, ...parts } = document;
  const alert = {
    ...parts,
    id: "0".repeat(32),
    time,
    rule: { id: "r", title: "t" },
    severity: "low",
    event: { ...event, kind: "alert" },
  };
  assertEquals(alertSchema.safeParse(alert).success, true);
});
