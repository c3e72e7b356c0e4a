import { assertEquals } from "@std/assert";
import { parseEnforcement } from "./parse.ts";
import { protectedUsers } from "./protected.ts";
import { type FileAbout, resolveFiles, sparesNone } from "./resolve.ts";

const FOUND: FileAbout = {
  device: 1,
  inode: 2n,
  kernel: { device: 1, inode: 2n },
  links: 1,
  changed: [0n, 0],
  sha256: "0".repeat(64),
  raw: new Uint8Array(216),
};

Deno.test("a policy that refuses is known to spare nobody where no protected program is found", () => {
  const parse = (mode: string): ReturnType<typeof parseEnforcement> =>
    parseEnforcement(
      `[[entry]]\nname = "a"\naction = "exec"\nmode = "${mode}"\npaths = ["/x"]\n`,
      { file: "test", homes: [] },
    );
  const [block, monitor] = [parse("block"), parse("monitor")];
  const none = resolveFiles(block, () => undefined);
  const one = resolveFiles(block, (path) => path === "/usr/sbin/sshd" ? FOUND : undefined);
  assertEquals([none, one].map((files) => sparesNone(block, files)), [true, false]);
  assertEquals(sparesNone(monitor, none), false);
});

Deno.test("protectedUsers() gives the account that a daemon of the host gives root up for", () => {
  const passwd = "root:x:0:0::/root:/bin/sh\nmessagebus:x:100:102::/:/x\nodd\ndbus:x:a:1::/:/x\n";
  assertEquals([...protectedUsers(passwd)], [
    ["/usr/bin/dbus-daemon", 100],
    ["/usr/bin/dbus-broker", 100],
  ]);
  assertEquals(protectedUsers("").size, 0);
});
