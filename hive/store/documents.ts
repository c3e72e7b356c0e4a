import type { DatabaseSync } from "node:sqlite";
import { ImmuneError } from "../../common/config/errors.ts";
import { checkLimit } from "./limit.ts";
import { integer, type Row, text } from "./rows.ts";
import {
  DOCUMENT_BYTES_MAX,
  type DocumentPage,
  type DocumentQuery,
  type DocumentRow,
  DOCUMENTS_MAX,
  DOCUMENTS_PER_PAGE_MAX,
} from "./store.ts";
import { transaction } from "./transaction.ts";

/** Small things that people make, such as accounts: whole documents with a version each. */
export class DocumentRows {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
  }

  /**
   * A document.
   *
   * @param kind What it is.
   * @param id Its id.
   */
  get(kind: string, id: string): DocumentRow | undefined {
    return rowOf(this.#sql.get.get(kind, id));
  }

  /**
   * The document with a key.
   *
   * @param kind What it is.
   * @param key Its key.
   */
  find(kind: string, key: string): DocumentRow | undefined {
    return rowOf(this.#sql.find.get(kind, key));
  }

  /**
   * Documents of a kind by their ids.
   *
   * @param query Which ones.
   * @throws {ImmuneError} `INPUT_MALFORMED` for a limit that is none.
   */
  page({ kind, limit, after }: DocumentQuery): DocumentPage {
    checkLimit(limit, { max: DOCUMENTS_PER_PAGE_MAX, of: "documents" });
    const rows = this.#sql.page.all(kind, after ?? "", limit + 1);
    const documents = rows.slice(0, limit).flatMap((row) => rowOf(row) ?? []);
    return { documents, next: rows.length > limit ? documents.at(-1)?.id ?? null : null };
  }

  /**
   * Adds a document (version 1) or replaces the version before it.
   *
   * @param document The whole document with its new version.
   * @returns False, and nothing is changed, when the one that is there has another version or its
   * key is another one's.
   * @throws {ImmuneError} `RATE_LIMITED` over the bound of documents, `INPUT_MALFORMED` over that
   * of their bytes.
   */
  put(document: DocumentRow): boolean {
    const { kind, id, key, version, body } = document;
    if (new TextEncoder().encode(body).length > DOCUMENT_BYTES_MAX) {
      const message = `Cannot keep ${kind} "${id}": it has over ${DOCUMENT_BYTES_MAX} bytes`;
      throw new ImmuneError("INPUT_MALFORMED", message);
    }
    return transaction(this.#database, () => {
      if (version > 1) {
        return changed(this.#sql.replace.run(key, version, body, kind, id, version - 1));
      }
      if (integer(this.#sql.count.get(kind), "documents") >= DOCUMENTS_MAX) {
        const message = `Cannot keep ${kind} "${id}": there are ${DOCUMENTS_MAX} already`;
        throw new ImmuneError("RATE_LIMITED", message);
      }
      return changed(this.#sql.add.run(kind, id, key, version, body));
    });
  }

  /**
   * Removes a document.
   *
   * @param kind What it is.
   * @param id Its id.
   * @returns False when there is none.
   */
  remove(kind: string, id: string): boolean {
    return changed(this.#sql.remove.run(kind, id));
  }
}

function changed({ changes }: { readonly changes: number | bigint }): boolean {
  return Number(changes) === 1;
}

function rowOf(row: Row): DocumentRow | undefined {
  if (row === undefined) return undefined;
  return {
    kind: text(row, "kind"),
    id: text(row, "id"),
    key: row["key"] === null ? null : text(row, "key"),
    version: integer(row, "version"),
    body: text(row, "body"),
  };
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  const columns = "SELECT kind, id, key, version, body FROM documents";
  return {
    get: database.prepare(`${columns} WHERE kind = ? AND id = ?`),
    find: database.prepare(`${columns} WHERE kind = ? AND key = ?`),
    page: database.prepare(`${columns} WHERE kind = ? AND id > ? ORDER BY id LIMIT ?`),
    count: database.prepare("SELECT count(*) AS documents FROM documents WHERE kind = ?"),
    add: database.prepare(
      "INSERT OR IGNORE INTO documents (kind, id, key, version, body) VALUES (?, ?, ?, ?, ?)",
    ),
    replace: database.prepare(
      `UPDATE OR IGNORE documents SET key = ?, version = ?, body = ?
      WHERE kind = ? AND id = ? AND version = ?`,
    ),
    remove: database.prepare("DELETE FROM documents WHERE kind = ? AND id = ?"),
  };
}
