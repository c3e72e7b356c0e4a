import { openTestHive, type TestHive } from "../../../hive/api/_test_support.ts";
import { LOGIN_FAILURES_MAX } from "../../../hive/operators/mod.ts";
import { type FuzzSubject, type FuzzTarget, serverFault } from "../target.ts";

/** A route that takes a body, and who asks. */
interface Door {
  readonly method: string;
  readonly path: string;
  readonly type: "json" | "form";
  readonly by: "nobody" | "token" | "session";
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

const FORMS: readonly (readonly [path: string, fields: Readonly<Record<string, string>>])[] = [
  ["/login", { code: "x" }],
  ["/login/password", { name: "ada", password: "", totp: "123456" }],
  ["/account/totp/confirm", { setup: "x", code: "123456" }],
  ["/account/tokens", { name: "ci", role: "viewer", expires: "1d" }],
  ["/account/tokens/revoke", { id: crypto.randomUUID() }],
  ["/account/passkeys/remove", { id: "x" }],
  ["/users", { name: "bob", role: "viewer" }],
  ["/users/ada/role", { role: "admin" }],
  ["/users/ada/switch", { disabled: "false" }],
];
const CREDENTIAL = {
  id: "AAAA",
  rawId: "AAAA",
  type: "public-key",
  clientExtensionResults: {},
};
const CLIENT_DATA = btoa(JSON.stringify({ type: "webauthn.get", challenge: "AAAA", origin: "x" }));
const PASSKEYS: readonly (readonly [path: string, body: unknown])[] = [
  ["/login/passkey", {
    credential: {
      ...CREDENTIAL,
      response: {
        clientDataJSON: CLIENT_DATA,
        authenticatorData: "AAAA",
        signature: "AAAA",
        userHandle: "AAAA",
      },
    },
  }],
  ["/account/passkeys", {
    name: "x",
    credential: {
      ...CREDENTIAL,
      response: { clientDataJSON: CLIENT_DATA, attestationObject: "o2NmbXRkbm9uZQ" },
    },
  }],
];

/** An address that has to wait: hashing passwords is slow on purpose, and not what is fuzzed. */
const WAITING = "10.0.0.1";
/** Inputs after which that address is made to wait again: others push it out. */
const INPUTS_PER_LIMIT = 500;
/** Inputs between two sessions that are made anew: some end them. */
const INPUTS_PER_HIVE = 2000;

/**
 * Every body that the operators' port takes: those of the API by its own description, the forms and
 * the passkeys by hand. The first byte of an input chooses the door, the rest is the body.
 */
export const target: FuzzTarget = { open };

async function open(): Promise<FuzzSubject> {
  let hive = await openTestHive();
  let session = await signedIn(hive);
  const { doors, bodies } = await doorsOf(hive);
  let inputs = 0;
  return {
    seeds: bodies.map((body, i) => Uint8Array.from([i, ...new TextEncoder().encode(body)])),
    async feed(input): Promise<string | undefined> {
      if (++inputs % INPUTS_PER_HIVE === 0) {
        await hive[Symbol.asyncDispose]();
        hive = await openTestHive();
        session = await signedIn(hive);
      }
      if (inputs % INPUTS_PER_LIMIT === 1) await exhaust(hive);
      const door = doors[(input[0] ?? 0) % doors.length];
      if (door === undefined) return "there is no door";
      const body = input.slice(1);
      return await serverFault(await knock(hive, door, { session, body, number: inputs }));
    },
    [Symbol.asyncDispose]: () => hive[Symbol.asyncDispose](),
  };
}

async function signedIn(hive: TestHive): Promise<string> {
  const owner = { kind: "token" } as const;
  const { id } = await hive.operators.people.add(owner, { name: "ada", role: "admin" });
  return hive.operators.sessions.start(id);
}

async function knock(
  hive: TestHive,
  { method, path, type, by }: Door,
  { session, body, number }: {
    readonly session: string;
    readonly body: Uint8Array<ArrayBuffer>;
    readonly number: number;
  },
): Promise<Response> {
  // All others come from ever new addresses, so that what is behind the limit is reached.
  const hostname = path === "/login/password"
    ? WAITING
    : `10.1.${number >> 8 & 255}.${number & 255}`;
  const types = { json: "application/json", form: "application/x-www-form-urlencoded" };
  return await hive.api.request(path, {
    method: method.toUpperCase(),
    headers: {
      "content-type": types[type],
      origin: "http://localhost",
      accept: body.length % 2 === 0 ? "text/html" : "application/json",
      ...(by === "token" ? { authorization: `Bearer ${hive.token}` } : {}),
      ...(by === "session" ? { cookie: `immune_session=${session}` } : {}),
    },
    body,
  }, { remoteAddr: { transport: "tcp", hostname } });
}

async function exhaust({ operators }: TestHive): Promise<void> {
  for (let i = 0; i < LOGIN_FAILURES_MAX; i++) {
    await operators.signIn("wrong", WAITING).catch(() => {});
  }
}

/** Each door with a body that it would take. */
async function doorsOf(hive: TestHive): Promise<{ doors: Door[]; bodies: string[] }> {
  const doors: Door[] = [];
  const bodies: string[] = [];
  const { paths } = await (await hive.get("/api/v1/openapi.json")).json();
  for (const [path, methods] of Object.entries(paths as Record<string, object>)) {
    for (const [method, route] of Object.entries(methods)) {
      const schema: Schema | undefined = route.requestBody?.content["application/json"]?.schema;
      if (schema === undefined) continue;
      doors.push({ method, path: path.replace("{id}", "ada"), type: "json", by: "token" });
      bodies.push(JSON.stringify(sample(schema)));
    }
  }
  for (const [path, fields] of FORMS) {
    doors.push({ method: "post", path, type: "form", by: by(path) });
    bodies.push(new URLSearchParams(fields).toString());
  }
  for (const [path, body] of PASSKEYS) {
    doors.push({ method: "post", path, type: "json", by: by(path) });
    bodies.push(JSON.stringify(body));
  }
  return { doors, bodies };
}

function by(path: string): Door["by"] {
  return path.startsWith("/login") ? "nobody" : "session";
}

/** A value that a schema takes, as far as its description says. */
function sample(schema: Schema): unknown {
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.anyOf !== undefined) return sample(schema.anyOf[0] ?? {});
  const type = typeof schema.type === "string" ? schema.type : schema.type?.[0];
  switch (type) {
    case "object":
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, member]) => [name, sample(member)]),
      );
    case "array":
      return [sample(schema.items ?? {})];
    case "boolean":
      return false;
    case "integer":
    case "number":
      return 1;
    default:
      return "30d";
  }
}
