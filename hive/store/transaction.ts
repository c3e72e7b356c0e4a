import type { DatabaseSync } from "node:sqlite";

/**
 * Runs work in one transaction: all of it is on the disk afterwards, or nothing.
 *
 * @param database Open, not in a transaction.
 * @param work What to do.
 * @returns What it gives.
 * @throws What it throws, or what the database says.
 */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk has rolled it back already.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
