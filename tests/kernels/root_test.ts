import { assertEquals } from "@std/assert";
import { type RootEntry, writeRoot } from "./root.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What debugfs, which reads such images without mounting them, says. */
async function ask(image: string, request: string): Promise<string> {
  const { stdout } = await new Deno.Command("/sbin/debugfs", {
    args: ["-R", request, image],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("writeRoot() is a file system with what it was given", async () => {
  const folder = await Deno.makeTempDir();
  const image = `${folder}/root.img`;
  try {
    await writeRoot(
      image,
      new Map<string, RootEntry>([
        ["init", { type: "file", data: bytes("#!/bin/sh\n"), mode: 0o755 }],
        ["a/b/odd", { type: "file", data: bytes("12345"), mode: 0o600 }],
        ["a/to", { type: "link", target: "b/odd" }],
        ["empty", { type: "folder", mode: 0o700 }],
      ]),
    );
    assertEquals(await ask(image, "cat /init"), "#!/bin/sh\n");
    assertEquals(await ask(image, "cat /a/b/odd"), "12345");
    assertEquals(/Mode:\s+0755/.test(await ask(image, "stat /init")), true);
    assertEquals(/Fast link dest: "b\/odd"/.test(await ask(image, "stat /a/to")), true);
    assertEquals(/Type: directory/.test(await ask(image, "stat /empty")), true);
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assertEquals(left, ["root.img"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
