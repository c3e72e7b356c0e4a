import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import * as z from "zod";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow } from "../api/guards.ts";
import { LOGIN_PATH } from "../api/paths.ts";
import { type Account, INVITE_MS, ROLES } from "../operators/mod.ts";
import { Choice, Field } from "./field.tsx";
import { formOf } from "./form.ts";
import { moment, visible } from "./format.ts";
import { page } from "./page.tsx";

const addForm = z.object({ name: z.string().max(200), role: z.enum(ROLES) });
const roleForm = z.object({ role: z.enum(ROLES) });
const switchForm = z.object({ disabled: z.enum(["true", "false"]) });

interface News {
  readonly done?: string;
  readonly problem?: string;
  /** Link into an account, shown once, and whose. */
  readonly link?: { readonly name: string; readonly address: string };
}

type Act = (c: Context<ApiEnv>, account: Account) => Promise<News>;

/**
 * Adds the page of people's accounts.
 *
 * @param app Where to.
 * @param api What it works with.
 */
export function addUsersPage(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { people, accounts } = api.operators;
  const show = async (c: Context<ApiEnv>, work: () => Promise<News>): Promise<Response> => {
    let [news, status]: [News, number] = [{}, 200];
    try {
      news = await work();
    } catch (error) {
      if (!(error instanceof ImmuneError) || error.status >= 500) throw error;
      [news, status] = [{ problem: error.message }, error.status];
    }
    const children = <People users={await accounts.list()} news={news} />;
    const principal = c.get("principal");
    const html = page({ title: "People", principal, path: "/users", children });
    return c.html(html, status as 200);
  };
  const invited = (c: Context<ApiEnv>, account: Account): News => {
    const code = api.operators.addInvite(account);
    const address = new URL(`${LOGIN_PATH}?code=${code}`, c.req.url).href;
    return { link: { name: account.name, address } };
  };
  app.get("/users", allow("read", "users"), (c) => show(c, () => Promise.resolve({})));
  app.post("/users", allow("create", "users"), (c) =>
    show(c, async () => {
      const form = await formOf(c, addForm);
      return invited(c, await people.add(c.get("principal"), form));
    }));
  const acts: Readonly<Record<string, Act>> = {
    role: async (c, account) => await changeRole(c, api, { account, ...await formOf(c, roleForm) }),
    switch: async (c, account) => {
      const disabled = (await formOf(c, switchForm)).disabled === "true";
      await people.setDisabled(c.get("principal"), account, { disabled });
      return { done: `${account.name} is ${disabled ? "disabled" : "active"}` };
    },
    reset: async (c, account) => invited(c, await people.reset(c.get("principal"), account)),
  };
  for (const [path, act] of Object.entries(acts)) {
    app.post(
      `/users/:id/${path}`,
      allow("change", "users"),
      (c) => show(c, async () => act(c, await accounts.known(c.req.param("id") ?? ""))),
    );
  }
}

async function changeRole(
  c: Context<ApiEnv>,
  api: ApiContext,
  { account, role }: { readonly account: Account; readonly role: Account["role"] },
): Promise<News> {
  const principal = c.get("principal");
  if (!api.operators.takesTwo("user.role")) {
    await api.operators.people.setRole(principal, account, { role });
    return { done: `${account.name} is ${role}` };
  }
  await api.operators.approvals.ask(principal, {
    action: "user.role",
    object: `${account.name}: ${account.role} to ${role}`,
    payload: { account: account.id, role },
  });
  return { done: "Another person has to approve it" };
}

function People({ users, news }: {
  readonly users: readonly Account[];
  readonly news: News;
}): Child {
  const { done, problem, link } = news;
  return (
    <div class="detail">
      <h1>People</h1>
      {done !== undefined && <p class="done" role="status">{visible(done)}</p>}
      {problem !== undefined && <p class="problem" role="alert">{visible(problem)}</p>}
      {link !== undefined && (
        <section class="card" aria-labelledby="link-title">
          <h2 id="link-title">{`A link for ${visible(link.name)}`}</h2>
          <p class="muted">
            {`It opens the account once, within ${
              INVITE_MS / 3_600_000
            } hours, and is not shown again.`}
          </p>
          <code class="command">{link.address}</code>
        </section>
      )}
      {users.length === 0 ? <p class="card empty">No account yet.</p> : (
        <ul class="plain">
          {users.map((user) => <User key={user.id} user={user} />)}
        </ul>
      )}
      <section class="card" aria-labelledby="add-title">
        <h2 id="add-title">Add a person</h2>
        <form method="post" action="/users" class="stack">
          <Field name="name" label="Name" hint="Small letters, digits and . _ @ + -" />
          <Choice name="role" id="new-role" label="Role" values={ROLES} value="viewer" />
          <button type="submit">Add</button>
        </form>
      </section>
    </div>
  );
}

function User({ user }: { readonly user: Account }): Child {
  const { id, name, role, disabled } = user;
  const seen = user.signedInAt === null
    ? "never signed in"
    : `signed in ${moment(user.signedInAt)}`;
  return (
    <li class="card user" id={`user-${name}`}>
      <div class="row">
        <h2>{name}</h2>
        <span class={`state ${disabled ? "state-revoked" : "state-online"}`}>
          {disabled ? "disabled" : "active"}
        </span>
      </div>
      <p class="note">{`${waysOf(user)} · ${seen}`}</p>
      <div class="acts">
        <form method="post" action={`/users/${id}/role`}>
          <Choice
            name="role"
            id={`role-${id}`}
            label={`Role of ${name}`}
            values={ROLES}
            value={role}
            isHidden
          />
          <Act name="Set role" of={name} />
        </form>
        <form method="post" action={`/users/${id}/switch`}>
          <input type="hidden" name="disabled" value={String(!disabled)} />
          <Act name={disabled ? "Enable" : "Disable"} of={name} />
        </form>
        <form method="post" action={`/users/${id}/reset`}>
          <Act name="Reset" of={name} />
        </form>
      </div>
    </li>
  );
}

function Act({ name, of }: { readonly name: string; readonly of: string }): Child {
  return (
    <button class="quiet" type="submit">
      {name}
      <span class="hidden">{` ${of}`}</span>
    </button>
  );
}

function waysOf({ password, totp, passkeys, oidcSubject }: Account): string {
  const ways = [
    password === null ? "" : "password",
    totp === null ? "" : "authenticator app",
    passkeys.length === 0 ? "" : `${passkeys.length} passkeys`,
    oidcSubject === null ? "" : "OpenID",
  ].filter((way) => way !== "");
  return ways.length === 0 ? "cannot sign in yet" : ways.join(", ");
}
