import { EnrolmentClient } from "../../agent/enrol/enrolment_client.ts";
import { FakeClock } from "../../common/config/mod.ts";
import { DIFFICULTY_MAX, solveChallenge } from "../../common/keys/proof_of_work.ts";
import { decodeToken, encodeToken } from "../../common/link/mod.ts";
import {
  challengeSchema,
  ENROLL_BYTES_MAX,
  type EnrollmentToken,
  ROUTES,
} from "../../common/link/protocol.ts";
import {
  EASY_BITS,
  type Enrolling,
  solutionOf,
  solvedRequest,
} from "../../hive/fleet/_test_support.ts";
import {
  CHALLENGE_MS,
  Challenges,
  createEnrolment,
  type EnrolmentListener,
  makeToken,
  PendingEnrolments,
  secretHash,
  serveEnrolment,
  TOKEN_LIFETIME_MS,
  type TokenOptions,
  TrustKeeper,
} from "../../hive/fleet/mod.ts";
import { SqliteStore } from "../../hive/store/mod.ts";
import { inFolder, makeRequest, requestWith } from "../../hive/trust/_test_support.ts";
import { BasicConstraintsExtension, X509Certificate } from "../../hive/trust/x509.ts";
import { brokenSignature, requestOf } from "../support/requests.ts";
import { type Attack, attackTable, thrownBy, told } from "./table.ts";

const HOST = { hostId: "0d".repeat(32), hostName: "gpu-1" };

/** A hive that enrols, over real TLS, with its clock in hand. */
interface Scene {
  readonly clock: FakeClock;
  readonly store: SqliteStore;
  readonly trust: TrustKeeper;
  readonly pending: PendingEnrolments;
  readonly listener: EnrolmentListener;
  token(options?: Partial<TokenOptions>): Promise<EnrollmentToken>;
  request(path: string, init: RequestInit): Promise<Response>;
}

async function against(attack: (scene: Scene) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const clock = new FakeClock(Date.now());
    using trust = await TrustKeeper.open(folder, { clock });
    const store = new SqliteStore(`${folder}/store.db`, { clock });
    const { authority, server } = trust;
    const pending = new PendingEnrolments({ store, authority, clock });
    const challenges = new Challenges({ clock, difficultyMin: EASY_BITS });
    const { app } = createEnrolment({ store, authority, pending, challenges, clock });
    const listener = serveEnrolment((request) => app.fetch(request), {
      hostname: "127.0.0.1",
      port: 0,
      certificatePem: server.certificatePem,
      keyPem: server.keyPem,
    });
    using client = Deno.createHttpClient({ caCerts: [server.certificatePem] });
    const address = `127.0.0.1:${listener.port}`;
    await attack({
      clock,
      store,
      trust,
      pending,
      listener,
      token: async (options = {}) => {
        const places = { enroll: address, agents: "hive:9998", pins: server.pins };
        return decodeToken((await makeToken(store, { ...places, clock, ...options })).text);
      },
      request: async (path, init) => {
        const answer = await fetch(`https://${address}${path}`, { ...init, client });
        return new Response(await answer.text(), { status: answer.status });
      },
    });
    await listener.stop();
    await store.close();
  });
}

function post(scene: Scene, body: unknown, path: string = ROUTES.enroll): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return scene.request(path, { method: "POST", body: text });
}

/** A request with a key of its own, and its work done. */
async function solved(
  scene: Scene,
  asked: Partial<Enrolling> & { readonly secret: string },
): Promise<Awaited<ReturnType<typeof solvedRequest>>> {
  const { request } = await makeRequest();
  return await solvedRequest(scene, { request, ...HOST, ...asked });
}

async function enrol(
  scene: Scene,
  asked: Partial<Enrolling> & { readonly secret: string },
): Promise<string> {
  return await told(await post(scene, await solved(scene, asked)));
}

/** How many of some answers were good, and what the others said. */
async function outcome(answers: readonly Response[]): Promise<string> {
  const all = await Promise.all(answers.map(told));
  const good = all.filter((each) => each.startsWith("200")).length;
  return `${good} of ${all.length}, else ${
    [...new Set(all.slice().sort().slice(good))].join(", ")
  }`;
}

const TOKENS: readonly Attack<Scene>[] = [
  {
    tries: "a token that nobody made",
    refused: "403 TOKEN_INVALID",
    attempt: (scene) => enrol(scene, { secret: "A".repeat(43) }),
  },
  {
    tries: "a token a second time",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      await enrol(scene, { secret });
      return await enrol(scene, { secret });
    },
  },
  {
    tries: "a token twice at the same instant",
    refused: "1 of 2, else 403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      const [one, two] = [await solved(scene, { secret }), await solved(scene, { secret })];
      return await outcome(await Promise.all([post(scene, one), post(scene, two)]));
    },
  },
  {
    tries: "a token of three uses eight times at the same instant",
    refused: "3 of 8, else 403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ uses: 3 });
      const bodies = await Promise.all(
        Array.from({ length: 8 }, () => solved(scene, { secret })),
      );
      return await outcome(await Promise.all(bodies.map((body) => post(scene, body))));
    },
  },
  {
    tries: "a token that has expired",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      scene.clock.advance(TOKEN_LIFETIME_MS + 1);
      return await enrol(scene, { secret });
    },
  },
  {
    tries: "a token that was withdrawn",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ uses: 9 });
      await scene.store.removeToken(secretHash(secret));
      return await enrol(scene, { secret });
    },
  },
  {
    tries: "a token for another host",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ hostId: "0e".repeat(32) });
      return await enrol(scene, { secret });
    },
  },
  {
    tries: "a token for a host of another name",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ hostName: "gpu-2" });
      return await enrol(scene, { secret });
    },
  },
  {
    tries: "the hash of a token that the store keeps, instead of its secret",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      const hash = Uint8Array.fromHex(secretHash(secret));
      return await enrol(scene, {
        secret: hash.toBase64({ alphabet: "base64url", omitPadding: true }),
      });
    },
  },
  {
    tries: "a token that asks for an operator, without one",
    refused: "202 without a code",
    attempt: async (scene) => {
      const { secret } = await scene.token({ approval: true });
      return await enrol(scene, { secret });
    },
  },
];

const CHALLENGES: readonly Attack<Scene>[] = [
  {
    tries: "a solved challenge a second time",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ uses: 2 });
      const body = await solved(scene, { secret });
      await post(scene, body);
      return await told(await post(scene, body));
    },
  },
  {
    tries: "a solved challenge twice at the same instant",
    refused: "1 of 2, else 403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ uses: 2 });
      const body = await solved(scene, { secret });
      return await outcome(await Promise.all([post(scene, body), post(scene, body)]));
    },
  },
  {
    tries: "a challenge that was solved for another key",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      const { request } = await makeRequest();
      return await told(await post(scene, { ...await solved(scene, { secret }), request }));
    },
  },
  {
    tries: "a challenge that was solved for another token",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const [one, two] = [await scene.token(), await scene.token()];
      const body = await solved(scene, { secret: one.secret });
      return await told(await post(scene, { ...body, secret: two.secret }));
    },
  },
  {
    tries: "a challenge that has expired",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const body = await solved(scene, { secret: (await scene.token()).secret });
      scene.clock.advance(CHALLENGE_MS);
      return await told(await post(scene, body));
    },
  },
  {
    tries: "a challenge that is not solved",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const body = await solved(scene, { secret: (await scene.token()).secret });
      const wrong = Array.from({ length: 64 }, (_, i) => i)
        .map((i) => {
          const bytes = Uint8Array.from([255, i, 0, 0, 0, 0, 0, 0]);
          return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
        });
      // One in 16 would hold by chance.
      const answers = [];
      for (const solution of wrong.slice(0, 3)) {
        answers.push(await told(await post(scene, { ...body, solution })));
      }
      return answers.find((each) => each !== "200 without a code") ?? "enrolled";
    },
  },
  {
    tries: "a challenge made easier",
    refused: "403 CHALLENGE_INVALID",
    attempt: (scene) => tampered(scene, (bytes) => bytes[0] = 0),
  },
  {
    tries: "a challenge made to last longer",
    refused: "403 CHALLENGE_INVALID",
    attempt: (scene) => tampered(scene, (bytes) => bytes[1] = 1),
  },
  {
    tries: "a challenge with another nonce",
    refused: "403 CHALLENGE_INVALID",
    attempt: (scene) => tampered(scene, (bytes) => bytes[9] = (bytes[9] ?? 0) ^ 1),
  },
  {
    tries: "a challenge of another hive",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const body = await solved(scene, { secret: (await scene.token()).secret });
      let seen = "";
      await against(async (other) => {
        const { challenge, solution } = await solvedRequest(other, body);
        seen = await told(await post(scene, { ...body, challenge, solution }));
      });
      return seen;
    },
  },
  {
    tries: "no challenge",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) => {
      const { challenge: _, solution: __, ...rest } = await solved(scene, {
        secret: (await scene.token()).secret,
      });
      return await told(await post(scene, rest));
    },
  },
];

/** A challenge that was changed and solved. */
async function tampered(scene: Scene, change: (bytes: Uint8Array) => void): Promise<string> {
  const body = await solved(scene, { secret: (await scene.token()).secret });
  const bytes = Uint8Array.fromBase64(body.challenge, { alphabet: "base64url" });
  change(bytes);
  const challenge = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  return await told(
    await post(scene, { ...body, challenge, solution: solutionOf(challenge, EASY_BITS) }),
  );
}

const REQUESTS: readonly Attack<Scene>[] = [
  {
    tries: "a request that names another agent and asks for an authority's rights",
    refused: "own name, no authority",
    attempt: async (scene) => {
      const other = crypto.randomUUID();
      const { request } = await requestWith({
        name: `CN=${other}`,
        names: [{ type: "url", value: `urn:uuid:${other}` }, { type: "dns", value: "hive" }],
        extensions: [new BasicConstraintsExtension(true)],
      });
      const body = await solved(scene, { secret: (await scene.token()).secret, request });
      const { agentId, certificate } = await (await post(scene, body)).json();
      const read = new X509Certificate(certificate);
      const own = read.subject === `CN=${agentId}` && !read.toString("text").includes(other);
      const plain = read.getExtension(BasicConstraintsExtension)?.ca === false;
      return `${own ? "own" : "another"} name, ${plain ? "no" : "an"} authority`;
    },
  },
  ...([
    ["an RSA key of 1,024 bits", ["-newkey", "rsa:1024"]],
    ["an RSA key", ["-newkey", "rsa:2048"]],
    ["a key on another curve", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
    ["an Ed25519 key", ["-newkey", "ed25519"]],
  ] as const).map(([what, args]): Attack<Scene> => ({
    tries: `a request for ${what}`,
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      return await enrol(scene, { secret, request: await requestOf(args) });
    },
  })),
  {
    tries: "a request that its key did not sign",
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      const request = brokenSignature((await makeRequest()).request);
      return await enrol(scene, { secret, request });
    },
  },
  {
    tries: "a certificate instead of a request",
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const body = await solved(scene, { secret: (await scene.token()).secret });
      const request = scene.trust.authority.certificatePem;
      return await told(await post(scene, { ...body, request }));
    },
  },
];

const WIRE: readonly Attack<Scene>[] = [
  {
    tries: "a body over the bound",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) => await told(await post(scene, " ".repeat(ENROLL_BYTES_MAX + 1))),
  },
  {
    tries: "a member that is not asked for",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) => {
      const body = await solved(scene, { secret: (await scene.token()).secret });
      return await told(await post(scene, { ...body, agentId: crypto.randomUUID() }));
    },
  },
  {
    tries: "a host name with a terminal's control characters",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) =>
      await enrol(scene, { secret: (await scene.token()).secret, hostName: "a\u001b[2Jb" }),
  },
  {
    tries: "JSON that would change prototypes",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) =>
      await told(await post(scene, '{"__proto__":{"secret":"x"},"constructor":{}}')),
  },
  ...["/v1/batches", "/api/v1/status", "/v1/enroll/../../ca.key", "/v1/renew"].map((
    path,
  ): Attack<Scene> => ({
    tries: `the path ${path}`,
    refused: "404 NOT_FOUND",
    attempt: async (scene) => await told(await post(scene, {}, path)),
  })),
  {
    tries: "a ticket that is guessed",
    refused: "404 NOT_FOUND",
    attempt: async (scene) => {
      await enrol(scene, { secret: (await scene.token({ approval: true })).secret });
      return await told(await post(scene, { ticket: "A".repeat(43) }, ROUTES.ticket));
    },
  },
  {
    tries: "the ticket of an enrolment that was denied",
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const { secret } = await scene.token({ approval: true });
      const { ticket } = await (await post(scene, await solved(scene, { secret }))).json();
      const [waiting] = await scene.pending.list();
      await scene.pending.decide(waiting?.agentId ?? "", false);
      return await told(await post(scene, { ticket }, ROUTES.ticket));
    },
  },
];

const AGENTS_SIDE: readonly Attack<Scene>[] = [
  {
    tries: "another hive at the token's address",
    refused: "PIN_MISMATCH",
    attempt: async (scene) => {
      let seen = "";
      await against(async (impostor) => {
        const { certificatePem } = scene.trust.server;
        using client = new EnrolmentClient(`127.0.0.1:${impostor.listener.port}`, [certificatePem]);
        seen = await thrownBy(() => client.ask(ROUTES.challenge, {}));
      });
      return seen;
    },
  },
  {
    tries: "a hive that asks for endless work",
    refused: "RangeError",
    attempt: () => thrownBy(() => solveChallenge(new Uint8Array(57), DIFFICULTY_MAX + 1)),
  },
  {
    tries: "a hive that says in its form how endless the work is",
    refused: "ZodError",
    attempt: () =>
      thrownBy(() =>
        challengeSchema.parse({ challenge: "A", difficulty: DIFFICULTY_MAX + 1, expiresMs: 1 })
      ),
  },
  {
    tries: "a token whose address leads elsewhere",
    refused: "TOKEN_INVALID",
    attempt: async (scene) => {
      const token = await scene.token();
      return await thrownBy(() =>
        decodeToken(encodeToken({ ...token, enroll: "hive@evil.example/:443" }))
      );
    },
  },
];

attackTable<Scene>({ subject: "enrolment", against }, [
  ...TOKENS,
  ...CHALLENGES,
  ...REQUESTS,
  ...WIRE,
  ...AGENTS_SIDE,
]);
