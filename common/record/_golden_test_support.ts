import type { RecordValues } from "./encode.ts";
import type { KindName } from "./table.ts";

/** A record whose bytes are written down: every reader of the layout must agree with it. */
export interface GoldenRecord<K extends KindName = KindName> {
  readonly kind: K;
  readonly values: RecordValues<K>;
  readonly hex: string;
  readonly pid: number;
  readonly startTimeNs: string;
  readonly sequence: number;
}

/** One record a kind of the kernel, and of those that the agent makes; the hexadecimal digits were written down once and stay. */
export const GOLDEN_RECORDS: readonly GoldenRecord[] = [
  {
    kind: "exec",
    values: {
      header: {
        source: 1,
        flags: 0,
        pid: 4242,
        tid: 4242,
        time_ns: 123_456_789_012n,
        sequence: 77,
        parent_pid: 4000,
        start_time_ns: 123_000_000_001n,
        parent_start_time_ns: 99_000_000_002n,
        uid: 1000,
        gid: 1001,
        cgroup_id: 513,
        session: 0x1122334455667788n,
        role: 3,
      },
      body: {
        real_uid: 1000,
        real_gid: 1001,
        parent_uid: 1000,
        device: 0x00800001,
        inode: 987654321,
      },
      slots: {
        image: "/usr/bin/bash",
        argv: "bash\0-c\0: /dev/tcp/127.0.0.1/4444\0",
        cwd: "/root",
        file_name: "/bin/bash",
      },
    },
    hex:
      "000100006000400001000100040001000000000092100000141a99be1c0000004d0000000000000092100000" +
      "a00f0000010e5fa31c000000021edc0c17000000e8030000e903000001020000000000008877665544332211" +
      "0300000000000000e8030000e9030000e803000001008000b168de3a00000000000000000000000000000000" +
      "00000000000000000000000000000000000000000000000000000000c0000d000d000000cd00220022000000" +
      "ef00050005000000f4000900090000002f7573722f62696e2f6261736862617368002d63003a202f6465762f" +
      "7463702f3132372e302e302e312f34343434002f726f6f742f62696e2f62617368000000",
    pid: 4242,
    startTimeNs: "123000000001",
    sequence: 77,
  },
  {
    kind: "fork",
    values: {
      header: {
        source: 0,
        pid: 4243,
        tid: 4243,
        time_ns: 5n,
        sequence: 1,
        parent_pid: 4242,
        start_time_ns: 5n,
        parent_start_time_ns: 123_000_000_001n,
      },
    },
    hex:
      "6000000060000000020000000000010000000000931000000500000000000000010000000000000093100000" +
      "921000000500000000000000010e5fa31c000000000000000000000000000000000000000000000000000000" +
      "0000000000000000",
    pid: 4243,
    startTimeNs: "5",
    sequence: 1,
  },
  {
    kind: "exit",
    values: {
      header: { source: 0, pid: 4243, tid: 4244, time_ns: 9n, sequence: 2, start_time_ns: 5n },
      body: { exit_code: 3, signal: 9 },
    },
    hex:
      "6800000060000800030000000000010000000000931000000900000000000000020000000000000094100000" +
      "0000000005000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "00000000000000000300000009000000",
    pid: 4243,
    startTimeNs: "5",
    sequence: 2,
  },
  {
    kind: "identity",
    values: {
      header: { pid: 10, sequence: 3, start_time_ns: 6n, uid: 0, gid: 0 },
      body: {
        real_uid: 1,
        real_gid: 2,
        saved_uid: 3,
        saved_gid: 4,
        old_uid: 5,
        old_gid: 6,
        system_call: 105,
      },
    },
    hex:
      "80000000600020000400000000000100000000000a0000000000000000000000030000000000000000000000" +
      "0000000006000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "00000000000000000100000002000000030000000400000005000000060000006900000000000000",
    pid: 10,
    startTimeNs: "6",
    sequence: 3,
  },
  {
    kind: "connect",
    values: {
      header: { source: 0x4001, flags: 32, pid: 11, sequence: 4, start_time_ns: 7n },
      body: {
        family: 2,
        port: 4444,
        protocol: 6,
        socket_type: 1,
        address: new Uint8Array([127, 0, 0, 1]),
      },
    },
    hex:
      "78000000600018001000014000000100200000000b0000000000000000000000040000000000000000000000" +
      "0000000007000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "000000000000000002005c11060001007f000001000000000000000000000000",
    pid: 11,
    startTimeNs: "7",
    sequence: 4,
  },
  {
    kind: "bind",
    values: {
      header: { source: 0x4000, pid: 12, sequence: 5, start_time_ns: 8n },
      body: {
        family: 10,
        port: 53,
        protocol: 17,
        socket_type: 2,
        address: Uint8Array.fromHex("20010db8000000000000000000000001"),
      },
    },
    hex:
      "78000000600018001100004000000100000000000c0000000000000000000000050000000000000000000000" +
      "0000000008000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "00000000000000000a0035001100020020010db8000000000000000000000001",
    pid: 12,
    startTimeNs: "8",
    sequence: 5,
  },
  {
    kind: "open",
    values: {
      header: { source: 0xF000, pid: 13, sequence: 6, start_time_ns: 9n },
      body: { open_flags: 0xFFFFFFFF, device: 0x00800002, inode: 42 },
      slots: { path: "/etc/shadow", opened_as: "/tmp/x" },
    },
    hex:
      "9800000060001000120000f002000100000000000d0000000000000000000000060000000000000000000000" +
      "0000000009000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "0000000000000000ffffffff020080002a0000000000000080000b000b0000008b000600060000002f657463" +
      "2f736861646f772f746d702f7800000000000000",
    pid: 13,
    startTimeNs: "9",
    sequence: 6,
  },
  {
    kind: "signal",
    values: {
      header: { source: 1, pid: 14, sequence: 7, start_time_ns: 10n },
      body: {
        signal: 9,
        target_pid: 4242,
        target_start_time_ns: 123_000_000_001n,
        target_session: 0x1122334455667788n,
        target_role: 3,
      },
    },
    hex:
      "80000000600020000500010000000100000000000e0000000000000000000000070000000000000000000000" +
      "000000000a000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "00000000000000000900000092100000010e5fa31c00000088776655443322110300000000000000",
    pid: 14,
    startTimeNs: "10",
    sequence: 7,
  },
  {
    kind: "access",
    values: {
      header: { source: 1, pid: 15, sequence: 8, start_time_ns: 11n },
      body: {
        access: 1,
        target_pid: 4242,
        target_start_time_ns: 123_000_000_001n,
        target_session: 0x1122334455667788n,
        target_role: 3,
      },
    },
    hex:
      "80000000600020000600010000000100000000000f0000000000000000000000080000000000000000000000" +
      "000000000b000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "00000000000000000100000092100000010e5fa31c00000088776655443322110300000000000000",
    pid: 15,
    startTimeNs: "11",
    sequence: 8,
  },
  {
    kind: "listen",
    values: {
      header: { source: 0x4001, pid: 16, sequence: 9, start_time_ns: 12n },
      body: { family: 2, port: 8000, protocol: 6, socket_type: 1 },
    },
    hex:
      "7800000060001800130001400000010000000000100000000000000000000000090000000000000000000000" +
      "000000000c000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "00000000000000000200401f0600010000000000000000000000000000000000",
    pid: 16,
    startTimeNs: "12",
    sequence: 9,
  },
  {
    kind: "accept",
    values: {
      header: { source: 0x4001, pid: 16, sequence: 10, start_time_ns: 12n },
      body: {
        family: 2,
        port: 8000,
        protocol: 6,
        socket_type: 1,
        address: new Uint8Array([192, 0, 2, 1]),
        peer_address: new Uint8Array([203, 0, 113, 7]),
        peer_port: 50000,
      },
    },
    hex:
      "90000000600030001400014000000100000000001000000000000000000000000a0000000000000000000000" +
      "000000000c000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "00000000000000000200401f06000100c0000201000000000000000000000000cb0071070000000000000000" +
      "0000000050c3000000000000",
    pid: 16,
    startTimeNs: "12",
    sequence: 10,
  },
  {
    kind: "flow",
    values: {
      header: { source: 0x4001, pid: 17, sequence: 11, start_time_ns: 13n },
      body: {
        family: 2,
        port: 443,
        protocol: 6,
        socket_type: 1,
        address: new Uint8Array([203, 0, 113, 7]),
        local_address: new Uint8Array([192, 0, 2, 1]),
        local_port: 50001,
        initiated: 1,
        bytes_sent: 0x123456789an,
        bytes_received: 77,
        duration_ns: 5_000_000,
      },
    },
    hex:
      "a8000000600048001500014000000100000000001100000000000000000000000b0000000000000000000000" +
      "000000000d000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "00000000000000000200bb0106000100cb007107000000000000000000000000c00002010000000000000000" +
      "0000000051c30100000000009a785634120000004d00000000000000404b4c0000000000",
    pid: 17,
    startTimeNs: "13",
    sequence: 11,
  },
  {
    kind: "dns",
    values: {
      header: { source: 0x4000, pid: 18, sequence: 12, start_time_ns: 14n },
      body: {
        family: 2,
        port: 53,
        protocol: 17,
        socket_type: 2,
        address: new Uint8Array([192, 0, 2, 53]),
        query_type: 1,
        is_answer: 1,
        transaction: 0xbeef,
      },
      slots: { name: "a.example", message: "as it was" },
    },
    hex:
      "a8000000600020001600004002000100000000001200000000000000000000000c0000000000000000000000" +
      "000000000e000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "00000000000000000200350011000200c0000235000000000000000000000000010000000100efbe90000900" +
      "090000009900090009000000612e6578616d706c65617320697420776173000000000000",
    pid: 18,
    startTimeNs: "14",
    sequence: 12,
  },
  {
    kind: "change",
    values: {
      header: { source: 0xf004, pid: 19, sequence: 13, start_time_ns: 15n },
      body: {
        change: 3,
        device: 0x00800001,
        inode: 4711,
        mode: 0o100640,
        links: 1,
        owner_uid: 1000,
        owner_gid: 1001,
      },
      slots: { path: "/etc/cron.d/x", old_path: "/tmp/x" },
    },
    hex:
      "a800000060002000170004f002000100000000001300000000000000000000000d0000000000000000000000" +
      "000000000f000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "000000000000000003000000010080006712000000000000a081000001000000e8030000e903000090000d00" +
      "0d0000009d000600060000002f6574632f63726f6e2e642f782f746d702f780000000000",
    pid: 19,
    startTimeNs: "15",
    sequence: 13,
  },
  {
    kind: "act",
    values: {
      header: { source: 1, pid: 20, sequence: 14, start_time_ns: 16n },
      body: {
        act: 3,
        system_call: 165,
        argument: 4096,
        mount_namespace: 4026531841,
        pid_namespace: 4026531836,
        network_namespace: 4026531840,
        user_namespace: 4026531837,
      },
      slots: { path: "/mnt", source: "/etc" },
    },
    hex:
      "a0000000600028000700010002000100000000001400000000000000000000000e0000000000000000000000" +
      "0000000010000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "000000000000000003000000a500000000100000000000000000000000000000010000f0fcffffef000000f0" +
      "fdffffef98000400040000009c000400040000002f6d6e742f657463",
    pid: 20,
    startTimeNs: "16",
    sequence: 14,
  },
  {
    kind: "image_hash",
    values: {
      header: { source: 0xf005, pid: 21, sequence: 15, start_time_ns: 17n },
      body: {
        device: 0x00800001,
        is_program: 1,
        inode: 4711,
        change_time_ns: 1_700_000_000_000_000_000n,
        size: 142_000,
      },
      slots: { path: "/usr/bin/id", sha256: "0123456789abcdef0123456789abcdef" },
    },
    hex:
      "c0000000600020008b0005f002000100000000001500000000000000000000000f0000000000000000000000" +
      "0000000011000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "00000000000000000100800001000000671200000000000000002a36fe9c9717b02a02000000000090000b00" +
      "0b0000009b002000200000002f7573722f62696e2f6964303132333435363738396162636465663031323334" +
      "35363738396162636465660000000000",
    pid: 21,
    startTimeNs: "17",
    sequence: 15,
  },
  {
    kind: "login",
    values: {
      header: { source: 0xF008, pid: 19, sequence: 13, start_time_ns: 15n, uid: 1000 },
      body: {
        family: 2,
        port: 50022,
        outcome: 1,
        origin: 1,
        address: new Uint8Array([192, 0, 2, 9]),
        writer: 1,
      },
      slots: {
        program: "sshd",
        service: "sshd",
        user: "ada",
        target_user: "-",
        method: "publickey",
        terminal: "-",
        host: "-",
        command: "-",
        login_session: "-",
        line: "Accepted publickey for ada",
      },
    },
    hex:
      "08010000600020008d0008f00a000100000000001300000000000000000000000d0000000000000000000000" +
      "000000000f000000000000000000000000000000e80300000000000000000000000000000000000000000000" +
      "0000000000000000020066c301000100c00002090000000000000000000000000100000000000000d0000400" +
      "04000000d400040004000000d800030003000000db00010001000000dc00090009000000e500010001000000" +
      "e600010001000000e700010001000000e800010001000000e9001a001a00000073736864737368646164612d" +
      "7075626c69636b65792d2d2d2d4163636570746564207075626c69636b657920666f72206164610000000000",
    pid: 19,
    startTimeNs: "15",
    sequence: 13,
  },
  {
    kind: "verdict",
    values: {
      header: { source: 1, pid: 19, sequence: 13, start_time_ns: 15n, role: 5 },
      body: {
        family: 2,
        port: 80,
        protocol: 6,
        socket_type: 1,
        address: new Uint8Array([169, 254, 169, 254]),
        entry: 2,
        action: 2,
        tier: 2,
        outcome: 1,
        policy: 0x0123456789abcdefn,
      },
      slots: { path: "" },
    },
    hex:
      "a0000000600038000c00010001000100000000001300000000000000000000000d0000000000000000000000" +
      "000000000f000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "05000000000000000200500006000100a9fea9fe000000000000000000000000020002000200010000000000" +
      "000000000000000000000000efcdab8967452301a000000000000000",
    pid: 19,
    startTimeNs: "15",
    sequence: 13,
  },
  {
    kind: "auth_failure",
    values: {
      header: { source: 0xF008, pid: 20, sequence: 14, start_time_ns: 16n, uid: 0xFFFFFFFF },
      body: {
        family: 2,
        port: 50022,
        outcome: 2,
        origin: 3,
        address: new Uint8Array([192, 0, 2, 9]),
        writer: 1,
      },
      slots: {
        program: "sshd",
        service: "sshd",
        user: "oracle",
        target_user: "-",
        method: "-",
        terminal: "-",
        host: "-",
        command: "-",
        login_session: "-",
        line: "Invalid user oracle",
      },
    },
    hex:
      "f8000000600020008e0008f00a000100000000001400000000000000000000000e0000000000000000000000" +
      "0000000010000000000000000000000000000000ffffffff0000000000000000000000000000000000000000" +
      "0000000000000000020066c302000300c00002090000000000000000000000000100000000000000d0000400" +
      "04000000d400040004000000d800060006000000de00010001000000df00010001000000e000010001000000" +
      "e100010001000000e200010001000000e300010001000000e40013001300000073736864737368646f726163" +
      "6c652d2d2d2d2d2d496e76616c69642075736572206f7261636c6500",
    pid: 20,
    startTimeNs: "16",
    sequence: 14,
  },
  {
    kind: "privilege",
    values: {
      header: { source: 0xF008, pid: 21, sequence: 15, start_time_ns: 17n, uid: 1000 },
      body: { outcome: 1, origin: 2, writer: 1 },
      slots: {
        program: "sudo",
        service: "sudo",
        user: "ada",
        target_user: "root",
        method: "-",
        terminal: "pts/0",
        host: "-",
        command: "/usr/bin/id",
        login_session: "3",
        line: "ada : COMMAND=/usr/bin/id",
      },
    },
    hex:
      "10010000600020008f0008f00a000100000000001500000000000000000000000f0000000000000000000000" +
      "0000000011000000000000000000000000000000e80300000000000000000000000000000000000000000000" +
      "00000000000000000000000001000200000000000000000000000000000000000100000000000000d0000400" +
      "04000000d400040004000000d800030003000000db00040004000000df00010001000000e000050005000000" +
      "e500010001000000e6000b000b000000f100010001000000f2001900190000007375646f7375646f61646172" +
      "6f6f742d7074732f302d2f7573722f62696e2f696433616461203a20434f4d4d414e443d2f7573722f62696e" +
      "2f69640000000000",
    pid: 21,
    startTimeNs: "17",
    sequence: 15,
  },
  {
    kind: "tamper",
    values: {
      header: { source: 0xF008, pid: 22, sequence: 16, start_time_ns: 18n },
      body: { what: 4, restored: 1, other_pid: 77 },
      slots: { object: "program on_exec", detail: "it was not attached" },
    },
    hex:
      "a000000060000800900008f00200010000000000160000000000000000000000100000000000000000000000" +
      "0000000012000000000000000000000000000000000000000000000000000000000000000000000000000000" +
      "0000000000000000040001004d00000078000f000f000000870013001300000070726f6772616d206f6e5f65" +
      "786563697420776173206e6f74206174746163686564000000000000",
    pid: 22,
    startTimeNs: "18",
    sequence: 16,
  },
  {
    kind: "log_line",
    values: {
      header: { source: 0xF008, sequence: 17, uid: 0xFFFFFFFF },
      body: { origin: 1 },
      slots: {
        program: "named",
        service: "-",
        user: "-",
        target_user: "-",
        method: "-",
        terminal: "-",
        host: "-",
        command: "-",
        login_session: "-",
        line: "exiting",
      },
    },
    hex:
      "e800000060002000910008f00a00010000000000000000000000000000000000110000000000000000000000" +
      "0000000000000000000000000000000000000000ffffffff0000000000000000000000000000000000000000" +
      "00000000000000000000000000000100000000000000000000000000000000000000000000000000d0000500" +
      "05000000d500010001000000d600010001000000d700010001000000d800010001000000d900010001000000" +
      "da00010001000000db00010001000000dc00010001000000dd000700070000006e616d65642d2d2d2d2d2d2d" +
      "2d65786974696e6700000000",
    pid: 0,
    startTimeNs: "0",
    sequence: 17,
  },
];

/** The exec of above as it was written before its body had standard streams and namespaces. */
export const OLDER_EXEC_HEX =
  "d80000006000180001000100040001000000000092100000141a99be1c0000004d0000000000000092100000" +
  "a00f0000010e5fa31c000000021edc0c17000000e8030000e903000001020000000000008877665544332211" +
  "0300000000000000e8030000e9030000e803000001008000b168de3a0000000098000d000d000000a5002200" +
  "22000000c700050005000000cc000900090000002f7573722f62696e2f6261736862617368002d63003a202f" +
  "6465762f7463702f3132372e302e302e312f34343434002f726f6f742f62696e2f62617368000000";

/** An open as it was written before it had a path that it was opened by. */
export const OLDER_OPEN_HEX =
  "8800000060001000120000f001000100000000000d0000000000000000000000060000000000000000000000" +
  "0000000009000000000000000000000000000000000000000000000000000000000000000000000000000000" +
  "0000000000000000ffffffff020080002a0000000000000078000b000b0000002f6574632f736861646f7700" +
  "00000000";
