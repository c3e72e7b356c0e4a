import type { z } from "zod";
import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { hiveUrl } from "../../common/link/address.ts";
import { printable } from "../../common/link/answer.ts";
import { boundedText } from "../../common/link/bounded_text.ts";
import { errorSchema } from "../../common/link/error_schema.ts";
import { failure, isPinFailure } from "../../common/link/transport.ts";
import { jsonOf } from "../../common/text/json.ts";

/** Longest answer of the enrolment port that is read, in bytes. */
const ENROLL_ANSWER_BYTES_MAX = 64 * 1024;
/** Longest wait for an answer, in milliseconds. */
export const ENROLL_TIMEOUT_MS = 30_000;

/** Codes that say more than that the hive refused. */
const TOLD: ReadonlySet<string> = new Set(["TOKEN_INVALID", "CHALLENGE_INVALID", "RATE_LIMITED"]);

/** What was answered, and the status that says which schema it has. */
export interface EnrolmentAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** How a hive is reached, and whom to trust there. */
export interface EnrolmentWay {
  /** Certificates (PEM) of the hive. */
  readonly pins: readonly string[];
  /** HTTP proxy that connections go through by CONNECT, such as `http://proxy:3128`. Default: none. */
  readonly proxy?: string;
}

/** Asks the enrolment port of one hive, which is pinned. */
export class EnrolmentClient implements Disposable {
  /** HTTP status of the last answer; 0 = there was none. */
  status = 0;
  readonly #client: Deno.HttpClient;
  readonly #address: string;

  /**
   * @param address `HOST:PORT`.
   * @param way Certificates and proxy.
   */
  constructor(address: string, { pins, proxy }: EnrolmentWay) {
    this.#address = address;
    this.#client = Deno.createHttpClient({
      caCerts: [...pins],
      ...(proxy === undefined ? {} : { proxy: { url: proxy } }),
    });
  }

  /**
   * Asks.
   *
   * @param route As in `ROUTES`.
   * @param body What is sent.
   * @returns A good answer (2xx), parsed.
   * @throws {ImmuneError} `PIN_MISMATCH` when what answers is not the pinned hive,
   * `HIVE_UNREACHABLE` when nothing does, or as the hive says.
   */
  async ask(route: string, body: unknown): Promise<EnrolmentAnswer> {
    let status: number;
    let text: string;
    this.status = 0;
    try {
      const response = await fetch(hiveUrl(this.#address, route), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        redirect: "manual",
        client: this.#client,
        signal: AbortSignal.timeout(ENROLL_TIMEOUT_MS),
      });
      this.status = status = response.status;
      text = await boundedText(response, ENROLL_ANSWER_BYTES_MAX);
    } catch (cause) {
      throw new ImmuneError(
        isPinFailure(cause) ? "PIN_MISMATCH" : "HIVE_UNREACHABLE",
        `Cannot enrol at "${this.#address}": ${failure(cause)}; check that the hive runs there ` +
          "and that the token is its newest",
        { cause },
      );
    }
    const answer = jsonOf(text);
    if (status === 200 || status === 202) return { status, body: answer };
    const error = errorSchema.safeParse(answer).data?.error;
    const why = error?.message ?? `HTTP status ${status}, which is no answer of a hive`;
    const code = error !== undefined && TOLD.has(error.code) ? error.code : "ENROLL_REFUSED";
    throw this.refused(why, code as ErrorCode);
  }

  /**
   * A good answer in its form.
   *
   * @param answer The answer.
   * @param schema Its form.
   * @throws {ImmuneError} `ENROLL_REFUSED` when it has another.
   */
  checked<T>({ body }: EnrolmentAnswer, schema: z.ZodType<T>): T {
    const found = schema.safeParse(body);
    if (found.success) return found.data;
    throw this.refused("what answers there is no hive", "ENROLL_REFUSED");
  }

  /**
   * An enrolment that came to nothing.
   *
   * @param why Why, from outside.
   * @param code Code of the error.
   */
  refused(why: string, code: ErrorCode): ImmuneError {
    return new ImmuneError(code, `Cannot enrol at "${this.#address}": ${printable(why)}`);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
