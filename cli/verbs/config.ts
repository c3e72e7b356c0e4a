import type { Command } from "commander";
import { print } from "../output.ts";
import { OPTION_ENTRIES } from "../../common/config/mod.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf, tellUnknownVariables } from "../settings.ts";

interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

/** `immune config show` */
export function addConfig(program: Command): void {
  const config = program.command("config").description("look at the configuration");
  const show = config.command("show")
    .description("show every setting and where its value comes from")
    .option("--json", "print one JSON object a setting, and one a variable that names none");
  addSettings(show, { hive: true }).action(() => {
    const loaded = settingsOf(show, { names: true });
    const { values, origins, file, unknownVariables } = loaded;
    const settings = OPTION_ENTRIES.map(({ section, key, name }): Setting => ({
      key: name,
      value: (values[section] as Readonly<Record<string, unknown>>)[key],
      origin: origins.get(name) ?? "default",
    }));
    if (values.output.json) {
      for (const setting of settings) print(JSON.stringify(setting));
      for (const unknownVariable of unknownVariables) print(JSON.stringify({ unknownVariable }));
      return;
    }
    print(
      table(settings, [
        { title: "SETTING", value: (setting) => setting.key },
        { title: "VALUE", value: (setting) => visible(JSON.stringify(setting.value)) },
        { title: "FROM", value: (setting) => visible(setting.origin) },
      ]).trimEnd(),
    );
    print(file === undefined ? "No configuration file was found" : `Read ${file}`);
    tellUnknownVariables(loaded);
  });
}
