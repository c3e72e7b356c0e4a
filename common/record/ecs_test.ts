import { assertEquals } from "@std/assert";
import { type EcsContext, type EcsDocument, ecsDocument } from "./ecs.ts";
import type { LogKind } from "./ecs_log.ts";
import { endpointText, subjectText } from "./ecs_text.ts";
import { decodeRecord } from "./decode.ts";
import { encodeRecord, type RecordValues } from "./encode.ts";
import { GOLDEN_RECORDS, OLDER_EXEC_HEX, OLDER_OPEN_HEX } from "./_golden_test_support.ts";
import { DNS_ANSWER as ANSWER } from "./_dns_test_support.ts";
import { processEntityId } from "./process_key.ts";
import { CHANGES } from "./values.ts";

const CONTEXT: EcsContext = {
  hostId: "ab".repeat(32),
  bootId: "cd".repeat(16),
  hostName: "gpu-1",
  wallOffsetNs: 1_700_000_000_000_000_000n,
  userName: (uid) => uid === 1000 ? "ada" : undefined,
};

const PEER = new Uint8Array([192, 0, 2, 9]);

function golden(kind: string): Uint8Array {
  const found = GOLDEN_RECORDS.find((record) => record.kind === kind);
  if (found === undefined) throw new TypeError(`No golden record of kind "${kind}"`);
  return Uint8Array.fromHex(found.hex);
}

Deno.test("ecsDocument() of an exec takes the program from the record", () => {
  const document = ecsDocument(decodeRecord(golden("exec")), CONTEXT);
  assertEquals(document["@timestamp"], "2023-11-14T22:15:23.456Z");
  assertEquals(document.process?.executable, "/usr/bin/bash");
  assertEquals(document.process?.name, "bash");
  assertEquals(document.process?.command_line, "bash -c : /dev/tcp/127.0.0.1/4444");
  assertEquals(document.process?.args, ["bash", "-c", ": /dev/tcp/127.0.0.1/4444"]);
  assertEquals(
    document.process?.entity_id,
    processEntityId(CONTEXT, { pid: 4242, startTimeNs: 123_000_000_001n }),
  );
  assertEquals(document.process?.parent?.pid, 4000);
  assertEquals(document.process?.parent?.user?.id, "1000");
  assertEquals(document.user, { id: "1000", name: "ada" });
});

Deno.test("ecsDocument() of a connect takes the program from the process table", () => {
  const utf8 = new TextEncoder();
  const process = {
    image: utf8.encode("/usr/bin/nc"),
    argv: utf8.encode("nc\x00127.0.0.1\x00"),
    cwd: utf8.encode("/"),
  };
  const document = ecsDocument(decodeRecord(golden("connect")), { ...CONTEXT, process });
  assertEquals(document.destination, { ip: "127.0.0.1", port: 4444 });
  assertEquals(document.network, { transport: "tcp", type: "ipv4", initiated: true });
  assertEquals(document.process?.executable, "/usr/bin/nc");
  assertEquals(document.labels, { flags: ["mapped"] });
});

Deno.test("ecsDocument() of a bind writes IPv6 as RFC 5952 does", () => {
  const document = ecsDocument(decodeRecord(golden("bind")), CONTEXT);
  assertEquals(document.source, { ip: "2001:db8::1", port: 53 });
});

Deno.test("ecsDocument() of an open leaves unknown flags out, and what an older writer lacks", () => {
  const file = ecsDocument(decodeRecord(golden("open")), CONTEXT).file;
  assertEquals(file, { path: "/etc/shadow", opened_as: "/tmp/x", inode: "42" });
  const older = ecsDocument(decodeRecord(Uint8Array.fromHex(OLDER_OPEN_HEX)), CONTEXT).file;
  assertEquals(older, { path: "/etc/shadow", inode: "42" });
});

Deno.test("ecsDocument() leaves out the entity id where the start is not known", () => {
  const record = decodeRecord(encodeRecord("open", { header: { pid: 7 } }));
  assertEquals(ecsDocument(record, CONTEXT).process?.entity_id, undefined);
});

Deno.test("ecsDocument() of an accept has who came as source, itself as destination", () => {
  const { source, destination, network } = ecsDocument(decodeRecord(golden("accept")), CONTEXT);
  assertEquals(source, { ip: "203.0.113.7", port: 50000 });
  assertEquals(destination, { ip: "192.0.2.1", port: 8000 });
  assertEquals(network?.initiated, false);
});

Deno.test("ecsDocument() of a flow has both ends, bytes both ways and how long it lasted", () => {
  const { source, destination, event } = ecsDocument(decodeRecord(golden("flow")), CONTEXT);
  assertEquals(source, { ip: "192.0.2.1", port: 50001, bytes: 0x123456789a });
  assertEquals(destination, { ip: "203.0.113.7", port: 443, bytes: 77 });
  assertEquals(event.duration, 5_000_000);
});

Deno.test("ecsDocument() of a DNS answer has the question and the addresses", () => {
  const record = encodeRecord("dns", {
    body: { family: 2, port: 53, protocol: 17, query_type: 1, is_answer: 1, transaction: 7 },
    slots: { name: "a.example", message: ANSWER },
  });
  assertEquals(ecsDocument(decodeRecord(record), CONTEXT).dns, {
    type: "answer",
    id: "7",
    question: { name: "a.example", type: "A" },
    response_code: "0",
    resolved_ip: ["203.0.113.7", "2001:db8::7"],
  });
});

Deno.test("ecsDocument() of a signal and of an access names the other process", () => {
  const context = { ...CONTEXT, roleName: () => "training" };
  const signal = ecsDocument(decodeRecord(golden("signal")), context);
  assertEquals(signal.event.signal, 9);
  assertEquals(signal.target?.process.pid, 4242);
  assertEquals(signal.target?.process.role, "training");
  assertEquals(signal.target?.process.session, { id: "1122334455667788" });
  assertEquals(ecsDocument(decodeRecord(golden("access")), context).event.access, "attach");
});

Deno.test("ecsDocument() of a change has both paths and the file as it was afterwards", () => {
  const { event, file } = ecsDocument(decodeRecord(golden("change")), CONTEXT);
  assertEquals([event.type, event.change], [["change"], "rename"]);
  assertEquals(file, {
    path: "/etc/cron.d/x",
    old_path: "/tmp/x",
    inode: "4711",
    mode: "0640",
    uid: "1000",
    gid: "1001",
    links: 1,
  });
  const gone = encodeRecord("change", { body: { change: CHANGES.delete }, slots: { path: "/a" } });
  const document = ecsDocument(decodeRecord(gone), CONTEXT);
  assertEquals([document.event.type, document.file], [["deletion"], { path: "/a" }]);
});

Deno.test("ecsDocument() of an act has what was done, its paths and the namespaces after it", () => {
  const { event, file, process } = ecsDocument(decodeRecord(golden("act")), CONTEXT);
  assertEquals([event.act, event.act_argument, event.act_object], ["mount", 4096, "0"]);
  assertEquals(file, { path: "/mnt", old_path: "/etc" });
  assertEquals(process?.namespaces?.mount, 4026531841);
});

Deno.test("ecsDocument() of a hash has it of the file, and of the process that runs it", () => {
  const sha256 = new TextEncoder().encode("0123456789abcdef0123456789abcdef").toHex();
  const { file, process } = ecsDocument(decodeRecord(golden("image_hash")), CONTEXT);
  assertEquals(file, { path: "/usr/bin/id", inode: "4711", size: 142_000, hash: { sha256 } });
  assertEquals(process?.hash, { sha256 });
  const opened = encodeRecord("image_hash", { slots: { sha256: new Uint8Array(32) } });
  assertEquals(ecsDocument(decodeRecord(opened), CONTEXT).process?.hash, undefined);
});

Deno.test("ecsDocument() names the container of the process's cgroup", () => {
  const record = decodeRecord(encodeRecord("open", { header: { pid: 7, cgroup_id: 9n } }));
  const context = { ...CONTEXT, containerId: (id: bigint) => id === 9n ? "c" : undefined };
  assertEquals(ecsDocument(record, context).container, { id: "c" });
  assertEquals(ecsDocument(record, CONTEXT).container, undefined);
});

Deno.test("ecsDocument() of an exec has streams that are sockets, and none of an older writer", () => {
  const record = encodeRecord("exec", {
    body: {
      stdio_sockets: 5,
      stdio_family: 2,
      stdio_port: 4444,
      stdio_address: new Uint8Array([203, 0, 113, 7]),
      mount_namespace: 1,
      pid_namespace: 2,
      network_namespace: 3,
      user_namespace: 4,
    },
  });
  const document = ecsDocument(decodeRecord(record), CONTEXT);
  assertEquals(document.process?.stdio_socket, "stdin stderr");
  assertEquals(document.process?.namespaces, { mount: 1, pid: 2, network: 3, user: 4 });
  assertEquals(document.destination, { ip: "203.0.113.7", port: 4444 });
  const older = ecsDocument(decodeRecord(Uint8Array.fromHex(OLDER_EXEC_HEX)), CONTEXT);
  assertEquals(older.process?.command_line, "bash -c : /dev/tcp/127.0.0.1/4444");
  assertEquals([older.process?.namespaces, older.destination], [undefined, undefined]);
});

/** A line of a log, as a record of a kind. */
function logged(kind: LogKind, values: RecordValues<LogKind>): EcsDocument {
  return ecsDocument(decodeRecord(encodeRecord(kind, values)), CONTEXT);
}

Deno.test("ecsDocument() of a login has who, from where, how, and the line", () => {
  const document = logged("login", {
    header: { pid: 19, uid: 1000 },
    body: { family: 2, port: 50022, outcome: 1, origin: 1, writer: 1, address: PEER },
    slots: { program: "sshd", service: "sshd", user: "ada", method: "publickey", line: "x" },
  });
  assertEquals(document.event.category, ["authentication"]);
  assertEquals(document.event.outcome, "success");
  assertEquals(document.user, { id: "1000", name: "ada" });
  assertEquals(document.group, undefined);
  assertEquals(document.source, { ip: "192.0.2.9", port: 50022 });
  assertEquals(document.authentication, { service: "sshd", method: "publickey" });
  assertEquals(document.log, { origin: "file", writer: "proven", program: "sshd" });
  assertEquals(subjectText(document), "ada from 192.0.2.9:50022 by publickey at sshd");
});

Deno.test("ecsDocument() of a failed login names whom the host does not know", () => {
  const { event, user } = logged("auth_failure", {
    header: { uid: 0xFFFFFFFF },
    body: { outcome: 2 },
    slots: { user: "oracle" },
  });
  assertEquals([event.outcome, user], ["failure", { id: "oracle", name: "oracle" }]);
});

Deno.test("ecsDocument() of an act as another user names both and the command", () => {
  const document = logged("privilege", {
    header: { pid: 9, uid: 1000 },
    slots: { user: "ada", target_user: "root", service: "sudo", command: "/usr/bin/id", line: "x" },
  });
  assertEquals(document.user?.effective, { name: "root" });
  assertEquals(document.authentication?.command, "/usr/bin/id");
  assertEquals(subjectText(document), "ada as root at sudo ran /usr/bin/id");
});

Deno.test("ecsDocument() of a line that names no process and nobody has neither", () => {
  const document = logged("log_line", { slots: { program: "named", line: "exiting" } });
  assertEquals([document.process, document.user], [undefined, undefined]);
  assertEquals(subjectText(document), "exiting");
});

Deno.test("ecsDocument() of tampering says what, with what and by whom", () => {
  const document = ecsDocument(decodeRecord(golden("tamper")), CONTEXT);
  assertEquals(document.tamper, {
    what: "detached",
    object: "program on_exec",
    detail: "it was not attached",
    restored: true,
  });
  assertEquals(document.target?.process.pid, 77);
  assertEquals(subjectText(document), "program on_exec: it was not attached");
});

Deno.test("endpointText() writes what is known of an end", () => {
  assertEquals(endpointText({ ip: "2001:db8::1", port: 22 }), "[2001:db8::1]:22");
  assertEquals(endpointText({ domain: "client.example" }), "client.example");
  assertEquals(endpointText({ port: 22 }), undefined);
  assertEquals(endpointText(undefined), undefined);
});
