import { Argument, type Command, Option } from "commander";
import * as z from "zod";
import { ROLES } from "../../hive/operators/role.ts";
import { addActJson, printAct, printAnswered } from "../acts.ts";
import { ApiClient } from "../api.ts";
import { addReason } from "../asked.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print } from "../output.ts";

const userSchema = z.looseObject({
  name: z.string(),
  role: z.string(),
  disabled: z.boolean(),
  signedInAt: z.string().nullable(),
  password: z.boolean(),
  totp: z.boolean(),
  passkeys: z.number(),
});
const invitedSchema = z.looseObject({
  user: userSchema,
  path: z.string(),
  expiresInSeconds: z.number(),
});
type User = z.infer<typeof userSchema>;

const PATH = "/api/v1/users";

/** `immune users` */
export function addUsers(program: Command): void {
  const users = program.command("users").description("people's accounts on the hive");
  addList(users);
  addAdd(users);
  for (const disabled of [true, false]) addSwitch(users, disabled);
  addRole(users);
  addReset(users);
}

function addList(users: Command): void {
  const list = users.command("list")
    .description("show every account")
    .option("--json", "print one JSON object an account");
  addSettings(list).action(async () => {
    const { values } = settingsOf(list);
    const answer = await new ApiClient(values).get(PATH);
    const { users: found } = z.object({ users: z.array(userSchema) }).parse(answer);
    if (values.output.json) { for (const user of found) print(JSON.stringify(user)); }
    else print(table(found, COLUMNS).trimEnd());
  });
}

function addAdd(users: Command): void {
  const add = users.command("add")
    .description("add an account, and print the link that opens it once")
    .argument("<name>", "what the person types to sign in")
    .addOption(roleOption().makeOptionMandatory())
    .option("--oidc-subject <subject>", "who the person is at the OpenID provider")
    .option("--json", "print one JSON object");
  addSettings(add).action(
    async (name: string, options: { readonly role: string; readonly oidcSubject?: string }) => {
      const { values } = settingsOf(add);
      const api = new ApiClient(values);
      const { role, oidcSubject } = options;
      const body = { name, role, ...(oidcSubject === undefined ? {} : { oidcSubject }) };
      const answer = await api.send("post", PATH, { body });
      printInvited(api, answer, { json: values.output.json, done: "added" });
    },
  );
}

function addSwitch(users: Command, disabled: boolean): void {
  const command = users.command(disabled ? "disable" : "enable")
    .description(
      disabled ? "shut an account: its sessions and tokens end" : "open an account again",
    )
    .argument("<name>", "name of the account");
  addSettings(addActJson(command)).action(async (name: string) => {
    const { values } = settingsOf(command);
    await new ApiClient(values).send("patch", pathOf(name), { body: { disabled } });
    const text = `${visible(name)} is ${disabled ? "disabled" : "enabled"}`;
    printAct({ did: { name, disabled }, text }, values.output);
  });
}

function addRole(users: Command): void {
  const command = users.command("role")
    .description("change what an account may")
    .argument("<name>", "name of the account")
    .addArgument(new Argument("<role>", "its new role").choices(ROLES));
  addSettings(addActJson(addReason(command))).action(async (
    name: string,
    role: string,
    { reason }: { readonly reason?: string },
  ) => {
    const { values } = settingsOf(command);
    const body = { role, ...(reason === undefined ? {} : { reason }) };
    printAnswered(await new ApiClient(values).send("patch", pathOf(name), { body }), {
      json: values.output.json,
      act: () => ({ did: { name, role }, text: `${visible(name)} is ${role}` }),
    });
  });
}

function addReset(users: Command): void {
  const command = users.command("reset")
    .description("take away password, app, passkeys and tokens; print a link into the account")
    .argument("<name>", "name of the account")
    .option("--json", "print one JSON object");
  addSettings(command).action(async (name: string) => {
    const { values } = settingsOf(command);
    const api = new ApiClient(values);
    const answer = await api.send("post", `${pathOf(name)}/reset`);
    printInvited(api, answer, { json: values.output.json, done: "reset" });
  });
}

function printInvited(
  api: ApiClient,
  answer: unknown,
  { json, done }: { readonly json: boolean; readonly done: string },
): void {
  const { user, path, expiresInSeconds } = invitedSchema.parse(answer);
  const link = api.link(path);
  if (json) {
    print(JSON.stringify({ user, link, expiresInSeconds }));
    return;
  }
  print(`${visible(user.name)} (${user.role}) is ${done}`);
  print(`${link} (once, within ${expiresInSeconds / 3600} hours)`);
}

function pathOf(name: string): string {
  return `${PATH}/${encodeURIComponent(name)}`;
}

function roleOption(): Option {
  return new Option("--role <role>", "what the person may").choices(ROLES);
}

const COLUMNS = [
  { title: "NAME", value: (user: User): string => visible(user.name) },
  { title: "ROLE", value: (user: User): string => user.role },
  { title: "STATE", value: (user: User): string => user.disabled ? "disabled" : "active" },
  { title: "SIGNS IN WITH", value: waysOf },
  { title: "LAST SEEN", value: (user: User): string => user.signedInAt ?? "never" },
];

function waysOf(user: User): string {
  const ways = [
    user.password ? "password" : "",
    user.totp ? "app" : "",
    user.passkeys > 0 ? `${user.passkeys} passkeys` : "",
  ].filter((way) => way !== "");
  return ways.length === 0 ? "nothing yet" : ways.join(", ");
}
