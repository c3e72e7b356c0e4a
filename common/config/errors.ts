/** What an error code means to a shell and to an HTTP client. */
export interface ErrorKind {
  /** Exit code of a verb that ends with it: 1 failure, 2 wrong usage. */
  readonly exit: 1 | 2;
  /** HTTP status of an API answer. */
  readonly status: number;
  /** When it is raised. */
  readonly doc: string;
}

/** All error codes. A code keeps its meaning for ever; new ones are appended. */
export const ERROR_CODES = {
  USAGE: { exit: 2, status: 400, doc: "a verb, flag or argument that does not exist or fit" },
  CONFIG_INVALID: { exit: 2, status: 400, doc: "a configuration value that does not hold" },
  FILE_UNREADABLE: { exit: 1, status: 500, doc: "a file that cannot be read" },
  INPUT_MALFORMED: { exit: 1, status: 400, doc: "input that is not what it should be" },
  RULE_INVALID: { exit: 1, status: 422, doc: "a rule that cannot load" },
  RULE_UNSUPPORTED: { exit: 1, status: 422, doc: "a rule that uses what this version lacks" },
  RULE_SET_TOO_LARGE: { exit: 1, status: 413, doc: "rules that do not fit the engine's regions" },
  IMAGE_INVALID: { exit: 1, status: 422, doc: "a rule image that is torn or of another version" },
  RECORD_MALFORMED: { exit: 1, status: 400, doc: "bytes that are no record" },
  BATCH_MALFORMED: { exit: 1, status: 400, doc: "bytes that are no batch" },
  BATCH_TOO_LARGE: { exit: 1, status: 413, doc: "a batch over its bound" },
  BATCH_GAP: { exit: 1, status: 409, doc: "a gap before a batch that its loss ledger lacks" },
  JOURNAL_CORRUPT: { exit: 1, status: 500, doc: "a journal segment that cannot be understood" },
  JOURNAL_FULL: { exit: 1, status: 507, doc: "the journal's disk or bound is exhausted" },
  STATE_UNUSABLE: { exit: 1, status: 500, doc: "a state folder that cannot be made or written" },
  STATE_LOCKED: { exit: 1, status: 409, doc: "another process uses the state folder" },
  SENSOR_UNAVAILABLE: { exit: 1, status: 503, doc: "this host cannot run the sensor" },
  SENSOR_FAILED: { exit: 1, status: 500, doc: "the sensor stopped working" },
  PORT_IN_USE: { exit: 1, status: 500, doc: "an address that another program listens on" },
  LISTEN_REFUSED: { exit: 2, status: 500, doc: "an address that may not be listened on" },
  STORE_FAILED: { exit: 1, status: 500, doc: "the hive's store does not take or give data" },
  STORE_FULL: { exit: 1, status: 507, doc: "the disk or bound of the hive's store is exhausted" },
  TOKEN_INVALID: {
    exit: 1,
    status: 403,
    doc: "an enrolment token that is malformed, used, expired",
  },
  ENROLL_REFUSED: { exit: 1, status: 403, doc: "an enrolment that the hive did not accept" },
  CERTIFICATE_REFUSED: {
    exit: 1,
    status: 403,
    doc: "a certificate that is not, or no longer, known",
  },
  AGENT_MISMATCH: { exit: 1, status: 403, doc: "a message in another agent's name" },
  HIVE_UNREACHABLE: {
    exit: 1,
    status: 503,
    doc: "a hive that does not answer, or is not the pinned one",
  },
  AUTH_REQUIRED: { exit: 1, status: 401, doc: "a request without valid credentials" },
  FORBIDDEN: { exit: 1, status: 403, doc: "an action that this principal may not do" },
  NOT_FOUND: { exit: 1, status: 404, doc: "an object or route that does not exist" },
  RATE_LIMITED: { exit: 1, status: 429, doc: "too many requests" },
  CONFLICT: { exit: 1, status: 409, doc: "a change of what is no longer as it was" },
  TOO_SLOW: { exit: 1, status: 408, doc: "a request that takes too long to arrive" },
  INTERNAL: { exit: 1, status: 500, doc: "a defect of this program" },
  SHARE_INVALID: { exit: 1, status: 400, doc: "a share of the stop key that does not hold" },
  DIRECTIVE_INVALID: { exit: 1, status: 400, doc: "a directive that does not hold" },
  ROTATION_TOO_EARLY: {
    exit: 1,
    status: 409,
    doc: "a rotation of keys before the last one has reached everybody",
  },
  PIN_MISMATCH: { exit: 1, status: 503, doc: "an answer from another hive than the pinned one" },
  CHALLENGE_INVALID: {
    exit: 1,
    status: 403,
    doc: "a proof of work that is wrong, used, expired or another's",
  },
  ENROLL_PENDING: { exit: 1, status: 403, doc: "an enrolment that waits for an operator" },
  OUTPUT_UNWRITABLE: { exit: 1, status: 500, doc: "standard output that cannot be written" },
  AUDIT_UNWRITABLE: {
    exit: 1,
    status: 507,
    doc: "a decision that cannot be recorded, and so is not taken",
  },
  INDICATORS_INVALID: {
    exit: 1,
    status: 422,
    doc: "a set or filter of indicators that is torn, too large or of another version",
  },
  HERD_REFUSED: { exit: 1, status: 403, doc: "a word or an entry that the herd does not take" },
} as const satisfies Record<string, ErrorKind>;

/** Name of an error code. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * An operating error: one line that says what failed, where, and what to do.
 *
 * The message is in sentence case without a full stop and quotes its values.
 */
export class ImmuneError extends Error {
  override readonly name = "ImmuneError";
  /** Stable code, see {@linkcode ERROR_CODES}. */
  readonly code: ErrorCode;

  /**
   * @param code What kind of error it is.
   * @param message One line for people.
   * @param options `cause`: the error underneath.
   */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Exit code for a shell. */
  get exit(): number {
    return ERROR_CODES[this.code].exit;
  }

  /** Status for an HTTP answer. */
  get status(): number {
    return ERROR_CODES[this.code].status;
  }
}
