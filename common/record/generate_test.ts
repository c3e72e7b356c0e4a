import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { GOLDEN_RECORDS } from "./_golden_test_support.ts";
import { generateAssemblyScript, generateC } from "./generate.ts";
import { KINDS } from "./table.ts";

Deno.test("generateAssemblyScript() writes a constant a field", () => {
  const source = generateAssemblyScript();
  assertStringIncludes(source, "export const HEADER_PID: u32 = 20;");
  assertStringIncludes(source, "export const EXEC_INODE: u32 = 16;");
  assertStringIncludes(source, "export const EXEC_SLOT_ARGV: u32 = 1;");
  assertStringIncludes(source, "export const KIND_OPEN: u32 = 18;");
});

// A C program that includes the generated header prints what it reads from the golden bytes.
const READER = `
#include <linux/types.h>
#include <stdio.h>
#include "immune_record.h"
int main(void)
{
	static __u8 bytes[IMMUNE_RECORD_BYTES_MAX] __attribute__((aligned(8)));
	if (fread(bytes, 1, sizeof(bytes), stdin) < sizeof(struct immune_record_header))
		return 1;
	const struct immune_record_header *header = (const void *)bytes;
	const struct immune_slot *slots =
		(const void *)(bytes + header->header_length + header->body_length);
	printf("%u %u %llu %llu", header->kind, header->pid, header->start_time_ns,
	       header->sequence);
	for (unsigned int i = 0; i < header->slot_count; i++)
		printf(" %u:%.*s", slots[i].length, slots[i].length,
		       (const char *)bytes + slots[i].offset);
	return 0;
}
`;

Deno.test("generateC() gives a header with which C reads the golden records", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/immune_record.h`, generateC());
    await Deno.writeTextFile(`${folder}/reader.c`, READER);
    const compiled = await new Deno.Command("cc", {
      args: ["-Wall", "-Wextra", "-Werror", "-o", `${folder}/reader`, `${folder}/reader.c`],
    }).output();
    assert(compiled.success, new TextDecoder().decode(compiled.stderr));
    for (const golden of GOLDEN_RECORDS) {
      const child = new Deno.Command(`${folder}/reader`, { stdin: "piped", stdout: "piped" })
        .spawn();
      const writer = child.stdin.getWriter();
      await writer.write(Uint8Array.fromHex(golden.hex));
      await writer.close();
      const { stdout } = await child.output();
      const slots = Object.values(golden.values.slots ?? {}).map((slot) =>
        ` ${String(slot).length}:${String(slot).split("\0")[0]}`
      );
      assertEquals(
        new TextDecoder().decode(stdout),
        `${KINDS[golden.kind].id} ${golden.pid} ${golden.startTimeNs} ${golden.sequence}` +
          slots.join(""),
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
