import { type Command, Option } from "commander";
import * as z from "zod";
import { ROLES } from "../../hive/operators/role.ts";
import { addActJson, printAct } from "../acts.ts";
import { ApiClient } from "../api.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print, tell } from "../output.ts";

const tokenSchema = z.looseObject({
  id: z.string(),
  person: z.looseObject({ name: z.string() }),
  name: z.string(),
  role: z.string(),
  expiresAt: z.string(),
});
type Token = z.infer<typeof tokenSchema>;

const PATH = "/api/v1/tokens";

interface AddOptions {
  readonly user?: string;
  readonly role: string;
  readonly expires: string;
}

/** `immune tokens` */
export function addTokens(program: Command): void {
  const tokens = program.command("tokens").description("API tokens of programs");
  addList(tokens);
  addAdd(tokens);
  addRevoke(tokens);
}

function addList(tokens: Command): void {
  const list = tokens.command("list")
    .description("show API tokens: your own; an admin's and the host's owner all")
    .option("--json", "print one JSON object a token");
  addSettings(list).action(async () => {
    const { values } = settingsOf(list);
    const answer = await new ApiClient(values).get(PATH);
    const { tokens: found } = z.object({ tokens: z.array(tokenSchema) }).parse(answer);
    if (values.output.json) { for (const token of found) print(JSON.stringify(token)); }
    else print(table(found, COLUMNS).trimEnd());
  });
}

function addAdd(tokens: Command): void {
  const add = tokens.command("add")
    .description("make an API token in a person's name; its text is printed this once")
    .argument("<what>", "what it is for")
    .option("--user <name>", "whose it is")
    .addOption(new Option("--role <role>", "what it may at most").choices(ROLES).default("viewer"))
    .option("--expires <time>", "how long it holds: 12h, 30d; at most 366d", "30d")
    .option("--json", "print one JSON object");
  addSettings(add).action(async (name: string, { user, role, expires }: AddOptions) => {
    const { values } = settingsOf(add);
    const body = { name, role, expires, ...(user === undefined ? {} : { user }) };
    const answer = await new ApiClient(values).send("post", PATH, { body });
    const { token, text } = z.object({ token: tokenSchema, text: z.string() }).parse(answer);
    if (values.output.json) print(JSON.stringify({ token, text }));
    else {
      tell(`For ${visible(token.person.name)}, ${token.role}, until ${token.expiresAt}:`);
      print(text);
    }
  });
}

function addRevoke(tokens: Command): void {
  const revoke = tokens.command("revoke")
    .description("revoke an API token")
    .argument("<id>", "its id, as list shows it");
  addSettings(addActJson(revoke)).action(async (id: string) => {
    const { values } = settingsOf(revoke);
    await new ApiClient(values).send("delete", `${PATH}/${encodeURIComponent(id)}`);
    printAct({ did: { id, revoked: true }, text: `${visible(id)} is revoked` }, values.output);
  });
}

const COLUMNS = [
  { title: "TOKEN", value: (token: Token): string => token.id },
  { title: "PERSON", value: (token: Token): string => visible(token.person.name) },
  { title: "ROLE", value: (token: Token): string => token.role },
  { title: "EXPIRES", value: (token: Token): string => token.expiresAt },
  { title: "FOR", value: (token: Token): string => visible(token.name) },
];
