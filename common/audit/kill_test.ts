import { assert, assertEquals } from "@std/assert";
import { inFolder } from "./_test_support.ts";
import { verifyAudit } from "./mod.ts";

/** Times that the appending process is killed. */
const ROUNDS = 12;

async function killAfter(folder: string, lines: number): Promise<number> {
  const script = new URL("./_appender_test_support.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", script, folder],
    stdout: "piped",
  }).spawn();
  let text = "";
  let killed = false;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!killed && text.split("\n").length > lines) {
      killed = true;
      child.kill("SIGKILL");
    }
  }
  assertEquals((await child.status).signal, "SIGKILL");
  return Number(text.split("\n").at(-2));
}

Deno.test("AuditLog.append() that resolved is in a whole chain after SIGKILL at any moment", () =>
  inFolder(async (folder) => {
    let before = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const last = await killAfter(folder, 3 + round * 7);
      const { head, broken } = verifyAudit(folder);
      assertEquals(broken, undefined);
      assert(last > before && head.sequence >= last, `${head.sequence} of ${last}`);
      before = head.sequence;
    }
  }));
