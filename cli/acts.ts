import type { Command } from "commander";
import { printAsked, requestOf } from "./asked.ts";
import { print } from "./output.ts";

/** What an act did. */
export interface Act {
  /** For a program: numbers and names. */
  readonly did: Readonly<Record<string, unknown>>;
  /** The same for people. */
  readonly text: string;
}

/** Whom an act is told. */
export interface ActReader {
  /** True for a program: one JSON object. */
  readonly json: boolean;
}

/**
 * Adds the flag that has an act told to a program.
 *
 * @param command A verb that changes something.
 * @returns The verb.
 */
export function addActJson(command: Command): Command {
  return command.option("--json", "print what was done as one JSON object");
}

/**
 * Says what was done.
 *
 * @param act What.
 * @param reader To whom.
 */
export function printAct({ did, text }: Act, { json }: ActReader): void {
  print(json ? JSON.stringify(did) : text);
}

/**
 * Says what the hive answered to an act that can take two people: what was done, or the request
 * that another person has to approve.
 *
 * @param answer What the hive answered.
 * @param options To whom; `act` makes of an answer that is no request what was done.
 */
export function printAnswered(
  answer: unknown,
  options: ActReader & { readonly act: (answer: unknown) => Act },
): void {
  const request = requestOf(answer);
  if (request === undefined) printAct(options.act(answer), options);
  else printAsked(request, options);
}
