import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { Secrets } from "./secrets.ts";

const SECRET = crypto.getRandomValues(new Uint8Array(32));

function found(text: string | Uint8Array): boolean {
  const secrets = new Secrets();
  secrets.addBytes({ name: "a key" }, SECRET);
  secrets.look("a log", typeof text === "string" ? new TextEncoder().encode(text) : text);
  return secrets.findings.size > 0;
}

Deno.test("Secrets.look() finds a secret in every form, wherever it starts", () => {
  const around = (before: number): Buffer =>
    Buffer.concat([Buffer.alloc(before, 7), SECRET, Buffer.alloc(5, 9)]);
  for (const before of [0, 1, 2, 3, 10]) {
    assertEquals(found(around(before)), true);
    for (const form of ["hex", "base64", "base64url"] as const) {
      assertEquals(found(`x${around(before).toString(form)}`), true, `${form} at ${before}`);
    }
  }
  const lines = around(0).toString("base64").replaceAll(/.{16}/g, "$&\n");
  assertEquals([found(lines), found(JSON.stringify(lines))], [true, true], "in lines");
  assertEquals(found(`${Buffer.from(SECRET).toString("hex").toUpperCase()}`), true);
  assertEquals(found(Buffer.from(SECRET).subarray(0, 31)), false);
  assertEquals(found("nothing"), false);
});

Deno.test("Secrets.lookAtFile() tells a secret at home from one that strayed or is open", async () => {
  const folder = await Deno.makeTempDir();
  const home = `${folder}/key`;
  await Deno.writeFile(home, SECRET, { mode: 0o600 });
  const secrets = new Secrets();
  secrets.addBytes({ name: "a key", belongs: home }, SECRET);
  await secrets.lookBelow(folder);
  assertEquals([[...secrets.findings], [...secrets.atHome]], [[], ["a key"]]);
  await Deno.writeFile(`${folder}/copy`, SECRET);
  await Deno.chmod(home, 0o644);
  await secrets.lookBelow(folder);
  assertEquals([...secrets.findings].sort(), [
    `a key (raw) in ${folder}/copy`,
    `others may read ${home}`,
  ]);
  await Deno.remove(folder, { recursive: true });
});
