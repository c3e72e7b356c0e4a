import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readSudo, sudoFields } from "./sudo.ts";

Deno.test("readSudo() reads who ran what as whom", () => {
  const line = "     ada : TTY=pts/3 ; PWD=/home/ada ; USER=root ; COMMAND=/usr/bin/id -u";
  assertEquals(readSudo(line), {
    kind: "privilege",
    service: "sudo",
    outcome: "success",
    user: "ada",
    targetUser: "root",
    terminal: "pts/3",
    command: "/usr/bin/id -u",
  });
});

Deno.test("readSudo() reads why it was refused", () => {
  const refused = "ada : user NOT in sudoers ; TTY=unknown ; PWD=/ ; USER=root ; COMMAND=/bin/sh";
  const reading = readSudo(refused);
  assertEquals(reading, {
    kind: "privilege",
    service: "sudo",
    outcome: "failure",
    user: "ada",
    targetUser: "root",
    terminal: undefined,
    command: "/bin/sh",
    method: "user NOT in sudoers",
  });
  assertEquals(readSudo("pam_unix(sudo:session): session closed for user root"), undefined);
  assertEquals(readSudo("ada : 3 incorrect password attempts"), undefined);
});

Deno.test("sudoFields() tells no part that may be a folder's name, or a folder's that may be a part", () => {
  const parts = fc.string({
    unit: fc.constantFrom(" ; ", "USER=", "COMMAND=", "PWD=", "ENV=", "GROUP=", "/", "ada", "x"),
  });
  fc.assert(
    fc.property(parts, parts, (folder, argument) => {
      const command = `/bin/true ${argument}`;
      const told = sudoFields(
        `ada : TTY=pts/0 ; PWD=/tmp/${folder} ; USER=root ; COMMAND=${command}`,
      );
      assertEquals([told?.["USER"] ?? "root", told?.["TTY"]], ["root", "pts/0"]);
      assertEquals(told?.["COMMAND"] ?? command, command);
      assertEquals(told?.["PWD"] ?? `/tmp/${folder}`, `/tmp/${folder}`);
    }),
    { numRuns: 1000 },
  );
  const one = "ada : TTY=pts/0 ; PWD=/tmp/x ; USER=ada ; COMMAND=/bin/id";
  assertEquals(sudoFields(`${one} ; USER=root ; COMMAND=/bin/true`), { user: "ada", TTY: "pts/0" });
  assertEquals(sudoFields(one)?.["COMMAND"], "/bin/id");
});

Deno.test("sudoFields() reads all parts, and tells no command that may be a variable's", () => {
  const parts = {
    user: "ada",
    reason: "command not allowed",
    HOST: "h",
    TTY: "pts/0",
    CHROOT: "/c",
    PWD: "/p",
    USER: "root",
    GROUP: "adm",
    TSID: "00000A",
    ENV: "A=1",
    COMMAND: "/bin/id ; COMMAND=x",
  };
  const { user, ...rest } = parts;
  const line = Object.entries(rest).map(([name, value]) =>
    name === "reason" ? value : `${name}=${value}`
  ).join(" ; ");
  const { COMMAND: _, ENV: __, ...certain } = parts;
  assertEquals(sudoFields(`${user} : ${line}`), certain);
  assertEquals(sudoFields(`${user} : ${line.slice(0, -" ; COMMAND=x".length)}`), {
    ...parts,
    COMMAND: "/bin/id",
  });
  assertEquals(sudoFields("a : PWD=/ ; USER=r ; COMMAND=c")?.["COMMAND"], "c");
  assertEquals(sudoFields("a : TTY=t ; PWD=/ ; USER=r ; COMMAND="), {
    user: "a",
    TTY: "t",
    PWD: "/",
    USER: "r",
    COMMAND: "",
  });
});

Deno.test("readSudo() keeps any command as it is", () => {
  fc.assert(
    fc.property(fc.string(), (command) => {
      const reading = readSudo(`ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=${command}`);
      assertEquals(typeof reading === "object" && reading.command, command);
      readSudo(command);
    }),
  );
});
