import { assertEquals } from "@std/assert";
import { type EcsContext, ecsDocument } from "./ecs.ts";
import { decodeRecord } from "./decode.ts";
import { encodeRecord } from "./encode.ts";
import { GOLDEN_RECORDS } from "./_golden_test_support.ts";
import { processEntityId } from "./process_key.ts";

const CONTEXT: EcsContext = {
  hostId: "ab".repeat(32),
  bootId: "cd".repeat(16),
  hostName: "gpu-1",
  wallOffsetNs: 1_700_000_000_000_000_000n,
  userName: (uid) => uid === 1000 ? "ada" : undefined,
};

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

Deno.test("ecsDocument() of an open leaves unknown flags out", () => {
  const file = ecsDocument(decodeRecord(golden("open")), CONTEXT).file;
  assertEquals(file, { path: "/etc/shadow", inode: "42" });
});

Deno.test("ecsDocument() leaves out the entity id where the start is not known", () => {
  const record = decodeRecord(encodeRecord("open", { header: { pid: 7 } }));
  assertEquals(ecsDocument(record, CONTEXT).process?.entity_id, undefined);
});
