import { assert, assertEquals } from "@std/assert";
import { type Role, ROLES } from "../../hive/operators/mod.ts";
import { onHive, type Target } from "./_browser.ts";
import { told } from "./table.ts";

/** Least role of every route of the API, by hand: what the code's own table has to agree with. */
const LEAST: Readonly<Record<string, Role | "host">> = {
  "get /api/v1/status": "viewer",
  "get /api/v1/agents": "viewer",
  "get /api/v1/alerts": "viewer",
  "get /api/v1/alerts/{id}": "viewer",
  "get /api/v1/events": "viewer",
  "get /api/v1/stats": "viewer",
  "get /api/v1/tokens": "viewer",
  "post /api/v1/tokens": "viewer",
  "delete /api/v1/tokens/{id}": "viewer",
  "get /api/v1/approvals": "analyst",
  "post /api/v1/approvals/{id}/approve": "responder",
  "post /api/v1/approvals/{id}/deny": "responder",
  "get /api/v1/audit": "analyst",
  "get /api/v1/audit/report": "analyst",
  "get /api/v1/users": "admin",
  "post /api/v1/users": "admin",
  "patch /api/v1/users/{id}": "admin",
  "post /api/v1/users/{id}/reset": "admin",
  "post /api/v1/enroll-tokens": "admin",
  "get /api/v1/ca": "viewer",
  "post /api/v1/ca/rotate": "admin",
  "post /api/v1/ca/certificates": "admin",
  "post /api/v1/agents/revoke": "responder",
  "get /api/v1/enrolments": "analyst",
  "post /api/v1/enrolments/{id}": "responder",
  "delete /api/v1/enroll-tokens/{id}": "admin",
  "get /api/v1/herd/agents": "viewer",
  "post /api/v1/herd/agents/{id}/suspect": "responder",
  "post /api/v1/herd/agents/{id}/clear": "responder",
  "post /api/v1/herd/agents/{id}/blacklist": "admin",
  "post /api/v1/herd/genesis": "admin",
  "get /api/v1/herd/antibodies": "viewer",
  "post /api/v1/herd/antibodies": "analyst",
  "post /api/v1/herd/antibodies/{id}/approve": "analyst",
  "post /api/v1/herd/antibodies/{id}/confirm": "analyst",
  "post /api/v1/herd/antibodies/{id}/pull": "analyst",
  "post /api/v1/alerts/{id}/verdict": "analyst",
  "get /api/v1/directives": "viewer",
  "get /api/v1/directives/{stream}/{number}": "viewer",
  "post /api/v1/directives": "responder",
  "post /api/v1/rule-packs": "responder",
  "get /api/v1/rule-packs/{pack}": "viewer",
  "post /api/v1/directive-key/rotate": "admin",
  "get /api/v1/kill-switch": "viewer",
  "put /api/v1/kill-switch": "admin",
  "post /api/v1/kill-switch/stops": "responder",
  "post /api/v1/login-links": "host",
};
/** Pages of the console. */
const PAGES: Readonly<Record<string, Role>> = {
  "get /": "viewer",
  "get /overview": "viewer",
  "get /account": "viewer",
  "get /directives": "viewer",
  "get /directives/{stream}/{number}": "viewer",
  "get /kill-switch": "viewer",
  "get /approvals": "analyst",
  "get /audit": "analyst",
  "get /users": "admin",
  "post /users": "admin",
  "post /users/{id}/role": "admin",
  "post /users/{id}/switch": "admin",
  "post /users/{id}/reset": "admin",
  "post /approvals/{id}/approve": "responder",
  "post /approvals/{id}/deny": "responder",
};
const ID = "00000000-0000-4000-8000-000000000000";

type Caller = (route: string) => Promise<string>;

/** Sends a request without a body: who may not hears so before anything else. */
function asked(route: string): { readonly path: string; readonly method: string } {
  const [method = "", path = ""] = route.split(" ");
  return {
    path: path.replace(/\{(?:id|stream)\}/, ID).replace("{number}", "1").replace(
      "{pack}",
      "0".repeat(64),
    ),
    method: method.toUpperCase(),
  };
}

async function byToken({ hive, send }: Target, role: Role): Promise<Caller> {
  const account = await hive.operators.people.add({ kind: "token" }, { name: `t-${role}`, role });
  const options = { name: "x", role, lifetimeMs: 60_000 };
  const { text } = await hive.operators.tokens.add(account, options);
  return async (route) => {
    const { path, method } = asked(route);
    const headers = { authorization: `Bearer ${text}` };
    return await told(await send(path, { method, headers }));
  };
}

async function bySession({ hive, send }: Target, role: Role): Promise<Caller> {
  const { id } = await hive.operators.people.add({ kind: "token" }, { name: `s-${role}`, role });
  const session = hive.operators.sessions.start(id);
  return async (route) => {
    const { path, method } = asked(route);
    return await told(await send(path, { method, session }));
  };
}

function mayNot(role: Role, least: Role | "host"): boolean {
  return least === "host" || ROLES.indexOf(role) < ROLES.indexOf(least);
}

Deno.test("attack on roles: every route of the API is in the table that is written by hand", () =>
  onHive(async ({ hive }) => {
    const { paths } = await (await hive.get("/api/v1/openapi.json")).json();
    const routes = Object.entries(paths as Record<string, object>)
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    assertEquals(routes.filter((route) => !(route in LEAST)), []);
  }));

for (const role of ROLES) {
  Deno.test(`attack on roles: ${role} calls every route, as a program and in a browser`, () =>
    onHive(async (target) => {
      const [program, browser] = [await byToken(target, role), await bySession(target, role)];
      for (const [route, least] of Object.entries(LEAST)) {
        for (const call of [program, browser]) {
          const heard = await call(route);
          // What a role may is answered, if only with the word that there is no such object.
          const isOwnTokens = route === "post /api/v1/tokens";
          if (mayNot(role, least)) assertEquals([route, heard], [route, "403 FORBIDDEN"]);
          else assert(isOwnTokens || !/^(401|5)|FORBIDDEN$/.test(heard), `${route}: ${heard}`);
        }
      }
      for (const [route, least] of Object.entries(PAGES)) {
        assertEquals([route, await program(route)], [route, "403 FORBIDDEN"]);
        const heard = await browser(route);
        if (mayNot(role, least)) assertEquals([route, heard], [route, "403 FORBIDDEN"]);
        else assert(!/^(401|5)|FORBIDDEN$/.test(heard), `${route}: ${heard}`);
      }
    }));
}

Deno.test("attack on roles: nobody calls every route without credentials", () =>
  onHive(async ({ send }) => {
    for (const route of [...Object.keys(LEAST), ...Object.keys(PAGES)]) {
      const { path, method } = asked(route);
      const heard = await told(await send(path, { method }));
      const isPage = route in PAGES;
      assert(
        heard === "401 AUTH_REQUIRED" || (isPage && heard.startsWith("303")),
        `${route} ${heard}`,
      );
    }
  }));
