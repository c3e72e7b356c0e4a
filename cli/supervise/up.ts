import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { pinHive } from "../../agent/enrol/enroll.ts";
import { type Config, ImmuneError } from "../../common/config/mod.ts";
import { pinnedEnvironment } from "../../common/link/mod.ts";
import { jsonOf } from "../../common/text/json.ts";
import { operatorTokenHash } from "../../hive/operators/token_file.ts";
import { memoryVariables } from "../memory.ts";
import { rulePaths } from "../rules.ts";
import { settingsEnvironment } from "../settings_environment.ts";
import { Child } from "./child.ts";
import { AGENT_CAPABILITIES, partCommand } from "./commands.ts";
import { enrollPinned } from "./enroll.ts";
import { copyRules } from "./rules_copy.ts";
import { sensorFindings, takenPorts } from "./doctor.ts";
import { type HiveHome, prepareHiveHome } from "./state.ts";
import { ensureHiveUser, type SystemUser } from "./user.ts";

/** Longest wait until a part is ready, in milliseconds. */
const READY_WITHIN_MS = 60_000;
/** Where the parts find the few programs that they start. */
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

const hiveLineSchema = z.object({
  type: z.literal("hive"),
  login: z.string(),
  token: z.string(),
});
const agentLineSchema = z.object({ type: z.literal("agent"), sensor: z.string() });

/** How both parts are started. */
export interface UpOptions {
  /** Settings as they were typed, handed on to both parts. */
  readonly args: readonly string[];
  /** Those that concern the hive alone. */
  readonly hiveArgs: readonly string[];
  /** Takes a line about a part that ended and starts again. */
  readonly onNotice: (line: string) => void;
}

/** Hive and agent of one host, running. */
export interface Up {
  /** One-time login link to the console. */
  readonly login: string;
  /** What the sensor does here, or why there is none. */
  readonly sensor: string;
  /** Has both parts read the rules again. */
  reload(): Promise<void>;
  /** Ends both, the agent first. */
  stop(): Promise<void>;
}

/**
 * Starts the hive as a user of its own and, as root, this host's agent; enrols this host when it is
 * not yet; starts again what ends by itself.
 *
 * @param config The configuration.
 * @param options Arguments and notices.
 * @throws {ImmuneError} when a part does not start; its own line on standard error says why.
 */
export async function startUp(config: Config, options: UpOptions): Promise<Up> {
  const user = Deno.uid() === 0 ? await ensureHiveUser() : undefined;
  const programs = programsFolder();
  const folder = config.state.dir;
  const home = await prepareHiveHome(folder, { programs, ...(user === undefined ? {} : { user }) });
  const copy = (): Promise<string> => copyRules(rulePaths(config), { folder, user });
  const hive = await startHive({ config, options, home, user, rulesCopy: await copy() });
  try {
    if (!isEnrolled(folder)) {
      const { token } = hive.ready;
      await pinHive({ token, state: folder });
      const code = await enrollPinned({ token, args: options.args });
      if (code !== 0) throw ended("enrolment", code);
    }
    if (user === undefined) {
      for (const line of await sensorFindings()) options.onNotice(line);
      const sensor = `none: it needs root; "immune replay FILE --deliver --state ${folder}" ` +
        "brings recorded events";
      const stop = (): Promise<void> => hive.child.stop();
      const reload = async (): Promise<void> => void await copy().then(() => hive.child.reload());
      return { login: hive.ready.login, sensor, reload, stop };
    }
    const agent = await startAgent(options);
    return {
      login: hive.ready.login,
      sensor: agent.ready.sensor,
      reload: async () => {
        agent.child.reload();
        await copy();
        hive.child.reload();
      },
      stop: async () => {
        // A signal to the whole group may have reached the hive too.
        hive.child.expectEnd();
        await agent.child.stop();
        await hive.child.stop();
      },
    };
  } catch (error) {
    await hive.child.stop();
    throw error;
  }
}

/** The folder with the program's files, `dist/` wherever that lies. */
function programsFolder(): string {
  const file = fileURLToPath(Deno.mainModule);
  if (file.endsWith(".js")) return dirname(file);
  throw new ImmuneError(
    "STATE_UNUSABLE",
    `Cannot start from sources: the hive's user may not read them; use "deno task up"`,
  );
}

interface HiveStart {
  readonly config: Config;
  readonly options: UpOptions;
  readonly home: HiveHome;
  readonly user: SystemUser | undefined;
  readonly rulesCopy: string;
}

async function startHive(
  start: HiveStart,
): Promise<Started<z.infer<typeof hiveLineSchema>>> {
  const { home, user, options } = start;
  const environment = {
    PATH,
    HOME: "/nonexistent",
    DENO_DIR: home.cache,
    DENO_NO_UPDATE_CHECK: "1",
    ...settingsEnvironment(),
  };
  const args = [
    "hive",
    ...options.args,
    ...options.hiveArgs,
    "--json",
    "--operator-token-hash",
    operatorTokenHash(start.config.state.dir),
    "--rules-copy",
    start.rulesCopy,
  ];
  const command = partCommand(args, {
    programs: home.programs,
    environment,
    ...(user === undefined ? {} : { user }),
  });
  try {
    return await startPart("hive", { command, environment, schema: hiveLineSchema, options });
  } catch (error) {
    for (const line of await takenPorts(start.config)) options.onNotice(line);
    throw error;
  }
}

async function startAgent(
  options: UpOptions,
): Promise<Started<z.infer<typeof agentLineSchema>>> {
  const args = ["agent", ...options.args, "--json"];
  const environment = pinnedEnvironment({
    PATH,
    DENO_NO_UPDATE_CHECK: "1",
    ...memoryVariables(args),
    ...settingsEnvironment(),
  });
  const command = partCommand(args, {
    environment,
    capabilities: AGENT_CAPABILITIES,
  });
  return await startPart("agent", { command, environment, schema: agentLineSchema, options });
}

interface PartStart<T> {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly schema: z.ZodType<T>;
  readonly options: UpOptions;
}

interface Started<T> {
  readonly child: Child;
  readonly ready: T;
}

/** Starts a part and waits for its first line; one that ends before is not started again. */
async function startPart<T>(name: string, part: PartStart<T>): Promise<Started<T>> {
  const first = Promise.withResolvers<T>();
  let isReady = false;
  const child = new Child({
    name,
    command: part.command,
    environment: part.environment,
    onLine: (line) => {
      const found = part.schema.safeParse(jsonOf(line));
      if (!found.success) return;
      isReady = true;
      first.resolve(found.data);
    },
    onEnd: (code, waitMs) => {
      if (!isReady) first.reject(ended(name, code));
      else part.options.onNotice(`The ${name} ended (${code}) and starts again in ${waitMs} ms`);
    },
  });
  const late = setTimeout(() => first.reject(tooLate(name)), READY_WITHIN_MS);
  try {
    return { child, ready: await first.promise };
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

function ended(name: string, code: number): ImmuneError {
  return new ImmuneError(
    "SENSOR_FAILED",
    `Cannot start the ${name}: it ended with code ${code}, its own line is above`,
  );
}

function tooLate(name: string): ImmuneError {
  const seconds = READY_WITHIN_MS / 1000;
  return new ImmuneError("SENSOR_FAILED", `Cannot start the ${name}: not ready in ${seconds} s`);
}

function isEnrolled(folder: string): boolean {
  try {
    return Deno.statSync(`${folder}/agent/agent.json`).isFile;
  } catch {
    return false;
  }
}
