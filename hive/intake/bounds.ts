import { BATCH_BYTES_MAX } from "../../common/wire/batch.ts";

/** Connections to the agents' port at a time. */
export const CONNECTIONS_MAX = 4096;
/** Connections that show the same certificate at a time. */
export const CONNECTIONS_PER_CERTIFICATE_MAX = 8;
/** How long a TLS handshake may take, in milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** How long the headers of a request may take, from the connection's start, in milliseconds. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** How long a whole request may take to arrive, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 60_000;
/** How long a connection may lie idle between two requests, in milliseconds. */
export const IDLE_TIMEOUT_MS = 120_000;
/** Bytes of a request's headers. */
export const HEADER_BYTES_MAX = 8 * 1024;
/** Requests of one agent that are read or stored at a time. */
export const REQUESTS_PER_AGENT_MAX = 2;
/** Batches that are read or stored at a time, of all agents. */
export const QUEUE_BATCHES_MAX = 256;
/** Bytes of those batches. */
export const QUEUE_BYTES_MAX = 16 * BATCH_BYTES_MAX;
/** Bytes of a refused body that are read and thrown away, so that its sender hears the answer. */
export const DRAIN_BYTES_MAX = 2 * BATCH_BYTES_MAX;
/** How often the server looks for connections that are over their time, in milliseconds. */
export const TIMEOUT_CHECK_MS = 1000;
/**
 * How often the certificates of open connections are looked up, in milliseconds: a revocation ends
 * them within this and the time that a look takes.
 */
export const REVOCATION_CHECK_MS = 1000;
/** Renewals that are being signed at a time; more are told to come again. */
export const RENEWALS_AT_ONCE_MAX = 16;
/** How long the store may take for one answer, in milliseconds. */
export const STORE_TIMEOUT_MS = 30_000;
/** How long a stop waits for requests under way, in milliseconds. */
export const STOP_TIMEOUT_MS = 5000;
/** Downlinks of one agent that are open at a time; one more ends the oldest. */
export const DOWNLINKS_PER_AGENT_MAX = 2;
/** Frames that wait for one downlink; over it the agent has to begin anew. */
export const DOWNLINK_QUEUE_FRAMES_MAX = 512;
/** Bytes of those frames. */
export const DOWNLINK_QUEUE_BYTES_MAX = 4 * 1024 * 1024;
/** Downlinks are looked through this often, in milliseconds. */
export const DOWNLINK_CHECK_MS = 1000;
/** A silent downlink is told this often that the line holds, in milliseconds. */
export const DOWNLINK_KEEP_ALIVE_MS = 15_000;
/** An agent gets a canary at most this often, in milliseconds. */
export const CANARY_INTERVAL_MIN_MS = 1000;
/** Agents whose last canary is remembered. */
export const CANARY_ASKERS_MAX = CONNECTIONS_MAX;
/** Longest report about orders, in bytes: 64 results whose texts may be escaped. */
export const REPORT_BYTES_MAX = 256 * 1024;
/** Lines about refusals a second; what is over it is only counted. */
export const REFUSAL_LINES_PER_SECOND_MAX = 20;
/** Words for the herd that are heard of one agent within a window. */
export const HERD_WORDS_MAX = 60;
/** That window, in milliseconds. */
export const HERD_WORDS_WINDOW_MS = 60_000;
/** Agents whose words are heard within a window. */
export const HERD_AGENTS_MAX = 16_384;
/** What a client is told to wait when it is turned away for a while, in seconds. */
export const RETRY_AFTER_S = 1;
