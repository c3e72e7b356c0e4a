import { ImmuneError } from "../../common/config/errors.ts";
import { visible } from "./terminal.ts";

/**
 * An error for eyes: a line for each thing that is wrong, without a stack.
 *
 * @param error What was thrown.
 */
export function renderError(error: unknown): string {
  if (error instanceof ImmuneError) {
    return error.message.split("\n")
      .map((line) => `immune: ${visible(line)} [${error.code}]`).join("\n");
  }
  if (error instanceof Deno.errors.NotCapable) {
    return `immune: This verb was started without a permission that it needs: ` +
      `${visible(error.message)} [INTERNAL]`;
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `immune: Unexpected failure: ${visible(message)} [INTERNAL]`;
}
