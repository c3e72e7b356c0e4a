import { ERROR_CODES, type ErrorCode, ImmuneError } from "../common/config/errors.ts";
import type { Config } from "../common/config/options.ts";
import { boundedText } from "../common/link/bounded_text.ts";
import { errorSchema } from "../common/link/error_schema.ts";

/** Longest answer of the API that is read, in bytes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** Longest wait for an answer, in milliseconds. */
const ANSWER_WITHIN_MS = 30_000;

/** What goes with a request. */
interface Asked {
  readonly body?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

/** The operator API of the hive that a configuration names. */
export class ApiClient {
  readonly #base: string;
  readonly #tokenPath: string;

  /** @param config Where the console listens, and which file has the token. */
  constructor(config: Config) {
    const { hive, operators, state } = config;
    this.#base = `http://${hive.console}`;
    this.#tokenPath = operators.token_file === ""
      ? `${state.dir}/operator.token`
      : operators.token_file;
  }

  /**
   * A page of the console.
   *
   * @param path Path and query.
   * @returns Its whole address.
   */
  link(path: string): string {
    return `${this.#base}${path}`;
  }

  /**
   * Gets a resource.
   *
   * @param path Path and query, such as `/api/v1/alerts?limit=10`.
   * @returns Its JSON.
   * @throws {ImmuneError} `HIVE_UNREACHABLE`, or the code that the hive answers with.
   */
  get(path: string): Promise<unknown> {
    return this.#ask("get", path);
  }

  /**
   * Asks for a change.
   *
   * @param method How.
   * @param path Path, such as `/api/v1/users`.
   * @param options `body`: sent as JSON; `bytes`: sent as they are. Default: nothing.
   * @returns The answer's JSON.
   * @throws {ImmuneError} `HIVE_UNREACHABLE`, or the code that the hive answers with.
   */
  send(
    method: "post" | "put" | "patch" | "delete",
    path: string,
    options: Asked = {},
  ): Promise<unknown> {
    return this.#ask(method, path, options);
  }

  async #ask(
    method: string,
    path: string,
    { body: asked, bytes }: Asked = {},
  ): Promise<unknown> {
    const response = await this.#fetch(path, {
      method: method.toUpperCase(),
      ...(bytes === undefined ? {} : { body: bytes }),
      ...(asked === undefined ? {} : { body: JSON.stringify(asked) }),
    });
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
      `Cannot ${method} "${path}" at ${this.#base}: ${message}`,
    );
  }

  async #fetch(path: string, request: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.#base}${path}`, {
        ...request,
        headers: {
          authorization: `Bearer ${this.#token()}`,
          "content-type": "application/json",
        },
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
        `Cannot read the API token "${this.#tokenPath}": start the hive once with this state ` +
          "folder, name another with --state, or a token of your own with --api-token-file",
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
