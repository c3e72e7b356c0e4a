import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FakeClock } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { type Action, type ApiObject, can, type Principal } from "./can.ts";
import {
  LOGIN_FAILURES_MAX,
  LOGIN_LINK_MS,
  LOGIN_LINKS_MAX,
  LOGIN_WINDOW_MS,
  Operators,
  SESSION_MS,
  SESSIONS_MAX,
} from "./operators.ts";
import { hashSecret, isSameHash, newSecret, SECRET_CHARACTERS } from "./secret.ts";
import { openOperatorToken, operatorTokenHash } from "./token_file.ts";

function setUp(): { clock: FakeClock; token: string; operators: Operators } {
  const clock = new FakeClock(1_700_000_000_000);
  const token = newSecret();
  return { clock, token, operators: new Operators({ tokenHash: hashSecret(token), clock }) };
}

function kindOf(operators: Operators, session: string): string {
  return operators.principal({ authorization: undefined, session }).kind;
}

function codeOf(act: () => unknown): string {
  return assertThrows(act, ImmuneError).code;
}

Deno.test("Operators takes the API token and nothing like it", () => {
  const { token, operators } = setUp();
  const kind = (authorization: string): string =>
    operators.principal({ authorization, session: undefined }).kind;
  assertEquals(kind(`Bearer ${token}`), "token");
  assertEquals(kind(`bearer  ${token} `), "token");
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => {
    if (text.trim() === token) return;
    assertEquals(codeOf(() => kind(`Bearer ${text}`)), "AUTH_REQUIRED");
    assertEquals(codeOf(() => kind(text)), "AUTH_REQUIRED");
  }));
});

Deno.test("Operators.signIn() takes a login code once", () => {
  const { operators } = setUp();
  const code = operators.addLoginCode();
  assertEquals(kindOf(operators, operators.signIn(code, "a")), "session");
  assertEquals(codeOf(() => operators.signIn(code, "a")), "AUTH_REQUIRED");
});

Deno.test("Operators.signIn() takes a login code until it expires", () => {
  const { clock, operators } = setUp();
  const [early, late] = [operators.addLoginCode(), operators.addLoginCode()];
  clock.advance(LOGIN_LINK_MS - 1);
  operators.signIn(early, "a");
  clock.advance(1);
  assertEquals(codeOf(() => operators.signIn(late, "a")), "AUTH_REQUIRED");
});

Deno.test("Operators.signIn() takes the API token, again and again", () => {
  const { token, operators } = setUp();
  assert(operators.signIn(token, "a") !== operators.signIn(token, "a"));
});

Deno.test("Operators.signIn() keeps only so many login codes, the newest", () => {
  const { operators } = setUp();
  const codes = Array.from({ length: LOGIN_LINKS_MAX + 1 }, () => operators.addLoginCode());
  assertEquals(codeOf(() => operators.signIn(codes[0] ?? "", "a")), "AUTH_REQUIRED");
  operators.signIn(codes[1] ?? "", "a");
});

Deno.test("Operators.signIn() makes a source wait that keeps failing, and no other one", () => {
  const { clock, operators } = setUp();
  const code = operators.addLoginCode();
  for (let i = 0; i < LOGIN_FAILURES_MAX; i++) {
    assertEquals(codeOf(() => operators.signIn(newSecret(), "a")), "AUTH_REQUIRED");
  }
  assertEquals(codeOf(() => operators.signIn(code, "a")), "RATE_LIMITED");
  operators.signIn(operators.addLoginCode(), "b");
  clock.advance(LOGIN_WINDOW_MS);
  // The code was not used up while its source had to wait.
  assertEquals(kindOf(operators, operators.signIn(code, "a")), "session");
});

Deno.test("Operators.principal() knows a session until it expires or ends", () => {
  const { clock, token, operators } = setUp();
  const [first, second] = [operators.signIn(token, "a"), operators.signIn(token, "a")];
  operators.signOut(first);
  assertEquals([kindOf(operators, first), kindOf(operators, second)], ["anonymous", "session"]);
  clock.advance(SESSION_MS - 1);
  assertEquals(kindOf(operators, second), "session");
  clock.advance(1);
  assertEquals(kindOf(operators, second), "anonymous");
});

Deno.test("Operators keeps only so many sessions, the newest", () => {
  const { token, operators } = setUp();
  const sessions = Array.from({ length: SESSIONS_MAX + 1 }, () => operators.signIn(token, "a"));
  assertEquals(kindOf(operators, sessions[0] ?? ""), "anonymous");
  assertEquals(kindOf(operators, sessions[1] ?? ""), "session");
});

Deno.test("can() lets each principal do what it is there for and nothing else", () => {
  const may = (kind: Principal["kind"], action: Action, object: ApiObject): boolean =>
    can({ kind }, action, object);
  const readable: readonly ApiObject[] = [
    "status",
    "agents",
    "alerts",
    "events",
    "stats",
    "metrics",
    "description",
  ];
  for (const object of readable) {
    assertEquals([may("anonymous", "read", object), object], [false, object]);
    assert(may("token", "read", object) && may("session", "read", object));
    assert(!may("session", "create", object) && !may("token", "end", object));
  }
  assert(may("anonymous", "read", "health") && !may("anonymous", "read", "console"));
  assert(may("session", "read", "console") && !may("token", "read", "console"));
  for (const object of ["login_link", "enroll_token"] as const) {
    assert(may("token", "create", object));
    assert(!may("session", "create", object) && !may("anonymous", "create", object));
  }
});

Deno.test("newSecret() gives 256 bits in 43 characters, another one each time", () => {
  const secrets = Array.from({ length: 100 }, newSecret);
  assertEquals(new Set(secrets).size, 100);
  for (const secret of secrets) {
    assert(/^[\w-]+$/.test(secret) && secret.length === SECRET_CHARACTERS);
  }
});

Deno.test("isSameHash() compares whole hashes", () => {
  const hash = hashSecret("a");
  assertEquals(hash, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
  assert(isSameHash(hash, hash));
  assert(!isSameHash(hash, hashSecret("b")));
  assert(!isSameHash(hash, hash.slice(1)) && !isSameHash(hash, ""));
});

Deno.test("openOperatorToken() makes a token once, for its owner alone", async () => {
  const folder = await Deno.makeTempDir();
  const token = openOperatorToken(folder);
  assertEquals(openOperatorToken(folder), token);
  assertEquals(operatorTokenHash(folder), hashSecret(token));
  assertEquals((await Deno.stat(`${folder}/operator.token`)).mode, 0o100600);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openOperatorToken() says what is wrong with a damaged or unreadable one", async () => {
  const folder = await Deno.makeTempDir();
  for (const text of ["", "short\n", "a".repeat(42) + "!"]) {
    await Deno.writeTextFile(`${folder}/operator.token`, text);
    assertEquals(codeOf(() => openOperatorToken(folder)), "STATE_UNUSABLE");
  }
  assertEquals(codeOf(() => openOperatorToken(`${folder}/none`)), "STATE_UNUSABLE");
  await Deno.remove(folder, { recursive: true });
});
