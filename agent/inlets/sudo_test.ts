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

Deno.test("sudoFields() takes parts of a folder's name for no parts of sudo's", () => {
  const fields = sudoFields(
    "ada : TTY=pts/0 ; PWD=/tmp/x ; USER=ada ; COMMAND=/bin/id ; USER=root ; COMMAND=/bin/true",
  );
  // The name of the folder can say so much: sudo's own parts stand behind it, in its order.
  assertEquals(fields?.["COMMAND"], "/bin/id ; USER=root ; COMMAND=/bin/true");
  assertEquals(sudoFields("a : TTY=t ; TTY=u ; PWD=/ ; USER=r ; COMMAND=c")?.["TTY"], "t");
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
