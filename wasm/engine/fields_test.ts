import { assertEquals } from "@std/assert";
import { DNS_ANSWER } from "../../common/record/_dns_test_support.ts";
import { GOLDEN_RECORDS, OLDER_EXEC_HEX } from "../../common/record/_golden_test_support.ts";
import { ACCESSES, ACTS, CHANGES, encodeRecord, FLAGS } from "../../common/record/mod.ts";
import { STANDARD_FIELDS, type StandardFieldName } from "../../common/sigma/fields.ts";
import { compile, scanAll, type TestRule } from "./_engine_test_support.ts";
import { Engine } from "./engine.ts";

/** Category whose class a kind belongs to. */
const CATEGORIES = {
  exec: "process_creation",
  open: "file_access",
  connect: "network_connection",
  listen: "network_listen",
  accept: "network_accept",
  flow: "network_flow",
  query: "dns_query",
  answer: "dns_answer",
  signal: "process_signal",
  access: "process_access",
  process: "process_snapshot",
} as const;

type Expected = Partial<Record<StandardFieldName, string>>;

const HEADER = {
  pid: 50,
  start_time_ns: 50n,
  parent_pid: 40,
  parent_start_time_ns: 40n,
  uid: 1000,
  session: 0x1122n,
  role: 3,
};

const CONTEXT = [
  encodeRecord("user", { header: { uid: 1000 }, slots: { name: "alice" } }),
  encodeRecord("role", { header: { role: 3 }, slots: { name: "notebook" } }),
  encodeRecord("exec", {
    header: { pid: 40, start_time_ns: 40n, parent_pid: 1, uid: 33 },
    body: { real_uid: 33 },
    slots: { image: "/usr/bin/python3", argv: "python3\0-u\0", cwd: "/srv" },
  }),
];

const EXEC = encodeRecord("exec", {
  header: HEADER,
  body: { real_uid: 1001, parent_uid: 34 },
  slots: { image: "/bin/sh", argv: "sh\0-c\0id\0", cwd: "/tmp", file_name: "./run.sh" },
});

const OF_PROCESS: Expected = {
  Image: "/bin/sh",
  CommandLine: "sh -c id",
  CurrentDirectory: "/tmp",
  User: "alice",
  ProcessId: "50",
  ParentImage: "/usr/bin/python3",
  ParentCommandLine: "python3 -u",
  AncestorImage: "/usr/bin/python3",
  ParentProcessId: "40",
  UserId: "1000",
  RealUserId: "1001",
  Role: "notebook",
  Session: "0000000000001122",
};

/** Of the same exec, by auditd's names. */
const OF_AUDIT: Expected = { type: "EXECVE", a0: "sh", a1: "-c", a2: "id" };

/** Which of the fields a record has, each tested with its exact value and for absence. */
async function check(
  records: readonly Uint8Array[],
  category: string,
  options: { readonly expected: Expected },
): Promise<void> {
  const engine = await Engine.create();
  const names = Object.keys(STANDARD_FIELDS) as StandardFieldName[];
  const rules = names.map((name): TestRule => {
    const value = options.expected[name];
    return {
      category,
      detection: [`s: { ${name}: ${value === undefined ? "null" : `'${value}'`} }`, "condition: s"],
    };
  });
  engine.publish(compile(...rules).image);
  const fired = new Set(scanAll(engine, [...CONTEXT, ...records]).at(-1));
  const wrong = names.filter((_, i) => !fired.has(i));
  assertEquals(wrong, [], `of ${category}`);
}

Deno.test("fields of an exec come from the record, its parent's from the table", async () => {
  await check([EXEC], CATEGORIES.exec, {
    expected: {
      ...OF_PROCESS,
      ParentUser: "34",
      ParentUserId: "34",
      ExecFile: "./run.sh",
      ...OF_AUDIT,
    },
  });
});

Deno.test("fields of an open have the path and the process of the table", async () => {
  const open = encodeRecord("open", { header: HEADER, slots: { path: "/etc/shadow" } });
  await check([EXEC, open], CATEGORIES.open, {
    expected: {
      ...OF_PROCESS,
      ParentUser: "33",
      ParentUserId: "33",
      TargetFilename: "/etc/shadow",
      type: "PATH",
      name: "/etc/shadow",
    },
  });
});

Deno.test("fields of a connect, IPv4 and IPv6", async () => {
  const process = { ...OF_PROCESS, ParentUser: "33", ParentUserId: "33", Initiated: "true" };
  const connect = (family: number, protocol: number, address: string) =>
    encodeRecord("connect", {
      header: HEADER,
      body: { family, port: 4444, protocol, address: Uint8Array.fromHex(address) },
    });
  await check([EXEC, connect(2, 6, "7f000001")], CATEGORIES.connect, {
    expected: {
      ...process,
      DestinationIp: "127.0.0.1",
      DestinationPort: "4444",
      Protocol: "tcp",
      DestinationIsIpv6: "false",
    },
  });
  await check(
    [EXEC, connect(10, 262, "20010db8000000000000000000000001")],
    CATEGORIES.connect,
    {
      expected: {
        ...process,
        DestinationIp: "2001:db8::1",
        DestinationPort: "4444",
        Protocol: "262",
        DestinationIsIpv6: "true",
      },
    },
  );
});

Deno.test("fields of an unknown process are those of the header alone", async () => {
  const open = encodeRecord("open", {
    header: { pid: 99, uid: 7, flags: FLAGS.unresolved },
    body: { open_flags: 0xFFFF_FFFF },
    slots: { path: "x" },
  });
  await check([open], CATEGORIES.open, {
    expected: {
      User: "7",
      ProcessId: "99",
      UserId: "7",
      Role: "none",
      TargetFilename: "x",
      type: "PATH",
      name: "x",
      Flags: "unresolved",
    },
  });
});

const OF_TABLE: Expected = { ...OF_PROCESS, ParentUser: "33", ParentUserId: "33" };
const V4 = { family: 2, protocol: 6, socket_type: 1, address: new Uint8Array([192, 0, 2, 1]) };

Deno.test("fields of a listen, an accept and a flow: the ends as each kind has them", async () => {
  const listen = encodeRecord("listen", { header: HEADER, body: { ...V4, port: 8000 } });
  const own = { ...OF_TABLE, Protocol: "tcp", Initiated: "false" };
  await check([EXEC, listen], CATEGORIES.listen, {
    expected: { ...own, SourceIp: "192.0.2.1", SourcePort: "8000" },
  });
  const peer = { peer_address: new Uint8Array([203, 0, 113, 7]), peer_port: 5 };
  const accept = encodeRecord("accept", { header: HEADER, body: { ...V4, port: 8000, ...peer } });
  await check([EXEC, accept], CATEGORIES.accept, {
    expected: {
      ...own,
      SourceIp: "203.0.113.7",
      SourcePort: "5",
      DestinationIp: "192.0.2.1",
      DestinationPort: "8000",
      DestinationIsIpv6: "false",
    },
  });
  const body = {
    ...V4,
    port: 443,
    local_address: new Uint8Array([10, 0, 0, 1]),
    local_port: 6,
    initiated: 1,
    bytes_sent: 2n ** 40n,
    bytes_received: 3,
  };
  await check([EXEC, encodeRecord("flow", { header: HEADER, body })], CATEGORIES.flow, {
    expected: {
      ...own,
      Initiated: "true",
      SourceIp: "10.0.0.1",
      SourcePort: "6",
      DestinationIp: "192.0.2.1",
      DestinationPort: "443",
      DestinationIsIpv6: "false",
      BytesSent: "1099511627776",
      BytesReceived: "3",
    },
  });
});

const SERVER = { ...V4, protocol: 17, port: 53, query_type: 28 };
const OF_SERVER: Expected = {
  ...OF_TABLE,
  Protocol: "udp",
  DestinationIp: "192.0.2.1",
  DestinationPort: "53",
  DestinationIsIpv6: "false",
  QueryName: "a.example",
  QueryType: "AAAA",
};

Deno.test("fields of a DNS question and of its answer; the connect that follows has the name", async () => {
  const slots = { name: "a.example", message: DNS_ANSWER };
  const question = encodeRecord("dns", { header: HEADER, body: SERVER, slots });
  await check([EXEC, question], CATEGORIES.query, { expected: OF_SERVER });
  const answer = encodeRecord("dns", { header: HEADER, body: { ...SERVER, is_answer: 1 }, slots });
  await check([EXEC, answer], CATEGORIES.answer, {
    expected: { ...OF_SERVER, QueryStatus: "0", QueryResults: "203.0.113.7;2001:db8::7;" },
  });
  for (const [family, address] of [[2, "cb007107"], [10, "20010db8000000000000000000000007"]]) {
    const body = { ...V4, family: Number(family), address: Uint8Array.fromHex(String(address)) };
    const connect = encodeRecord("connect", { header: HEADER, body });
    const engine = await Engine.create();
    const detection = ["s: { DestinationHostname: a.example }", "condition: s"];
    engine.publish(compile({ category: CATEGORIES.connect, detection }).image);
    assertEquals(scanAll(engine, [connect, question, connect, answer, connect]), [
      [],
      [],
      [],
      [],
      [0],
    ]);
  }
});

Deno.test("names of addresses: the youngest answer counts, the oldest gives way", async () => {
  const engine = await Engine.create();
  const detection = ["s: { DestinationHostname|startswith: n }", "condition: s"];
  engine.publish(compile({ category: CATEGORIES.connect, detection }).image);
  const address = (i: number) => new Uint8Array([10, i >> 16, i >> 8, i]);
  const answer = (i: number) => {
    const message = DNS_ANSWER.slice();
    message.set(address(i), message.indexOf(0xcb, 40));
    return encodeRecord("dns", {
      body: { ...SERVER, is_answer: 1 },
      slots: { name: `n${i}.example`, message },
    });
  };
  const connect = (i: number) => encodeRecord("connect", { body: { ...V4, address: address(i) } });
  const last = 20_000;
  for (let i = 0; i <= last; i++) scanAll(engine, [answer(i)]);
  const known = (i: number) => scanAll(engine, [connect(i)])[0]?.length === 1;
  assertEquals([known(last), known(last - 50), known(0)], [true, true, false]);
});

Deno.test("fields of a signal and of an access have the other process", async () => {
  const target = { target_pid: 40, target_start_time_ns: 40n, target_role: 3 };
  const expected = {
    ...OF_TABLE,
    TargetImage: "/usr/bin/python3",
    TargetProcessId: "40",
    TargetRole: "notebook",
  };
  const signal = encodeRecord("signal", { header: HEADER, body: { signal: 9, ...target } });
  await check([EXEC, signal], CATEGORIES.signal, { expected: { ...expected, Signal: "9" } });
  const access = encodeRecord("access", { header: HEADER, body: { access: 1, ...target } });
  await check([EXEC, access], CATEGORIES.access, { expected: { ...expected, Access: "attach" } });
});

Deno.test("fields of an exec whose streams are sockets, and of one that an older writer made", async () => {
  const body = { real_uid: 1001, parent_uid: 34, stdio_sockets: 7, stdio_family: 2, stdio_port: 9 };
  const exec = encodeRecord("exec", {
    header: HEADER,
    body: { ...body, stdio_address: new Uint8Array([203, 0, 113, 7]) },
    slots: { image: "/bin/sh", argv: "sh\0-c\0id\0", cwd: "/tmp", file_name: "./run.sh" },
  });
  await check([exec], CATEGORIES.exec, {
    expected: {
      ...OF_PROCESS,
      ParentUser: "34",
      ParentUserId: "34",
      ExecFile: "./run.sh",
      ...OF_AUDIT,
      StdioSocket: "stdin stdout stderr",
      DestinationIp: "203.0.113.7",
      DestinationPort: "9",
      DestinationIsIpv6: "false",
    },
  });
  const engine = await Engine.create();
  const has = (field: string): TestRule => ({
    category: CATEGORIES.exec,
    detection: [`s: { ${field}: '*' }`, "condition: s"],
  });
  engine.publish(compile(has("Image"), has("StdioSocket"), has("DestinationIp")).image);
  assertEquals(scanAll(engine, [Uint8Array.fromHex(OLDER_EXEC_HEX)]), [[0]]);
});

Deno.test("a process that /proc does not show is hidden", async () => {
  const engine = await Engine.create();
  const detection = ["s: { Hidden: 'true' }", "condition: s"];
  engine.publish(compile({ category: CATEGORIES.process, detection }).image);
  const process = (pid: number, flags: number) =>
    encodeRecord("process", { header: { pid, start_time_ns: 1n, flags } });
  assertEquals(scanAll(engine, [process(1, 0), process(2, FLAGS.hidden)]), [[], [0]]);
});

Deno.test("an open is a file_event only when it may write and its flags are known", async () => {
  const engine = await Engine.create();
  const rule = (category: string): TestRule => ({
    category,
    detection: ["s: { TargetFilename: /x }", "condition: s"],
  });
  engine.publish(compile(rule("file_access"), rule("file_event")).image);
  const open = (open_flags: number) =>
    encodeRecord("open", { body: { open_flags }, slots: { path: "/x" } });
  const flags = [0, 1, 2, 0x40, 0x200, 0x8000, 0xFFFF_FFFF];
  assertEquals(scanAll(engine, flags.map(open)), [
    [0],
    [0, 1],
    [0, 1],
    [0, 1],
    [0, 1],
    [0],
    [0],
  ]);
});

Deno.test("a change is of the class of what was done, a rename also makes a file of its name", async () => {
  const engine = await Engine.create();
  const categories = ["file_access", "file_event", "file_rename", "file_delete", "file_change"];
  const detection = ["s: { TargetFilename: /x, Image: /bin/t }", "condition: s"];
  engine.publish(compile(...categories.map((category) => ({ category, detection }))).image);
  const change = (what: number) =>
    encodeRecord("change", { header: HEADER, body: { change: what }, slots: { path: "/x" } });
  const exec = encodeRecord("exec", { header: HEADER, slots: { image: "/bin/t" } });
  assertEquals(scanAll(engine, [exec, ...Object.values(CHANGES).map(change)]), [
    [],
    [1], // create
    [1], // write
    [1, 2], // rename
    [3], // delete
    [1], // link
    [1], // symlink
    [4], // attributes
  ]);
});

Deno.test("a change has what was done, both paths, mode, owner; a gone file has no mode", async () => {
  const record = (mode: number) =>
    encodeRecord("change", {
      header: { flags: FLAGS.deleted | FLAGS.memory_only },
      body: { change: CHANGES.attributes, mode, owner_uid: 7 },
      slots: { path: "/n", old_path: "/o" },
    });
  const expected = {
    Change: "attributes",
    TargetFilename: "/n",
    SourceFilename: "/o",
    FileMode: "4755",
    FileOwnerId: "7",
    Flags: "deleted memory_only",
  };
  const engine = await Engine.create();
  const rules = Object.entries(expected).map(([field, value]): TestRule => ({
    category: "file_change",
    detection: [`s: { ${field}: '${value}' }`, "condition: s"],
  }));
  engine.publish(compile(...rules).image);
  assertEquals(scanAll(engine, [record(0o104755), record(0)]), [[0, 1, 2, 3, 4, 5], [0, 1, 2, 5]]);
});

Deno.test("an act has what was done, its argument, paths and namespaces", async () => {
  const act = encodeRecord("act", {
    header: HEADER,
    body: {
      act: ACTS.setns,
      argument: 0x20000,
      mount_namespace: 1,
      pid_namespace: 2,
      network_namespace: 3,
      user_namespace: 4,
    },
    slots: { path: "/mnt", source: "/etc" },
  });
  await check([EXEC, act], "privileged_act", {
    expected: {
      ...OF_TABLE,
      Act: "setns",
      ActArgument: "131072",
      TargetFilename: "/mnt",
      SourceFilename: "/etc",
      name: "/mnt",
      MountNamespace: "1",
      PidNamespace: "2",
      NetworkNamespace: "3",
      UserNamespace: "4",
    },
  });
});

Deno.test("a hash is of the class of rules that ask for one: of a program, or of a file", async () => {
  const digest = "AB".repeat(32);
  const hash = (is_program: number) =>
    encodeRecord("image_hash", {
      header: HEADER,
      body: { is_program },
      slots: { path: "/x", sha256: Uint8Array.fromHex(digest) },
    });
  const engine = await Engine.create();
  const rule = (category: string, test: string): TestRule => ({
    category,
    detection: [`s: { ${test}, Image: /usr/bin/sh }`, "condition: s"],
  });
  engine.publish(
    compile(
      rule("process_creation", `Hashes|contains: 'SHA256=${digest}'`),
      rule("process_creation", `sha256: '${digest.toLowerCase()}'`),
      rule("file_access", `sha256: '${digest}', TargetFilename: /x`),
      rule("process_creation", "CommandLine|contains: c"),
      rule("process_creation", `Hashes|contains: 'SHA256=${"AC".repeat(32)}'`),
    ).image,
  );
  const exec = encodeRecord("exec", { header: HEADER, slots: { image: "/usr/bin/sh", argv: "c" } });
  assertEquals(scanAll(engine, [exec, hash(1), hash(0)]), [[3], [0, 1], [2]]);
});

Deno.test("a container is known from the record of its cgroup on, the last 1,024 of them", async () => {
  const engine = await Engine.create();
  const detection = ["s: { ContainerId: 'c7' }", "condition: s"];
  engine.publish(compile({ category: CATEGORIES.exec, detection }).image);
  const exec = encodeRecord("exec", { header: { ...HEADER, cgroup_id: 7n } });
  const cgroup = (id: number, container: string) =>
    encodeRecord("cgroup", {
      header: { cgroup_id: BigInt(id) },
      slots: { path: "/p", container },
    });
  assertEquals(scanAll(engine, [exec, cgroup(7, "c7"), exec]), [[], [], [0]]);
  assertEquals(engine.container(7n), "c7");
  assertEquals(engine.container(8n), undefined);
  for (let id = 100; id < 5000; id++) scanAll(engine, [cgroup(id, `c${id}`)]);
  assertEquals(engine.container(4999n), "c4999");
});

Deno.test("each act and each way of access has its name", async () => {
  const names = { Act: Object.keys(ACTS), Access: Object.keys(ACCESSES) };
  const engine = await Engine.create();
  const rules = Object.entries(names).flatMap(([field, values]) =>
    values.map((value): TestRule => ({
      category: field === "Act" ? "privileged_act" : "process_access",
      detection: [`s: { ${field}: ${value} }`, "condition: s"],
    }))
  );
  engine.publish(compile(...rules).image);
  const records = [
    ...Object.values(ACTS).map((act) => encodeRecord("act", { body: { act } })),
    ...Object.values(ACCESSES).map((access) => encodeRecord("access", { body: { access } })),
  ];
  assertEquals(scanAll(engine, records), records.map((_, i) => [i]));
});

Deno.test("an identity change updates the row; its Image is the process's", async () => {
  const engine = await Engine.create();
  const identity = encodeRecord("identity", {
    header: { ...HEADER, uid: 0 },
    body: { real_uid: 2, old_uid: 1000 },
  });
  scanAll(engine, [EXEC, identity]);
  const row = engine.process(50, 50n);
  assertEquals([row?.uid, row?.realUid], [0, 2]);
});

Deno.test("golden records are read as they were written down", async () => {
  for (const golden of GOLDEN_RECORDS) {
    const engine = await Engine.create();
    const before = engine.stats();
    assertEquals(scanAll(engine, [Uint8Array.fromHex(golden.hex)]), [[]]);
    const after = engine.stats();
    assertEquals(after.records - before.records, 1, golden.kind);
    assertEquals(after.records_malformed + after.records_unknown_kind, 0, golden.kind);
    const makesRow = golden.kind === "exec" || golden.kind === "fork";
    const row = engine.process(golden.pid, BigInt(golden.startTimeNs));
    assertEquals(row !== undefined, makesRow, golden.kind);
  }
});

Deno.test("context that names no process leaves the process table alone", async () => {
  const engine = await Engine.create();
  const records = [
    encodeRecord("cgroup", { header: { cgroup_id: 7 }, slots: { path: "/x" } }),
    encodeRecord("loss", { body: { cause: 1, count: 2 } }),
    encodeRecord("alert", { header: { pid: 9, start_time_ns: 9n }, slots: { document: "{}" } }),
  ];
  assertEquals(scanAll(engine, records), [[], [], []]);
  const stats = engine.stats();
  assertEquals([stats.records, stats.processes_live, stats.processes_unknown], [3, 0, 0]);
});

Deno.test("arguments of an exec end where their NULs are, the last one with or without", async () => {
  const values = async (argv: string): Promise<readonly (string | undefined)[]> => {
    const engine = await Engine.create();
    const texts = ["", "a", "b c", "d"];
    const names = Array.from({ length: 4 }, (_, i) => `a${i}`);
    const rules = names.flatMap((name) =>
      texts.map((text): TestRule => ({
        category: "process_creation",
        detection: [`s: { ${name}: '${text}' }`, "condition: s"],
      }))
    );
    engine.publish(compile(...rules).image);
    const exec = encodeRecord("exec", { header: HEADER, slots: { image: "/x", argv } });
    const fired = new Set(scanAll(engine, [exec]).at(-1));
    return names.map((_, i) => texts.find((_, j) => fired.has(i * texts.length + j)));
  };
  assertEquals(await values("a\0b c\0d\0"), ["a", "b c", "d", undefined]);
  assertEquals(await values("a\0b c\0d"), ["a", "b c", "d", undefined]);
  assertEquals(await values("a\0\0d\0"), ["a", "", "d", undefined]);
  assertEquals(await values("a"), ["a", undefined, undefined, undefined]);
});
