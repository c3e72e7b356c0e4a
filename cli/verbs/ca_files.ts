import { type Command, InvalidArgumentError } from "commander";
import { type Config, ImmuneError } from "../../common/config/mod.ts";
import { FileLock } from "../../common/config/lock.ts";
import type { TrustKeeper } from "../../hive/fleet/keeper.ts";
import { openHiveFolder, STORE_FILE } from "../../hive/folder.ts";
import { namesOf } from "../hive_names.ts";
import { print } from "../output.ts";
import { addSettings, settingsOf } from "../settings.ts";

/** Longest file that is imported, in bytes. */
const FILE_BYTES_MAX = 64 * 1024;

/**
 * Adds the verbs that work on the hive's folder while no hive runs.
 *
 * @param ca The verb `ca`.
 */
export function addCaFiles(ca: Command): void {
  addInit(ca);
  addImport(ca);
}

function addInit(ca: Command): void {
  const command = ca.command("init")
    .description("make the hive's authority and server certificates, where there are none")
    .option("--json", "print one JSON object");
  addSettings(command).action(async () => {
    const { values } = settingsOf(command);
    await withFolder(values.state.dir, async (folder) => {
      using keeper = await openKeeper(folder, values);
      say(keeper, values.output.json);
    });
  });
}

interface ImportOptions {
  readonly certificate: string;
  readonly key: string;
  readonly overlap?: number;
}

function addImport(ca: Command): void {
  const command = ca.command("import")
    .description("sign with an authority from outside, such as an intermediate of your own")
    .requiredOption("--certificate <file>", "its certificate (PEM); it has to be an authority's")
    .requiredOption("--key <file>", "its key (PKCS #8, PEM, ECDSA P-256)")
    .option("--overlap <days>", "accept the one before it so long (default: 90)", parseDays)
    .option("--json", "print one JSON object");
  addSettings(command).action(async (options: ImportOptions) => {
    const { values } = settingsOf(command);
    const [certificatePem, keyPem] = [readSmall(options.certificate), readSmall(options.key)];
    const { overlap: overlapDays } = options;
    await withFolder(values.state.dir, async (folder) => {
      using keeper = await openKeeper(folder, values);
      const { authority } = keeper;
      const known = { fleetId: authority.fleetId, nowMs: Date.now() };
      const { checkImported } = await import("../../hive/trust/mod.ts");
      const fresh = await checkImported({ certificatePem, keyPem }, known);
      await authority.rotate({ fresh, ...(overlapDays === undefined ? {} : { overlapDays }) });
      say(keeper, values.output.json);
    });
  });
}

/** Certificates are loaded for who works on them alone. */
async function openKeeper(folder: string, { hive }: Config): Promise<TrustKeeper> {
  const { TrustKeeper } = await import("../../hive/fleet/keeper.ts");
  return await TrustKeeper.open(folder, { names: namesOf(hive) });
}

/** Works on the hive's folder while no hive does; what is made belongs to whom the folder does. */
async function withFolder(state: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${state}/hive`;
  const owner = ownerOf(folder);
  if (owner === undefined) openHiveFolder(state);
  {
    using _lock = FileLock.acquire(`${folder}/${STORE_FILE}.lock`);
    await work(folder);
  }
  if (Deno.uid() !== 0 || owner === undefined || owner.uid === 0) return;
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    if (isFile) Deno.chownSync(`${folder}/${name}`, owner.uid, owner.gid);
  }
}

function ownerOf(folder: string): { readonly uid: number; readonly gid: number } | undefined {
  try {
    const { uid, gid } = Deno.lstatSync(folder);
    return uid === null || gid === null ? undefined : { uid, gid };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function say(keeper: TrustKeeper, json: boolean): void {
  const { fleetId, authorities: [signs], server } = keeper.view();
  const { fingerprint: authority = "", constraint = "", subject = "" } = signs ?? {};
  const said = { fleetId, authority, constraint, server: server.fingerprint };
  if (json) return print(JSON.stringify(said));
  const wider = constraint === "fleet" ? "" : ", which may name other hosts too";
  print(`Fleet      ${fleetId}`);
  print(`Authority  ${authority} (${subject}${wider})`);
  print(`Server     ${server.fingerprint}`);
}

function readSmall(path: string): string {
  try {
    const bytes = Deno.readFileSync(path);
    if (bytes.length <= FILE_BYTES_MAX) return new TextDecoder().decode(bytes);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read "${path}": ${why}`, { cause });
  }
  throw new ImmuneError("FILE_UNREADABLE", `Cannot read "${path}": over ${FILE_BYTES_MAX} bytes`);
}

function parseDays(text: string): number {
  const days = Number(text);
  if (text.trim() !== "" && Number.isFinite(days) && days >= 0) return days;
  throw new InvalidArgumentError("It is no number from 0.");
}
