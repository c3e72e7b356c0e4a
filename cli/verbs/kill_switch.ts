import { type Command, InvalidArgumentError } from "commander";
import { ImmuneError } from "../../common/config/mod.ts";
import { checkShare, HOLDERS, HOLDERS_MAX, THRESHOLD } from "../../common/keys/mod.ts";
import type { StopAction } from "../../common/wire/mod.ts";
import { ApiClient } from "../api.ts";
import { addReason, askedText } from "../asked.ts";
import { collect } from "../collect.ts";
import { intoFolder, onPaper } from "../kill_switch/hand_out.ts";
import { initKillSwitch } from "../kill_switch/init.ts";
import { readShares } from "../kill_switch/shares.ts";
import {
  awaitOutcomes,
  type KillSwitch,
  killSwitch,
  type Outcome,
  sendStop,
  signStop,
} from "../kill_switch/stop.ts";
import { print, tell } from "../output.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";

/** How long a stop holds unless told otherwise, in seconds. */
const VALID_S = 60;
/** Longest that it may hold, in seconds. */
const VALID_S_MAX = 7 * 24 * 3600;
/** How long answers are waited for unless told otherwise, in seconds. */
const WAIT_S = 30;

/** `immune kill-switch` */
export function addKillSwitch(program: Command, exit: (code: number) => void): void {
  const group = program.command("kill-switch")
    .description("stop the sensors of a whole fleet, by a key that several people hold together");
  addInit(group);
  addVerifyShare(group);
  addStop(group, {
    action: "drill",
    doc: "try everything but the stop: shares, signature, way, and what each host would detach",
    exit,
  });
  addStop(group, {
    action: "stop",
    doc: "detach the sensor of every host, and wait for what they find",
    exit,
  });
  addStop(group, { action: "lift", doc: "attach the sensors again", exit });
  addStatus(group);
}

function addInit(group: Command): void {
  const command = group.command("init")
    .description("make the stop key, as shares: the key itself is kept nowhere")
    .option("--out <folder>", "write each share to a file of its own there (mode 0600)")
    .option("--paper", "print the shares, to be written down before the key counts")
    .option("--holders <number>", `how many hold a share, 2 to ${HOLDERS_MAX}`, whole, HOLDERS)
    .option("--threshold <number>", "how many of them are needed", whole, THRESHOLD)
    .option("--share <file>", "a share of the stop key that it follows; repeated", collect, [])
    .option("--json", "print one JSON object");
  addSettings(addReason(command)).action(async (options: {
    readonly out?: string;
    readonly paper?: boolean;
    readonly holders: number;
    readonly threshold: number;
    readonly share: readonly string[];
    readonly reason?: string;
  }) => {
    if ((options.out === undefined) === (options.paper !== true)) {
      throw new ImmuneError("USAGE", "Name one: --out FOLDER for files, or --paper");
    }
    const { values } = settingsOf(command);
    if (options.paper === true && values.output.json) {
      throw new ImmuneError("USAGE", "Cannot use --json with --paper: shares on paper are text");
    }
    const former = options.share.length === 0 ? [] : await readShares(options.share, 0);
    const { out, holders, threshold, reason } = options;
    const { publicKey, files, request } = await initKillSwitch(new ApiClient(values), {
      holders,
      threshold,
      former,
      reason,
      handOut: (shares) =>
        out === undefined ? onPaper(shares) : Promise.resolve(intoFolder(shares, out)),
    });
    if (values.output.json) {
      return print(JSON.stringify({ publicKey, files, request: request ?? null }));
    }
    for (const file of files) print(file);
    print(`Stop key ${publicKey.slice(0, 16)}: ${threshold} of ${holders} shares`);
    if (files.length > 0) print("Hand each file to its holder and remove it here.");
    print(request === undefined ? 'Try it: "immune kill-switch drill"' : askedText(request));
  });
}

function addVerifyShare(group: Command): void {
  const command = group.command("verify-share")
    .description("check a share against what is published of it")
    .option("--share <file>", "file with the share; default: standard input", collect, [])
    .option("--json", "print one JSON object a share");
  addSettings(command).action(async (options: { readonly share: readonly string[] }) => {
    const { values } = settingsOf(command);
    const { stopKey } = await initialised(new ApiClient(values));
    for (const text of await readShares(options.share, 1)) {
      const { holder, holders } = checkShare(stopKey, text);
      print(
        values.output.json
          ? JSON.stringify({ holder, holders, valid: true })
          : `Share ${holder} of ${holders} is the one that was given`,
      );
    }
  });
}

function addStop(group: Command, { action, doc, exit }: {
  readonly action: StopAction;
  readonly doc: string;
  readonly exit: (code: number) => void;
}): void {
  const command = group.command(action === "stop" ? "fire" : action)
    .description(doc)
    .option("--share <file>", "file with a share; repeated; default: standard input", collect, [])
    .option("--valid <seconds>", `how long it holds, at most ${VALID_S_MAX}`, whole, VALID_S)
    .option("--wait <seconds>", "how long answers are waited for", whole, WAIT_S)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nShares are never arguments: others could read them. The key is put together here, signs" +
        "\nonce, and is gone. A host that is away longer than --valid does not hear it.",
    );
  addSettings(addReason(command)).action(async (options: {
    readonly share: readonly string[];
    readonly valid: number;
    readonly wait: number;
    readonly reason?: string;
  }) => {
    if (options.valid < 1 || options.valid > VALID_S_MAX) {
      throw new ImmuneError("USAGE", `Cannot use --valid ${options.valid}: 1 to ${VALID_S_MAX}`);
    }
    const { values } = settingsOf(command);
    const api = new ApiClient(values);
    const stand = await initialised(api);
    const shares = await readShares(options.share, stand.stopKey.threshold);
    const bytes = await signStop({ action, shares, validMs: options.valid * 1000, stand });
    const { number, request } = await sendStop(api, { bytes, reason: options.reason });
    const hosts = stand.agents.length;
    if (request !== undefined) tell(askedText(request));
    else tell(`Sent to ${hosts} hosts; waiting for what they find`);
    const outcomes = await awaitOutcomes(api, { number, hosts, waitMs: options.wait * 1000 });
    report({ action, number, outcomes, stand, json: values.output.json });
    exit(outcomes.filter(({ outcome }) => outcome === "done").length === hosts ? 0 : 1);
  });
}

function report({ action, number, outcomes, stand, json }: {
  readonly action: StopAction;
  readonly number: number;
  readonly outcomes: readonly Outcome[];
  readonly stand: KillSwitch;
  readonly json: boolean;
}): void {
  const count = (what: Outcome["outcome"]): number =>
    outcomes.filter(({ outcome }) => outcome === what).length;
  const heard = new Set(outcomes.map(({ agentId }) => agentId));
  const silent = stand.agents.filter(({ agentId }) => !heard.has(agentId));
  const counts = {
    hosts: stand.agents.length,
    done: count("done"),
    failed: count("failed"),
    refused: count("refused"),
    silent: silent.length,
  };
  if (json) return print(JSON.stringify({ action, number, ...counts, outcomes }));
  const rows = [
    ...outcomes.map(({ hostName, outcome, text }) => ({ hostName, outcome, text })),
    ...silent.map(({ hostName }) => ({ hostName, outcome: "silent", text: "" })),
  ];
  print(
    table(rows, [
      { title: "HOST", value: ({ hostName }): string => visible(hostName) },
      { title: "OUTCOME", value: ({ outcome }): string => outcome },
      { title: "FOUND", value: ({ text }): string => visible(text) },
    ]).trimEnd(),
  );
  print(
    `${counts.done} of ${counts.hosts} hosts: done; ${counts.failed} failed, ` +
      `${counts.refused} refused, ${counts.silent} silent`,
  );
}

function addStatus(group: Command): void {
  const command = group.command("status")
    .description("show the stop key, what it signed last, and how each host stands")
    .option("--json", "print one JSON object");
  addSettings(command).action(async () => {
    const { values } = settingsOf(command);
    const stand = await killSwitch(new ApiClient(values));
    if (values.output.json) return print(JSON.stringify(stand));
    const { stopKey, last, agents, fleet } = stand;
    print(`Fleet     ${fleet}`);
    print(
      stopKey === null
        ? 'Stop key  none: make one with "immune kill-switch init"'
        : `Stop key  ${stopKey.publicKey.slice(0, 16)}: ${stopKey.threshold} of ` +
          `${stopKey.holders} shares`,
    );
    print(`Last      ${last === null ? "never used" : `${last.issuedAt} by ${visible(last.by)}`}`);
    print(
      table(agents, [
        { title: "HOST", value: ({ hostName }): string => visible(hostName) },
        { title: "SENSOR", value: ({ stopped }): string => stopped ? "stopped" : "allowed" },
        { title: "CANARY", value: ({ canary }): string => canary },
        { title: "HEARD", value: ({ heardAt }): string => heardAt ?? "never" },
      ]).trimEnd(),
    );
  });
}

/** How the kill switch stands, once there is a stop key. */
async function initialised(
  api: ApiClient,
): Promise<KillSwitch & { readonly stopKey: NonNullable<KillSwitch["stopKey"]> }> {
  const stand = await killSwitch(api);
  if (stand.stopKey !== null) return { ...stand, stopKey: stand.stopKey };
  throw new ImmuneError(
    "NOT_FOUND",
    'Cannot use the kill switch: there is no stop key; make one with "immune kill-switch init"',
  );
}

function whole(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is no whole number.");
}
