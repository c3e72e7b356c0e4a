import { ImmuneError } from "../../common/config/errors.ts";

/**
 * Checks how many rows a query asks for.
 *
 * @param limit Asked for.
 * @param bound `max`: most that may be; `of`: what they are.
 * @throws {ImmuneError} `INPUT_MALFORMED` when it is no whole number from 1 to that.
 */
export function checkLimit(
  limit: number,
  { max, of }: { readonly max: number; readonly of: string },
): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= max) return;
  throw new ImmuneError(
    "INPUT_MALFORMED",
    `Cannot list ${of}: limit "${limit}" is not from 1 to ${max}`,
  );
}
