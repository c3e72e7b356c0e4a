import { assert, assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "./errors.ts";
import { FileLock } from "./lock.ts";

Deno.test("FileLock.acquireExisting() holds what is there, and makes and writes nothing", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/lock`;
  assertEquals(FileLock.acquireExisting(path), undefined);
  assertEquals([...Deno.readDirSync(folder)], []);
  {
    using _owner = FileLock.acquire(path);
    const error = assertThrows(() => FileLock.acquireExisting(path), ImmuneError);
    assertEquals(error.code, "STATE_LOCKED");
    assert(error.message.includes(`pid ${Deno.pid}`), error.message);
  }
  await Deno.writeTextFile(path, "7\n");
  {
    using held = FileLock.acquireExisting(path);
    assert(held !== undefined);
    assertThrows(() => FileLock.acquire(path), ImmuneError, "pid 7 holds it");
  }
  assertEquals(await Deno.readTextFile(path), "7\n");
  // What is no file of its own is not opened: a link leads elsewhere.
  await Deno.symlink(path, `${folder}/link`);
  for (const other of [folder, `${folder}/link`]) {
    const error = assertThrows(() => FileLock.acquireExisting(other), ImmuneError);
    assertEquals(error.code, "STATE_UNUSABLE");
  }
  await Deno.remove(folder, { recursive: true });
});
