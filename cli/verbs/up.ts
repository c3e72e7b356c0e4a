import type { Command } from "commander";
import { OPTION_ENTRIES, type OptionSpec } from "../../common/config/mod.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { endSignals, onReloadSignal, untilSignal } from "../signals.ts";
import { print, tell } from "../output.ts";

const STATE_NAME = "state.dir";

/** `immune up` */
export function addUp(program: Command): void {
  const command = program.command("up")
    .description("run hive and agent on this host, each with the rights that it needs");
  addSettings(command, { hive: true }).action(async () => {
    const { values } = settingsOf(command);
    const { startUp } = await import("../supervise/up.ts");
    const up = await startUp(values, {
      // Where none is named each user has a folder of his own, and the hive is another user.
      args: ["--state", values.state.dir, ...typedSettings(command, { only: undefined })],
      hiveArgs: typedSettings(command, { only: "hive" }),
      onNotice: (line) => tell(`immune: ${visible(line)}`),
    });
    print(`Sensor   ${up.sensor}`);
    print(`State    ${values.state.dir}`);
    print(`Console  ${up.login} (once, within 10 minutes)`);
    print(`Stop     Ctrl-C`);
    print(`Remove   immune uninstall --purge --state ${values.state.dir}`);
    using _reloading = onReloadSignal(() =>
      up.reload().catch((error) => tell(`immune: ${visible(error.message)}`))
    );
    await untilSignal({ signals: endSignals() });
    tell("Stopping");
    await up.stop();
  });
}

/** The settings but the state folder that were typed for all parts, or for one of them. */
function typedSettings(
  command: Command,
  { only }: { readonly only: OptionSpec<unknown>["only"] },
): string[] {
  const given = command.opts<Record<string, unknown>>();
  const named = OPTION_ENTRIES.filter(({ name, spec }) => spec.only === only && name !== STATE_NAME)
    .map(({ spec }) => spec.flag);
  const flags = only === undefined ? ["config", ...named] : named;
  return flags.flatMap((flag) => {
    const attribute = flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const value = given[attribute];
    if (value === undefined || typeof value === "boolean") return value ? [`--${flag}`] : [];
    return (Array.isArray(value) ? value : [value]).flatMap((each) => [`--${flag}`, String(each)]);
  });
}
