import type { Command } from "commander";
import * as z from "zod";
import { print } from "./output.ts";
import { visible } from "./render/terminal.ts";

const askedSchema = z.strictObject({ request: z.uuid() });

/**
 * Adds the flag that says why something is wanted.
 *
 * @param command A verb whose act can take two people.
 * @returns The verb.
 */
export function addReason(command: Command): Command {
  return command.option("--reason <text>", "why, for whoever has to approve it");
}

/**
 * The request that was made where an act takes two people.
 *
 * @param answer What the hive answered.
 * @returns Its id; `undefined` when the act is done.
 */
export function requestOf(answer: unknown): string | undefined {
  return askedSchema.safeParse(answer).data?.request;
}

/**
 * Says that nothing is done yet, and what has it done.
 *
 * @param request Id of the request.
 * @param options `json`: for a program.
 */
export function printAsked(request: string, { json }: { readonly json: boolean }): void {
  print(json ? JSON.stringify({ request }) : askedText(request));
}

/**
 * The same as a text.
 *
 * @param request Id of the request.
 */
export function askedText(request: string): string {
  return `Not done yet: another person has to approve it (immune approvals approve ${
    visible(request)
  })`;
}
