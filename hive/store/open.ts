import { DatabaseSync } from "node:sqlite";
import { storeError } from "./failure.ts";
import { checkOrigin, migrate } from "./schema.ts";

/**
 * Bytes of a page of a new database. An append touches a dozen pages, and each goes to the log
 * whole (measured: a small one takes 0.4 ms with 4 KiB, 0.5 to 0.8 with 16 KiB, and long ones gain
 * nothing).
 */
const PAGE_BYTES = 4 * 1024;
/**
 * Bytes over `bytesMax` that batches do not get, so that a full store still takes what people
 * decide: a revocation, an order, a stop.
 */
export const RESERVE_BYTES = 16 * 1024 * 1024;

/** Options of {@linkcode openDatabase}. */
export interface DatabaseOptions {
  /**
   * Most bytes of the database file; over it no batch is stored, and over it and `RESERVE_BYTES`
   * nothing. Default: what the disk has.
   */
  readonly bytesMax?: number;
}

/**
 * Opens the database file, makes it when there is none (mode 0600), and brings it to this
 * version's schema. Commits are on the disk when they return.
 *
 * @param path Path of the file; `-wal` and `-shm` stand beside it while it is open.
 * @param options Bound.
 * @throws {ImmuneError} `STORE_FAILED` when it cannot be used, one line that says why.
 */
export function openDatabase(path: string, options: DatabaseOptions = {}): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // SQLite gives the files beside it the mode of this one.
    Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 }).close();
    database = new DatabaseSync(path, { enableForeignKeyConstraints: true });
    checkOrigin(database, path);
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    database.exec("PRAGMA trusted_schema = OFF");
    migrate(database, path);
    if (options.bytesMax !== undefined) boundDatabase(database, options.bytesMax + RESERVE_BYTES);
    return database;
  } catch (cause) {
    database?.close();
    throw storeError(cause, `open store "${path}"`);
  }
}

/**
 * Sets the bound of the database file; one that is larger already stays as it is, and is full.
 *
 * @param database Open.
 * @param bytes Most bytes from now on.
 */
export function boundDatabase(database: DatabaseSync, bytes: number): void {
  database.exec(`PRAGMA max_page_count = ${Math.ceil(bytes / PAGE_BYTES)}`);
}
