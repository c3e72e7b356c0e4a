import { type Command, InvalidArgumentError } from "commander";
import * as z from "zod";
import { ImmuneError } from "../../common/config/mod.ts";
import { REVOKED_AT_ONCE_MAX } from "../../hive/api/bounds.ts";
import { ApiClient } from "../api.ts";
import { addReason, askedText, printAsked, requestOf } from "../asked.ts";
import { collect } from "../collect.ts";
import { print, tell } from "../output.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { addCaFiles } from "./ca_files.ts";

const caSchema = z.object({
  fleetId: z.string(),
  authorities: z.array(z.looseObject({
    fingerprint: z.string(),
    subject: z.string(),
    notAfter: z.string(),
    acceptedUntil: z.string().nullable(),
    constraint: z.string(),
    external: z.boolean(),
  })),
  server: z.looseObject({ fingerprint: z.string(), notAfter: z.string() }),
  successor: z.looseObject({ fingerprint: z.string(), notAfter: z.string() }),
});
type Ca = z.infer<typeof caSchema>;

const issuedSchema = z.looseObject({
  agentId: z.string(),
  certificate: z.string(),
  notAfter: z.string(),
});

const revokedSchema = z.object({ revoked: z.array(z.string()), unknown: z.array(z.string()) });

/** `immune ca` */
export function addCa(program: Command): void {
  const ca = program.command("ca")
    .description("look at the hive's certificates, and change them")
    .addHelpText(
      "after",
      "\nThe running hive makes every change itself, through its API. Only init and import work on" +
        "\nits folder, while no hive runs: there an authority's key is, and it passes nowhere else.",
    );
  addCaFiles(ca);
  addShow(ca);
  addIssue(ca);
  addRevoke(ca);
  addRotate(ca);
}

function addShow(ca: Command): void {
  const command = ca.command("show")
    .description("show which authorities and server certificates count")
    .option("--json", "print one JSON object");
  addSettings(command).action(async () => {
    const { values } = settingsOf(command);
    const found = caSchema.parse(await new ApiClient(values).get("/api/v1/ca"));
    print(values.output.json ? JSON.stringify(found) : described(found));
  });
}

interface IssueOptions {
  readonly request: string;
  readonly hostId: string;
  readonly hostName: string;
  readonly tag: readonly string[];
  readonly days?: number;
}

function addIssue(ca: Command): void {
  const command = ca.command("issue")
    .description("sign a certificate for a new agent by hand, without token and enrolment")
    .requiredOption("--request <file>", "certificate request of the host (PKCS #10, PEM)")
    .requiredOption("--host-id <hex>", "host id of the host, 64 hexadecimal digits")
    .requiredOption("--host-name <name>", "name of the host")
    .option("--tag <word>", "word that the agent gets; may be repeated", collect, [])
    .option("--days <number>", "days that it holds (default: 90)", parseNumber)
    .option("--json", "print one JSON object");
  addSettings(command).action(async (options: IssueOptions) => {
    const { values } = settingsOf(command);
    const { hostId, hostName, tag: tags, days } = options;
    const request = await readFile(options.request);
    const body = { request, hostId, hostName, tags, ...(days === undefined ? {} : { days }) };
    const answer = await new ApiClient(values).send("post", "/api/v1/ca/certificates", { body });
    const issued = issuedSchema.parse(answer);
    if (values.output.json) return print(JSON.stringify(issued));
    tell(`Agent ${issued.agentId}, until ${issued.notAfter}`);
    print(issued.certificate.trimEnd());
  });
}

function addRevoke(ca: Command): void {
  const command = ca.command("revoke <agent...>")
    .description("revoke agents' certificates; their connections end within seconds")
    .option("--json", "print one JSON object");
  addSettings(addReason(command)).action(async (
    agents: readonly string[],
    { reason }: { readonly reason?: string },
  ) => {
    const { values } = settingsOf(command);
    const api = new ApiClient(values);
    const [revoked, unknown, requests]: [string[], string[], string[]] = [[], [], []];
    let failure: unknown;
    for (let i = 0; i < agents.length && failure === undefined; i += REVOKED_AT_ONCE_MAX) {
      const some = { agents: agents.slice(i, i + REVOKED_AT_ONCE_MAX) };
      const body = reason === undefined ? some : { ...some, reason };
      try {
        const answer = await api.send("post", "/api/v1/agents/revoke", { body });
        const request = requestOf(answer);
        const done = request === undefined ? revokedSchema.parse(answer) : undefined;
        if (request !== undefined) requests.push(request);
        revoked.push(...done?.revoked ?? []);
        unknown.push(...done?.unknown ?? []);
      } catch (error) {
        failure = error;
      }
    }
    // What was done or asked for stands, whatever became of those behind it.
    if (values.output.json) print(JSON.stringify({ revoked, unknown, requests }));
    else {
      for (const agent of revoked) print(`Revoked ${visible(agent)}`);
      for (const request of requests) print(askedText(request));
    }
    const names = unknown.map((agent) => `"${visible(agent)}"`).join(", ");
    const missing = `Cannot revoke ${names}: there is no such agent`;
    if (failure !== undefined) {
      if (unknown.length > 0) tell(missing);
      throw failure;
    }
    if (unknown.length > 0) throw new ImmuneError("NOT_FOUND", missing);
  });
}

interface RotateOptions {
  readonly server?: boolean;
  readonly force?: boolean;
  readonly overlap?: number;
  readonly reason?: string;
}

function addRotate(ca: Command): void {
  const command = ca.command("rotate")
    .description("put a new authority, or the server's next certificate, in the place of the old")
    .option("--server", "the server's certificate instead of the authority")
    .option("--overlap <days>", "accept the old authority so long (default: 90)", parseNumber)
    .option("--force", "with --server: also when agents may not know its successor yet")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nAfter a theft of the authority's key use --overlap 0: every agent then enrols again.",
    );
  addSettings(addReason(command)).action(async (options: RotateOptions) => {
    const { server = false, force, overlap, reason } = options;
    const { values } = settingsOf(command);
    const body = {
      ...(reason === undefined ? {} : { reason }),
      what: server ? "server" : "authority",
      ...(force === undefined ? {} : { force }),
      ...(overlap === undefined ? {} : { overlapDays: overlap }),
    };
    const answer = await new ApiClient(values).send("post", "/api/v1/ca/rotate", { body });
    const request = requestOf(answer);
    if (request !== undefined) return printAsked(request, values.output);
    const now = caSchema.parse(answer);
    print(values.output.json ? JSON.stringify(now) : described(now));
  });
}

interface Row {
  readonly what: string;
  readonly name: string;
  readonly holds: string;
  readonly fingerprint: string;
}

const COLUMNS = [
  { title: "WHAT", value: (row: Row): string => row.what },
  { title: "NAME", value: (row: Row): string => visible(row.name) },
  { title: "UNTIL", value: (row: Row): string => row.holds },
  { title: "SHA-256", value: (row: Row): string => row.fingerprint },
];

/**
 * What counts, for eyes.
 *
 * @param ca As the API gives it.
 * @returns Lines.
 */
export function described({ fleetId, authorities, server, successor }: Ca): string {
  const rows: Row[] = [
    ...authorities.map((each) => ({
      what: each.acceptedUntil === null ? "signs" : "accepted",
      name: `${each.subject}${each.constraint === "fleet" ? "" : ` (${each.constraint})`}`,
      holds: each.acceptedUntil ?? each.notAfter,
      fingerprint: each.fingerprint,
    })),
    { what: "shown", name: "server", holds: server.notAfter, fingerprint: server.fingerprint },
    { what: "next", name: "server", holds: successor.notAfter, fingerprint: successor.fingerprint },
  ];
  return `Fleet ${visible(fleetId)}\n${table(rows, COLUMNS).trimEnd()}`;
}

async function readFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read "${path}": ${why}`, { cause });
  }
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isFinite(number) && number >= 0) return number;
  throw new InvalidArgumentError("It is no number from 0.");
}
