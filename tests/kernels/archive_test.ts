import { assertEquals } from "@std/assert";
import { archive, type ArchiveEntry } from "./archive.ts";

/** Whether this host has the program that reads such archives. */
const HAS_CPIO = await new Deno.Command("cpio", { args: ["--version"], stdout: "null" }).output()
  .then(() => true, () => false);

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("archive() is a root that cpio unpacks", { ignore: !HAS_CPIO }, async () => {
  const entries = new Map<string, ArchiveEntry>([
    ["init", { type: "file", data: bytes("#!/bin/sh\n"), mode: 0o755 }],
    ["a/b/odd", { type: "file", data: bytes("12345"), mode: 0o600 }],
    ["a/to", { type: "link", target: "b/odd" }],
    ["empty", { type: "folder", mode: 0o700 }],
  ]);
  const folder = await Deno.makeTempDir();
  try {
    const child = new Deno.Command("cpio", {
      args: ["-i", "--quiet", "--no-absolute-filenames"],
      cwd: folder,
      stdin: "piped",
    }).spawn();
    const input = child.stdin.getWriter();
    for (const piece of archive(entries)) await input.write(piece);
    await input.close();
    assertEquals((await child.status).code, 0);
    assertEquals(await Deno.readTextFile(`${folder}/init`), "#!/bin/sh\n");
    assertEquals(await Deno.readTextFile(`${folder}/a/to`), "12345");
    assertEquals((Deno.statSync(`${folder}/init`).mode ?? 0) & 0o777, 0o755);
    assertEquals((Deno.statSync(`${folder}/empty`).mode ?? 0) & 0o777, 0o700);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("archive() gives every folder above an entry, before it, once", () => {
  const file: ArchiveEntry = { type: "file", data: bytes("x"), mode: 0o644 };
  const pieces = [...archive(new Map([["a/b/c", file], ["a/d", file]]))];
  const text = new TextDecoder().decode(
    new Uint8Array(pieces.flatMap((piece) => [...piece])),
  );
  const names = [...text.matchAll(/070701[0-9a-f]{104}([^\0]+)\0/g)].map(([, name]) => name);
  assertEquals(names, ["a", "a/b", "a/b/c", "a/d", "TRAILER!!!"]);
});
