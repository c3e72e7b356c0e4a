import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { decodeRecord, encodeRecord, type HeaderValues } from "../../common/record/mod.ts";
import type { Expression } from "../../common/sigma/expression.ts";
import { fitImage } from "../../common/sigma/fit.ts";
import { ANY } from "../../common/sigma/value.ts";
import { Engine } from "./engine.ts";

const INFERENCE = 1;
const CODING_AGENT = 5;

function endsWith(field: string, text: string): Expression {
  return {
    kind: "test",
    field,
    criterion: { type: "pattern", pattern: [ANY, text], cased: false },
  };
}

function imageWithRoles(): Uint8Array {
  const position = { line: 1, column: 1 };
  const roles = [
    { role: INFERENCE, expression: endsWith("Image", "/ollama"), position },
    { role: CODING_AGENT, expression: endsWith("CommandLine", "claude"), position },
  ];
  return fitImage([], { roles }).bytes;
}

interface Label {
  readonly role: number;
  readonly session: bigint;
}

/** Scans one record; role and session that it has afterwards. */
function labelOf(engine: Engine, record: Uint8Array): Label {
  engine.batch.set(record);
  engine.scan(record.length);
  const { role, session } = decodeRecord(engine.batch);
  return { role, session };
}

function header(pid: number, parent: number, more: HeaderValues = {}): HeaderValues {
  return {
    pid,
    start_time_ns: BigInt(pid),
    parent_pid: parent,
    parent_start_time_ns: BigInt(parent),
    ...more,
  };
}

function exec(pid: number, parent: number, image: string, more?: HeaderValues): Uint8Array {
  return encodeRecord("exec", {
    header: header(pid, parent, more),
    slots: { image, argv: `${image.split("/").at(-1)}\0`, cwd: "/" },
  });
}

function fork(pid: number, parent: number): Uint8Array {
  return encodeRecord("fork", { header: header(pid, parent) });
}

function open(pid: number): Uint8Array {
  return encodeRecord("open", {
    header: { pid, start_time_ns: BigInt(pid) },
    slots: { path: "/" },
  });
}

Deno.test("scan() gives a role at exec, begins a session, and labels every later record", async () => {
  const engine = await Engine.create();
  engine.publish(imageWithRoles());
  assertEquals(labelOf(engine, exec(10, 1, "/bin/bash")), { role: 0, session: 0n });
  const server = labelOf(engine, exec(11, 10, "/usr/bin/ollama"));
  assertEquals(server.role, INFERENCE);
  assertNotEquals(server.session, 0n);
  assertEquals(labelOf(engine, open(11)), server);
  assertEquals(labelOf(engine, open(10)), { role: 0, session: 0n });
  assertEquals(engine.process(11, 11n)?.role, INFERENCE);
});

Deno.test("scan() hands role and session on: fork, double fork, exec of what has no role", async () => {
  const engine = await Engine.create();
  engine.publish(imageWithRoles());
  const server = labelOf(engine, exec(11, 10, "/usr/bin/ollama"));
  assertEquals(labelOf(engine, fork(12, 11)), server);
  assertEquals(labelOf(engine, fork(13, 12)), server);
  assertEquals(labelOf(engine, exec(13, 1, "/bin/sh")), server);
  // Its fork was missed: the parent is known.
  assertEquals(labelOf(engine, exec(14, 13, "/usr/bin/curl")), server);
});

Deno.test("scan() changes the role of a descendant that has another, and keeps the session", async () => {
  const engine = await Engine.create();
  engine.publish(imageWithRoles());
  const server = labelOf(engine, exec(11, 10, "/usr/bin/ollama"));
  assertEquals(labelOf(engine, exec(12, 11, "/opt/claude")), { ...server, role: CODING_AGENT });
  const other = labelOf(engine, exec(20, 1, "/opt/claude"));
  assertEquals(other.role, CODING_AGENT);
  assertNotEquals(other.session, server.session);
});

Deno.test("scan() leaves what the kernel told, and passes it on", async () => {
  const engine = await Engine.create();
  engine.publish(imageWithRoles());
  const told = { role: 77, session: 9n };
  assertEquals(labelOf(engine, exec(11, 10, "/usr/bin/other", told)), told);
  assertEquals(engine.takeLabels().length, 0);
  assertEquals(labelOf(engine, fork(12, 11)), told);
  assertEquals(labelOf(engine, open(12)), told);
});

Deno.test("scan() labels what a snapshot told, children after their parents", async () => {
  const engine = await Engine.create();
  engine.publish(imageWithRoles());
  const snapshot = (pid: number, parent: number, image: string): Uint8Array =>
    encodeRecord("process", { header: header(pid, parent), slots: { image, argv: "x\0" } });
  const server = labelOf(engine, snapshot(11, 10, "/usr/bin/ollama"));
  assertEquals(server.role, INFERENCE);
  assertEquals(labelOf(engine, snapshot(12, 11, "/bin/sh")), server);
});

Deno.test("scan() has Role in rules, on the exec that begins it as well", async () => {
  const engine = await Engine.create();
  const position = { line: 1, column: 1 };
  const logic = {
    id: "r",
    logSource: { category: "process_creation" },
    position,
    expression: endsWith("Role", "5"),
  };
  const roles = [
    { role: CODING_AGENT, expression: endsWith("CommandLine", "claude"), position },
  ];
  engine.publish(fitImage([logic], { roles }).bytes);
  const fires = (record: Uint8Array): boolean => {
    engine.batch.set(record);
    return engine.scan(record.length).length > 0;
  };
  assert(fires(exec(5, 1, "/opt/claude")));
  assert(fires(exec(6, 5, "/bin/sh")));
  assert(!fires(exec(7, 1, "/bin/sh")));
});

const LABELLED = 128;

/** What the kernel would be told since the last question. */
function told(engine: Engine): readonly (Label & { readonly pid: number })[] {
  const bytes = engine.takeLabels().slice();
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 32 }, (_, i) => ({
    pid: view.getUint32(i * 32 + 24, true),
    role: view.getUint32(i * 32 + 28, true),
    session: view.getBigUint64(i * 32 + 8, true),
  }));
}

Deno.test("takeLabels() has what was found here, once, and children of before the kernel knew", async () => {
  const engine = await Engine.create();
  engine.publish(imageWithRoles());
  const server = labelOf(engine, exec(11, 10, "/usr/bin/ollama"));
  assertEquals(told(engine), [{ ...server, pid: 11 }]);
  labelOf(engine, open(11));
  assertEquals(told(engine), []);
  // The kernel's record of the child was made before it was told.
  assertEquals(labelOf(engine, fork(12, 11)), server);
  assertEquals(told(engine), [{ ...server, pid: 12 }]);
  const later = encodeRecord("fork", { header: header(13, 11, server) });
  assertEquals(labelOf(engine, later), server);
  labelOf(engine, encodeRecord("exit", { header: header(14, 11) }));
  assertEquals(told(engine), []);
});

Deno.test("scan() keeps a label that the kernel was told until a record has it, then the kernel's counts", async () => {
  const engine = await Engine.create();
  engine.publish(imageWithRoles());
  const old = { role: 77, session: 9n };
  labelOf(engine, exec(11, 10, "/bin/sh", old));
  const found = labelOf(engine, exec(11, 10, "/usr/bin/ollama", old));
  assertEquals(found, { role: INFERENCE, session: 9n });
  assertEquals(told(engine), [{ ...found, pid: 11 }]);
  // Made before the kernel was told.
  assertEquals(labelOf(engine, encodeRecord("bind", { header: header(11, 10, old) })), found);
  assertEquals(labelOf(engine, open(11)), found);
  assertEquals(labelOf(engine, encodeRecord("bind", { header: header(11, 10, found) })), found);
  const other = { role: 78, session: 9n };
  assertEquals(labelOf(engine, encodeRecord("bind", { header: header(11, 10, other) })), other);
});

Deno.test("scan() takes a role that the kernel gave at an exec, with the session found before", async () => {
  const engine = await Engine.create();
  engine.publish(imageWithRoles());
  const { session } = labelOf(engine, exec(11, 10, "/usr/bin/ollama"));
  told(engine);
  const given = { role: 78, session: 1234n, flags: LABELLED };
  assertEquals(labelOf(engine, exec(11, 10, "/opt/other", given)), { role: 78, session });
  assertEquals(told(engine), [{ pid: 11, role: 78, session }]);
});
