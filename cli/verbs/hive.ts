import { type Command, InvalidArgumentError, Option } from "commander";
import type { Hive } from "../../hive/hive.ts";
import { configuredProvider } from "../../hive/operators/provider.ts";
import { namesOf } from "../hive_names.ts";
import { rulePaths } from "../rules.ts";
import { endSignals, onReloadSignal, untilSignal } from "../signals.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { visible } from "../render/terminal.ts";
import { VERSION } from "../version.ts";
import { print, tell } from "../output.ts";

const HOUR_MS = 3_600_000;

interface HiveVerbOptions {
  readonly json?: boolean;
  readonly operatorTokenHash?: string;
  readonly rulesCopy?: string;
}

/** `immune hive` */
export function addHive(program: Command): void {
  const command = program.command("hive")
    .description("run the hive: agents' port, enrolment, API and console")
    .option("--json", "print where it listens, a login link and an enrolment token as one object")
    // What "up" knows and an unprivileged hive may not read.
    .addOption(new Option("--operator-token-hash <hex>").argParser(parseHash).hideHelp())
    .addOption(new Option("--rules-copy <file>").hideHelp());
  addSettings(command, { hive: true }).action(async (options: HiveVerbOptions) => {
    const { values } = settingsOf(command);
    const { state, operators } = values;
    const { canary_hours: canaryHours, store_bytes: storeBytes, ...addresses } = values.hive;
    const { operatorTokenHash: tokenHash, rulesCopy } = options;
    const oidc = configuredProvider(operators);
    const { createHive } = await import("../../hive/hive.ts");
    const hive = await createHive({
      state: state.dir,
      ...addresses,
      names: namesOf(addresses),
      twoPerson: operators.two_person,
      canaryMs: canaryHours * HOUR_MS,
      ...(storeBytes === 0 ? {} : { storeBytesMax: storeBytes }),
      ...(oidc === undefined ? {} : { oidc }),
      rules: rulesCopy === undefined ? { paths: rulePaths(values) } : { copy: rulesCopy },
      version: VERSION,
      log: (line) => tell(`hive: ${visible(line)}`),
      ...(tokenHash === undefined ? {} : { tokenHash }),
    });
    using _reloading = onReloadSignal(() => hive.reloadRules());
    try {
      await announce(hive, options.json ?? false);
      await Promise.race([untilSignal({ signals: endSignals() }), hive.failed]);
    } finally {
      await hive.stop();
    }
  });
}

async function announce(hive: Hive, json: boolean): Promise<void> {
  const login = hive.loginLink();
  const { text: token } = await hive.enrollToken();
  const { addresses, fingerprint } = hive;
  if (json) {
    print(JSON.stringify({ type: "hive", login, token, addresses, fingerprint }));
    return;
  }
  print(`Console    ${login} (once, within 10 minutes)`);
  print(`Agents     ${addresses.agents}, enrolment ${addresses.enroll}`);
  print(`SHA-256    ${fingerprint}`);
  print(`Enrol one  immune enroll --token-file -, and this on its standard input:`);
  print(token);
}

function parseHash(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError("It is no SHA-256.");
}
