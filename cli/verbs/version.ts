import type { Command } from "commander";
import { print } from "../output.ts";
import { RECORD_VERSION } from "../../common/record/table.ts";
import { BATCH_VERSION } from "../../common/wire/batch.ts";
import { IMAGE_VERSION } from "../../common/sigma/image_layout.ts";
import { VERSION } from "../version.ts";

/** `immune version` */
export function addVersion(program: Command): void {
  program.command("version")
    .description("print the version of the program and of its formats")
    .option("--json", "print one JSON object")
    .action((options: { readonly json?: boolean }) => {
      const versions = {
        immune: VERSION,
        deno: Deno.version.deno,
        platform: Deno.build.target,
        record: RECORD_VERSION,
        batch: BATCH_VERSION,
        rule_image: IMAGE_VERSION,
      };
      if (options.json) print(JSON.stringify(versions));
      else for (const [name, value] of Object.entries(versions)) print(`${name} ${value}`);
    });
}
