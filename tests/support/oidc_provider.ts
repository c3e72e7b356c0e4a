import * as jose from "jose";
import { createHash } from "node:crypto";

/** What a provider is told to do wrong; nothing by default. */
export interface Wrongs {
  /** Claims of the ID token that replace the right ones. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `none`: no signature; `other`: that of a key that is not published. */
  readonly signature?: "none" | "other";
  /** Members of the query by which it leads back, that replace the right ones. */
  readonly query?: Readonly<Record<string, string>>;
}

/** An OpenID provider on loopback: discovery, keys, codes with PKCE, tokens that are really signed. */
export interface TestProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** ID tokens that it gave out, and the verifiers that it was shown. */
  readonly seen: readonly string[];
  /** Who is signed in at it. */
  subject: string;
  wrongs: Wrongs;
}

interface Code {
  readonly nonce: string;
  readonly challenge: string;
  readonly redirectUri: string;
}

/**
 * Starts a provider.
 *
 * @param options `clientSecret`: the secret of its one client.
 */
export async function startProvider(
  { clientSecret = "provider secret" }: { readonly clientSecret?: string } = {},
): Promise<TestProvider> {
  const [keys, others] = [await jose.generateKeyPair("RS256"), await jose.generateKeyPair("RS256")];
  const jwk = { ...await jose.exportJWK(keys.publicKey), kid: "1", alg: "RS256", use: "sig" };
  const codes = new Map<string, Code>();
  const seen: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answer(request),
  );
  const issuer = `http://127.0.0.1:${server.addr.port}`;
  const provider: TestProvider = {
    issuer,
    clientId: "immune",
    clientSecret,
    seen,
    subject: "subject-1",
    wrongs: {},
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return provider;

  async function answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/.well-known/openid-configuration") {
      return Response.json({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
      });
    }
    if (pathname === "/keys") return Response.json({ keys: [jwk] });
    if (pathname === "/authorize") return authorize(searchParams);
    if (pathname === "/token") return await token(request);
    return new Response(null, { status: 404 });
  }

  function authorize(asked: URLSearchParams): Response {
    const text = (name: string): string => asked.get(name) ?? "";
    const code = crypto.randomUUID();
    codes.set(code, {
      nonce: text("nonce"),
      challenge: text("code_challenge"),
      redirectUri: text("redirect_uri"),
    });
    const back = new URL(text("redirect_uri"));
    const query = { code, state: text("state"), iss: issuer, ...provider.wrongs.query };
    for (const [name, value] of Object.entries(query)) back.searchParams.set(name, value);
    return Response.redirect(back, 302);
  }

  async function token(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text());
    const code = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    seen.push(form.get("code_verifier") ?? "");
    const verifier = createHash("sha256").update(form.get("code_verifier") ?? "");
    const holds = code !== undefined && verifier.digest("base64url") === code.challenge &&
      form.get("redirect_uri") === code.redirectUri &&
      request.headers.get("authorization")?.startsWith("Basic ");
    if (!holds) return Response.json({ error: "invalid_grant" }, { status: 400 });
    const id_token = await idToken(code.nonce);
    seen.push(id_token);
    return Response.json({ access_token: "unused", token_type: "Bearer", id_token });
  }

  async function idToken(nonce: string): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const { claims, signature } = provider.wrongs;
    const payload = {
      iss: issuer,
      sub: provider.subject,
      aud: provider.clientId,
      iat: now,
      exp: now + 60,
      nonce,
      ...claims,
    };
    if (signature === "none") return new jose.UnsecuredJWT(payload).encode();
    const { privateKey } = signature === "other" ? others : keys;
    return await new jose.SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "1" })
      .sign(privateKey);
  }
}
