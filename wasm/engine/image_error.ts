import { ImmuneError } from "../../common/config/errors.ts";

/** Codes of the module's `stage` and `publish`: what does not hold, and whether a row number goes with it. */
const IMAGE_ERRORS: Readonly<Record<number, { readonly what: string; readonly row?: string }>> = {
  [-1]: { what: "its length is not what its header says" },
  [-2]: { what: "it does not start with the magic number" },
  [-3]: { what: "it has another version" },
  [-4]: { what: "it has more fields, atoms or rules than the engine takes" },
  [-5]: { what: "a section is out of bounds or not aligned" },
  [-6]: { what: "a field names an atom that is not there", row: "field" },
  [-7]: { what: "an automaton is out of bounds", row: "field" },
  [-8]: { what: "an atom is out of bounds", row: "atom" },
  [-9]: { what: "a rule is out of bounds", row: "rule" },
  [-10]: { what: "a program cannot run", row: "rule" },
  [-11]: { what: "a list is out of bounds", row: "row" },
  [-12]: { what: "a scan waits for its hits to be taken" },
  [-13]: { what: "its region holds the active one" },
  [-14]: { what: "another one was staged after it, or its check is not done" },
};

/**
 * The error for an image that the module refused.
 *
 * @param code What `publish` returned.
 * @param row What `publish_row` returned.
 * @returns The error, to be thrown.
 */
export function imageError(code: number, row: number): ImmuneError {
  const known = IMAGE_ERRORS[code];
  const where = known?.row === undefined ? "" : ` (${known.row} ${row})`;
  const what = known?.what ?? `code "${code}"`;
  return new ImmuneError(
    "IMAGE_INVALID",
    `Cannot publish the rule image: ${what}${where}, compile the rules again`,
  );
}
