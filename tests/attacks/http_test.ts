import { BODY_BYTES_MAX } from "../../hive/api/mod.ts";
import { BODY_MS_MAX } from "../../hive/api/whole_body.ts";
import { onHive, type Target } from "./_browser.ts";
import { type Attack, attackTable, told } from "./table.ts";

function bearer(text: string): { readonly headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${text}` } };
}

/** An API token of ada's, for a day. */
async function tokenOf({ hive }: Target): Promise<{ readonly text: string; readonly id: string }> {
  const account = await hive.operators.accounts.known("ada");
  const { text, token } = await hive.operators.tokens.add(account, {
    name: "x",
    role: "viewer",
    lifetimeMs: 86_400_000,
  });
  return { text, id: token.id };
}

async function whereTo(target: Target, path: string): Promise<string> {
  const response = await target.send(path, { headers: { accept: "text/html" } });
  return `${response.status} ${response.headers.get("location") ?? "nowhere"}`;
}

const TOKENS: readonly Attack<Target>[] = [
  {
    tries: "an API token that has expired",
    refused: "401 AUTH_REQUIRED",
    attempt: async (target) => {
      const { text } = await tokenOf(target);
      target.hive.clock.advance(86_400_000);
      return await target.hears("/api/v1/status", bearer(text));
    },
  },
  {
    tries: "an API token that was revoked",
    refused: "401 AUTH_REQUIRED",
    attempt: async (target) => {
      const { text, id } = await tokenOf(target);
      await target.hive.operators.tokens.revoke(id);
      return await target.hears("/api/v1/status", bearer(text));
    },
  },
  {
    tries: "an API token that makes itself a longer one",
    refused: "403 FORBIDDEN",
    attempt: async (target) => {
      const { text } = await tokenOf(target);
      const json = { name: "y", role: "viewer", expires: "366d" };
      return await target.hears("/api/v1/tokens", { json, ...bearer(text) });
    },
  },
  {
    tries: "an API token in the place of a cookie",
    refused: "401 AUTH_REQUIRED",
    attempt: async (target) => {
      const { text } = await tokenOf(target);
      return await target.hears("/api/v1/status", { session: text });
    },
  },
  {
    tries: "a session in the place of an API token",
    refused: "401 AUTH_REQUIRED",
    attempt: ({ hears, session }) => hears("/api/v1/status", bearer(session)),
  },
  {
    tries: "the operator token in the query, where logs keep it",
    refused: "401 AUTH_REQUIRED",
    attempt: ({ hears, hive }) => hears(`/api/v1/status?access_token=${hive.token}`),
  },
  {
    tries: "an agent's certificate as a header on the operators' port",
    refused: "401 AUTH_REQUIRED",
    attempt: ({ hears }) =>
      hears("/api/v1/status", { headers: { "client-cert": ":MIIBIjANBgkq:" } }),
  },
];

const PATHS: readonly Attack<Target>[] = [
  ...[
    "/assets/../../etc/passwd",
    "/assets/..%2f..%2f..%2fetc%2fpasswd",
    "/assets/%2e%2e/%2e%2e/operator.token",
    "/assets/....//operator.token",
  ].map((path): Attack<Target> => ({
    tries: `a file outside by "${path}"`,
    refused: "404 NOT_FOUND",
    attempt: ({ hears }) => hears(path),
  })),
  {
    tries: "an account by a path in its name",
    refused: "400 INPUT_MALFORMED",
    attempt: ({ hears, hive }) =>
      hears("/api/v1/users/..%2f..%2fada", { method: "PATCH", json: {}, ...bearer(hive.token) }),
  },
  {
    tries: "a login link that leads to another site afterwards",
    refused: "303 /",
    attempt: (target) => {
      const code = target.hive.operators.addLoginCode();
      return whereTo(
        target,
        `/login?code=${code}&next=https://evil.example&redirect=//evil.example`,
      );
    },
  },
  {
    tries: "a path with two slashes that a browser takes for another host",
    refused: "404 nowhere",
    attempt: (target) => whereTo(target, "//evil.example/%2f.."),
  },
  {
    tries: "a login code with a line end and a header of its own",
    refused: "401, cookie null",
    attempt: async ({ send }) => {
      const { status, headers } = await send("/login?code=x%0d%0aSet-Cookie:%20immune_session=1");
      return `${status}, cookie ${headers.get("set-cookie")}`;
    },
  },
  {
    tries: "an account's name with a line end",
    refused: "400 INPUT_MALFORMED",
    attempt: ({ hears, hive }) => {
      const json = { name: "eve\r\nSet-Cookie: x=1", role: "admin" };
      return hears("/api/v1/users", { json, ...bearer(hive.token) });
    },
  },
  {
    tries: "an account's name that is a script, shown to an admin",
    refused: "400 without a code",
    attempt: async ({ send, session }) => {
      const fields = { name: "<script>alert(1)</script>", role: "viewer" };
      const response = await send("/users", { fields, session });
      return (await response.clone().text()).includes("<script>alert") ? "shown" : told(response);
    },
  },
];

const BODIES: readonly Attack<Target>[] = [
  {
    tries: "a body over the bound",
    refused: "400 INPUT_MALFORMED",
    attempt: ({ hears }) => hears("/login", { fields: { code: "x".repeat(BODY_BYTES_MAX) } }),
  },
  {
    tries: "a body over the bound that does not say how long it is",
    refused: /^400 /,
    attempt: async ({ hive }) => {
      const part = new Uint8Array(4096);
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull: (stream) => sent++ < 1000 ? stream.enqueue(part) : stream.close(),
      });
      const headers = { ...bearer(hive.token).headers, "content-type": "application/json" };
      return await told(await hive.api.request("/api/v1/users", { method: "POST", headers, body }));
    },
  },
  {
    tries: "a body that never ends",
    refused: "408 TOO_SLOW",
    attempt: async ({ hive }) => {
      const asked = Promise.withResolvers<void>();
      const body = new ReadableStream<Uint8Array>({
        start: (stream) => stream.enqueue(new TextEncoder().encode('{"name":')),
        pull: () => asked.resolve(),
      });
      const headers = { ...bearer(hive.token).headers, "content-type": "application/json" };
      const answer = hive.api.request("/api/v1/users", { method: "POST", headers, body });
      await asked.promise;
      hive.clock.advance(BODY_MS_MAX);
      return await told(await answer);
    },
  },
  {
    tries: "a body of another type than JSON",
    refused: /^40[03] /,
    attempt: ({ hears, hive }) =>
      hears("/api/v1/users", { fields: { name: "eve", role: "admin" }, ...bearer(hive.token) }),
  },
  {
    tries: "JSON that reaches into prototypes",
    refused: "400 INPUT_MALFORMED",
    attempt: ({ hears, hive }) => {
      const json = JSON.parse('{"__proto__":{"role":"admin"},"name":"eve"}');
      return hears("/api/v1/users", { json, ...bearer(hive.token) });
    },
  },
];

attackTable({ subject: "the operators' port", against: onHive }, [...TOKENS, ...PATHS, ...BODIES]);
