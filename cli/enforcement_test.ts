import { assertEquals, assertThrows } from "@std/assert";
import { ImmuneError, loadConfig } from "../common/config/mod.ts";
import { enforcementPolicy } from "./enforcement.ts";

const POLICY = `[[entry]]\nname = "no nc"\naction = "exec"\npaths = ["/usr/bin/nc"]\n`;
/** A user that owns nothing here. */
const STRANGER = 61_234;

function load(path: string): number | undefined {
  const flags = { "enforcement-policy": path };
  const { values } = loadConfig({ flags, environment: {} });
  return enforcementPolicy(values)?.entries.length;
}

function refusal(path: string): string {
  const error = assertThrows(() => load(path), ImmuneError);
  return `${error.code}: ${error.message}`.replaceAll(path, "FILE");
}

Deno.test("enforcementPolicy() takes a file that nobody else may write, and no other", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/enforcement.toml`;
  try {
    await Deno.writeTextFile(path, POLICY, { mode: 0o644 });
    assertEquals(load(path), 1);
    for (const mode of [0o664, 0o646, 0o622]) {
      await Deno.chmod(path, mode);
      assertEquals(
        refusal(path),
        'CONFIG_INVALID: Cannot use enforcement policy "FILE": others may write it; ' +
          'run "chmod go-w FILE"',
      );
    }
    await Deno.chmod(path, 0o600);
    assertEquals(load(path), 1);
    await Deno.remove(path);
    assertEquals(refusal(path).split(":")[0], "FILE_UNREADABLE");
    await Deno.mkdir(path);
    assertEquals(
      refusal(path),
      'CONFIG_INVALID: Cannot use enforcement policy "FILE": it is no file',
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "enforcementPolicy() takes no file of another user",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(path, POLICY, { mode: 0o600 });
      await Deno.chown(path, STRANGER, STRANGER);
      assertEquals(
        refusal(path),
        `CONFIG_INVALID: Cannot use enforcement policy "FILE": it belongs to uid ${STRANGER}, ` +
          'not 0; run "chown root FILE"',
      );
    } finally {
      await Deno.remove(path);
    }
  },
});
