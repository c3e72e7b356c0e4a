import { assertEquals } from "@std/assert";
import { decodeRecord } from "../../common/record/mod.ts";
import { parsePasswd, userRecords, USERS_MAX } from "./users.ts";

Deno.test("parsePasswd() takes the first name of an id and leaves out what is no user", () => {
  const users = parsePasswd(
    "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\n\n# c\n+nis::::::\nada:x:1000:1000::/:/x\n",
  );
  assertEquals([...users], [[0, "root"], [1000, "ada"]]);
});

Deno.test("parsePasswd() stops at its bound", () => {
  const passwd = Array.from({ length: USERS_MAX + 9 }, (_, i) => `u${i}:x:${i}:0::/:/x`).join("\n");
  assertEquals(parsePasswd(passwd).size, USERS_MAX);
});

Deno.test("userRecords() writes a context record a user", () => {
  const [bytes] = userRecords(new Map([[1000, "ada"]]), 5n);
  const record = decodeRecord(bytes ?? new Uint8Array());
  assertEquals([record.kind, record.uid, record.timeNs], ["user", 1000, 5n]);
  assertEquals(new TextDecoder().decode(record.slot("user", "name")), "ada");
});
