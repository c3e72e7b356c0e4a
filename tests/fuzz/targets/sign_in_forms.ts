import { openTestHive, type TestHive } from "../../../hive/api/_test_support.ts";
import { LOCK_MS_MAX, PasswordHasher } from "../../../hive/operators/mod.ts";
import { type FuzzSubject, type FuzzTarget, serverFault } from "../target.ts";

const PASSWORD = "correct horse battery staple";
/** The real hash with a small cost: what is fuzzed is what stands around it. */
const hasher = new PasswordHasher({ ln: 4, r: 8, p: 1 });
/** Inputs after which the hive is made anew: what signs in fills its log. */
const INPUTS_PER_HIVE = 20_000;
/** Where the parts of a form in parts end. */
const BOUNDARY = "immune-fuzz";

/** A form that people fill in. */
interface Form {
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  /** True when somebody who is signed in fills it in. */
  readonly isOwn: boolean;
}

const FORMS: readonly Form[] = [
  { path: "/login", fields: { code: "x".repeat(43) }, isOwn: false },
  { path: "/login/password", fields: { name: "ada", password: PASSWORD, totp: "" }, isOwn: false },
  { path: "/login/password", fields: { name: "eve", password: "x", totp: "123456" }, isOwn: false },
  { path: "/account/password", fields: { current: PASSWORD, password: PASSWORD }, isOwn: true },
  { path: "/account/totp/confirm", fields: { setup: "x", code: "123456" }, isOwn: true },
];

/**
 * The forms by which people sign in and change what they sign in with, with no limit in the way:
 * each input comes from another address, when every lock is over. Nobody comes in but by the right
 * password. The first byte of an input chooses form and encoding, the rest is the body.
 */
export const target: FuzzTarget = { open };

async function open(): Promise<FuzzSubject> {
  let made = await withAda();
  let inputs = 0;
  return {
    seeds: FORMS.flatMap(({ fields }, i) => [
      Uint8Array.from([2 * i, ...UTF8.encode(new URLSearchParams(fields).toString())]),
      Uint8Array.from([2 * i + 1, ...UTF8.encode(inParts(fields))]),
    ]),
    async feed(input): Promise<string | undefined> {
      if (++inputs % INPUTS_PER_HIVE === 0) {
        await made.hive[Symbol.asyncDispose]();
        made = await withAda();
      }
      const { hive, ada, password } = made;
      hive.clock.advance(LOCK_MS_MAX);
      const choice = (input[0] ?? 0) % (2 * FORMS.length);
      const form = FORMS[choice >> 1];
      if (form === undefined) return "there is no form";
      const { path, isOwn } = form;
      const body = input.slice(1);
      const type = choice % 2 === 0
        ? "application/x-www-form-urlencoded"
        : `multipart/form-data; boundary=${BOUNDARY}`;
      const hostname = `10.${inputs >> 16 & 255}.${inputs >> 8 & 255}.${inputs & 255}`;
      const response = await hive.api.request(path, {
        method: "POST",
        headers: {
          "content-type": type,
          origin: "http://localhost",
          accept: body.length % 2 === 0 ? "text/html" : "application/json",
          ...(isOwn ? { cookie: `immune_session=${hive.operators.sessions.start(ada)}` } : {}),
        },
        body,
      }, { remoteAddr: { transport: "tcp", hostname } });
      const isIn = !isOwn && response.headers.has("set-cookie");
      const isChanged = isOwn && await changedBack(hive, { id: ada, password });
      return await serverFault(response) ??
        (isIn && !hasPassword(body) ? "somebody came in without the password" : undefined) ??
        (isChanged && !hasPassword(body) ? "the password changed without the old one" : undefined);
    },
    [Symbol.asyncDispose]: () => made.hive[Symbol.asyncDispose](),
  };
}

interface Made {
  readonly hive: TestHive;
  /** Id of the account. */
  readonly ada: string;
  /** Hash of its password. */
  readonly password: string;
}

/** A hive with the account "ada", which has a password. */
async function withAda(): Promise<Made> {
  const hive = await openTestHive({}, { hasher });
  const { id } = await hive.operators.accounts.add({ name: "ada", role: "viewer" });
  const password = await hasher.hash(PASSWORD);
  await hive.operators.accounts.change(id, (account) => ({ ...account, password }));
  return { hive, ada: id, password };
}

/** Gives an account its password back; whether it had another one. */
async function changedBack(
  hive: TestHive,
  { id, password }: { readonly id: string; readonly password: string },
): Promise<boolean> {
  const changed = await hive.operators.accounts.change(
    id,
    (account) => account.password === password ? undefined : { ...account, password },
  );
  return changed !== undefined;
}

/** Whether the right password stands anywhere in a form, in whichever encoding. */
function hasPassword(body: Uint8Array): boolean {
  const text = new TextDecoder().decode(body);
  const values = [...new URLSearchParams(text).values()];
  return text.includes(PASSWORD) || values.some((value) => value.normalize("NFC") === PASSWORD);
}

function inParts(fields: Readonly<Record<string, string>>): string {
  const parts = Object.entries(fields).map(([name, value]) =>
    `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  );
  return `${parts.join("")}--${BOUNDARY}--\r\n`;
}

const UTF8 = new TextEncoder();
