import { assertEquals } from "@std/assert";
import { LISTED_FILES_MAX, LISTED_KEY_BYTES, listedFiles } from "./listed_files.ts";

Deno.test("listedFiles() has two keys a path and a name, and a last name once", () => {
  const { keys } = listedFiles({ paths: ["/a/x", "/b/x"], names: ["x", "y"] });
  assertEquals(keys.length / LISTED_KEY_BYTES, 2 + 2 + 2);
  const alone = listedFiles({ paths: ["/b/X"], names: [] }).keys;
  // ASCII letters count in any case.
  assertEquals(alone, listedFiles({ paths: ["/B/x"], names: [] }).keys);
  assertEquals(alone.length / LISTED_KEY_BYTES, 2);
  assertEquals(listedFiles({ paths: [], names: [] }), { keys: new Uint8Array(), any: false });
});

Deno.test("listedFiles() says that any file may be listed where there are too many keys", () => {
  const paths = Array.from({ length: 100_000 }, (_, i) => `/var/lib/${i % 100}/file-${i}`);
  const { keys, any } = listedFiles({ paths, names: [] });
  assertEquals([any, keys.length / LISTED_KEY_BYTES], [false, 200_000]);
  const more = Array.from({ length: LISTED_FILES_MAX / 2 + 1 }, (_, i) => `/${i}`);
  assertEquals(listedFiles({ paths: more, names: [] }), { keys: new Uint8Array(), any: true });
});
