import type { Command } from "commander";
import { holdOf, type TierTrial, tryTiers } from "../../agent/enforce/mod.ts";
import { type CapabilityRow, tryCapabilities } from "../../agent/sensors/mod.ts";
import type { Config } from "../../common/config/mod.ts";
import { checkedFacts } from "../sensor_run.ts";
import { enforcementPolicy } from "../enforcement.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { print, tell } from "../output.ts";
import { settingsOf } from "../settings.ts";

/** What a host can do, and why it cannot do the rest. */
interface Capabilities {
  readonly sensor: readonly CapabilityRow[];
  readonly tiers: readonly TierTrial[];
  readonly entries: readonly {
    readonly name: string;
    readonly action: string;
    readonly mode: string;
    readonly tiers: readonly string[];
    readonly limits: readonly string[];
  }[];
}

/** `immune agent capabilities` */
export function addAgentCapabilities(agent: Command): void {
  agent.command("capabilities")
    .description("try what this host can see and refuse; takes the settings of immune agent")
    // Flags are those of `immune agent`, which takes them wherever they stand.
    .action(() => {
      const { values } = settingsOf(agent);
      checkedFacts(values, { onWarning: (message) => tell(`agent: ${visible(message)}`) });
      const found = capabilitiesOf(values);
      if (agent.opts()["json"] === true) print(JSON.stringify(found));
      else print(rendered(found));
    });
}

function capabilitiesOf(config: Config): Capabilities {
  const kernel = { btf: config.sensor.btf };
  const tiers = tryTiers(kernel);
  const entries = enforcementPolicy(config)?.entries ?? [];
  return {
    sensor: tryCapabilities(kernel),
    tiers,
    entries: entries.map((entry) => {
      const { name, action, mode } = entry;
      return { name, action, mode, ...holdOf(entry, tiers) };
    }),
  };
}

function rendered({ sensor, tiers, entries }: Capabilities): string {
  const seen = table(sensor, [
    { title: "SEES", value: ({ capability }) => capability },
    { title: "STATE", value: ({ state }) => state },
    { title: "WHY NOT", value: ({ reason }) => visible(reason) },
  ]);
  const refused = table(tiers, [
    { title: "TIER", value: ({ tier }) => tier },
    { title: "REFUSES", value: ({ action }) => action },
    { title: "STATE", value: ({ state }) => state },
    { title: "WHY NOT", value: ({ reason }) => visible(reason) },
  ]);
  const held = table(entries, [
    { title: "ENTRY", value: ({ name }) => visible(name) },
    { title: "ACTION", value: ({ action }) => action },
    { title: "MODE", value: ({ mode }) => mode },
    {
      title: "HELD BY",
      value: ({ tiers }) => tiers.length === 0 ? "nothing: it does not hold" : tiers.join(", "),
    },
    { title: "LIMITS", value: ({ limits }) => limits.join("; ") },
  ]);
  return [seen, refused, ...(entries.length === 0 ? [] : [held])].join("\n").trimEnd();
}
