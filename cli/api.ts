import { type Config, ERROR_CODES, type ErrorCode, ImmuneError } from "../common/config/mod.ts";
import { errorSchema } from "../common/link/protocol.ts";
import { boundedText } from "../common/link/transport.ts";

/** Longest answer of the API that is read, in bytes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** Longest wait for an answer, in milliseconds. */
const ANSWER_WITHIN_MS = 30_000;

/** The operator API of the hive that a configuration names. */
export class ApiClient {
  readonly #base: string;
  readonly #tokenPath: string;

  /** @param config Where the console listens, and the state folder with the token. */
  constructor(config: Config) {
    this.#base = `http://${config.hive.console}`;
    this.#tokenPath = `${config.state.dir}/operator.token`;
  }

  /**
   * Gets a resource.
   *
   * @param path Path and query, such as `/api/v1/alerts?limit=10`.
   * @returns Its JSON.
   * @throws {ImmuneError} `HIVE_UNREACHABLE`, or the code that the hive answers with.
   */
  async get(path: string): Promise<unknown> {
    const response = await this.#fetch(path);
    const text = await boundedText(response, ANSWER_BYTES_MAX);
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (cause) {
      throw this.#unreachable("what answers there is no hive", cause);
    }
    if (response.ok) return body;
    const answer = errorSchema.safeParse(body);
    const { code = "INTERNAL", message = response.statusText } = answer.data?.error ?? {};
    throw new ImmuneError(
      code in ERROR_CODES ? code as ErrorCode : "INTERNAL",
      `Cannot get "${path}" from ${this.#base}: ${message}`,
    );
  }

  async #fetch(path: string): Promise<Response> {
    try {
      return await fetch(`${this.#base}${path}`, {
        headers: { authorization: `Bearer ${this.#token()}` },
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
        redirect: "error",
      });
    } catch (cause) {
      if (cause instanceof ImmuneError) throw cause;
      throw this.#unreachable("nothing answers there, is the hive running", cause);
    }
  }

  #token(): string {
    try {
      return Deno.readTextFileSync(this.#tokenPath).trim();
    } catch (cause) {
      throw new ImmuneError(
        "AUTH_REQUIRED",
        `Cannot read the operator token "${this.#tokenPath}": start the hive once with this ` +
          "state folder, or name another with --state",
        { cause },
      );
    }
  }

  #unreachable(why: string, cause: unknown): ImmuneError {
    return new ImmuneError(
      "HIVE_UNREACHABLE",
      `Cannot reach the hive at ${this.#base}: ${why}; name another address with --console`,
      { cause },
    );
  }
}
