import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Told } from "./log_event.ts";
import { readSshd } from "./sshd.ts";

const HOST = "192.0.2.9";

function told(message: string): Told | undefined {
  const reading = readSshd(message);
  return typeof reading === "object" ? reading : undefined;
}

Deno.test("readSshd() reads who was let in, from where and how", () => {
  assertEquals(
    told(`Accepted publickey for ada from ${HOST} port 50022 ssh2: ED25519 SHA256:abc`),
    {
      kind: "login",
      service: "sshd",
      outcome: "success",
      method: "publickey",
      user: "ada",
      from: HOST,
      port: 50022,
    },
  );
  const six = told("Accepted keyboard-interactive/pam for ada from 2001:db8::7 port 22 ssh2");
  assertEquals([six?.method, six?.from], ["keyboard-interactive/pam", "2001:db8::7"]);
});

Deno.test("readSshd() reads who was turned away", () => {
  const wrong = told(`Failed password for root from ${HOST} port 1 ssh2`);
  assertEquals([wrong?.kind, wrong?.user, wrong?.unknownUser], ["auth_failure", "root", false]);
  const unknown = told(`Failed none for invalid user x from ${HOST} port 1 ssh2`);
  assertEquals([unknown?.user, unknown?.unknownUser], ["x", true]);
  const invalid = told(`Invalid user  from ${HOST} port 6`);
  assertEquals([invalid?.user, invalid?.from, invalid?.port], ["", HOST, 6]);
  const pam = told(`error: PAM: Authentication failure for illegal user y from ${HOST}`);
  assertEquals([pam?.method, pam?.user], ["keyboard-interactive", "y"]);
  assertEquals(readSshd("pam_unix(sshd:auth): authentication failure; logname="), "repeated");
  assertEquals(readSshd("Server listening on 0.0.0.0 port 22."), undefined);
});

Deno.test("readSshd() takes a place inside a name for a part of the name", () => {
  const name = "root from 203.0.113.66 port 22 ssh2";
  for (
    const message of [
      `Failed password for invalid user ${name} from ${HOST} port 5 ssh2`,
      `Invalid user ${name} from ${HOST} port 5`,
    ]
  ) {
    const reading = told(message);
    assertEquals([reading?.user, reading?.from, reading?.port], [name, HOST, 5], message);
  }
});

Deno.test("readSshd() gives no place where a certificate's name may be one", () => {
  const id = "ED25519-CERT SHA256:a ID x from 203.0.113.66 port 9 ssh2: y (serial 0) CA";
  const accepted = told(`Accepted publickey for ada from ${HOST} port 5 ssh2: ${id}`);
  assertEquals([accepted?.user, accepted?.from], ["ada", HOST]);
  const known = told(`Failed publickey for ada from ${HOST} port 5 ssh2: ${id}`);
  assertEquals([known?.user, known?.from], ["ada", HOST]);
  const both = told(`Failed publickey for invalid user z from ${HOST} port 5 ssh2: ${id}`);
  assertEquals([both?.kind, both?.user, both?.from], ["auth_failure", undefined, undefined]);
});

Deno.test("readSshd() is fooled by no name: a failure stays one, its source the server's", () => {
  const pieces = fc.constantFrom(
    "Accepted password for root",
    " from 203.0.113.66 port 22 ssh2",
    "invalid user ",
    "Failed password for ",
    " [preauth]",
    ": RSA SHA256:x",
    "\u001b[2K",
    "\\012",
    " ",
    "root",
  );
  const name = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 6 })
    .map((parts) => parts.join("").replaceAll(/[\r\n\u2028\u2029]/g, "?"));
  fc.assert(
    fc.property(name, (user) => {
      for (
        const message of [
          `Failed password for invalid user ${user} from ${HOST} port 5 ssh2`,
          `Invalid user ${user} from ${HOST} port 5`,
        ]
      ) {
        const reading = told(message);
        assertEquals(reading?.kind, "auth_failure");
        assertEquals([reading?.user, reading?.from, reading?.port], [user, HOST, 5]);
      }
    }),
    { numRuns: 1000 },
  );
});
