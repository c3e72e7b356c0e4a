import { assertEquals } from "@std/assert";
import { findUser } from "./user.ts";

const PASSWD =
  "root:x:0:0:root:/root:/bin/bash\nimmune-hive:x:998:997::/nonexistent:/x\nbad:x:a:b:\n";

Deno.test("findUser() reads ids, and finds no user that is not there or malformed", () => {
  assertEquals(findUser(PASSWD, "immune-hive"), { uid: 998, gid: 997 });
  assertEquals(findUser(PASSWD, "immune"), undefined);
  assertEquals(findUser(PASSWD, "bad"), undefined);
});
