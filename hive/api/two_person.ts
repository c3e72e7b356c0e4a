import { z } from "@hono/zod-openapi";
import type { AuditDetail } from "../../common/audit/mod.ts";
import type { TwoPersonAct } from "../../common/config/mod.ts";
import {
  type Action,
  type ApiObject,
  APPROVAL_MS,
  type Person,
  personOf,
  type Principal,
  REASON_CHARACTERS_MAX,
  recorded,
} from "../operators/mod.ts";
import type { ApiContext } from "./context.ts";
import { type Answers, answers } from "./route_parts.ts";

/** Answer of what takes two people. */
export const askedSchema = z.object({
  request: z.string().openapi({ description: "its id; another person approves it" }),
}).openapi("Asked");

/** Why something is asked for. */
export const reasonSchema = z.string().max(REASON_CHARACTERS_MAX).optional()
  .openapi({ description: "for whoever has to approve it" });

/** Answers of a route that may take two people. */
export type AnswersOrAsked = Answers & {
  202: { content: { "application/json": { schema: typeof askedSchema } }; description: string };
};

/**
 * What a route answers that may take two people.
 *
 * @param schema The good answer.
 * @param description What it is.
 */
export function answersOrAsked(schema: z.ZodType, description: string): AnswersOrAsked {
  return {
    ...answers(schema, description),
    202: {
      content: { "application/json": { schema: askedSchema } },
      description: "it takes two people here: nothing is done, it was asked for",
    },
  };
}

/** An act that is done at once, or asked for where the hive is told so. */
export interface TrustAct<P, R> {
  /** Words with dots, as in the audit log. */
  readonly action: string;
  /** The setting that has it take two people. */
  readonly setting: TwoPersonAct;
  /** What everyone who stands behind it has to be allowed. */
  readonly needs: readonly [Action, ApiObject];
  /** What it needs to be done, as the store keeps it. */
  readonly payload: z.ZodType<P>;
  /** True when doing it twice does no more than once. Default false. */
  readonly isRepeatable?: boolean;
  /** Of what, for people to read. */
  readonly object: (payload: P) => string;
  /** Of what, an entry of the log each. Default: `object`. */
  readonly objects?: (payload: P) => readonly string[];
  /** What else there is to know of it. Default: nothing. */
  readonly detail?: (payload: P) => AuditDetail;
  /** Throws when it could not be done now: what cannot be done is not asked for. */
  readonly check?: (payload: P) => Promise<void>;
  /** How what it is done to stands. */
  readonly standing: (payload: P) => Promise<string>;
  /** How long it can be approved, in milliseconds. Default {@linkcode APPROVAL_MS}. */
  readonly lifetimeMs?: (payload: P) => number;
  /**
   * Does it.
   *
   * @param payload What is asked for.
   * @param by Who stands behind it, for people to read.
   */
  readonly run: (payload: P, by: string) => Promise<R>;
}

/** What was asked. */
export interface Asking<P> {
  readonly principal: Principal;
  readonly payload: P;
  readonly reason?: string | undefined;
}

/** It was done, or it waits. */
export type Heard<R> = { readonly done: R } | { readonly request: string };

/**
 * Makes an act one that the hive does, recorded, and that waits for a second person where it is
 * told so.
 *
 * @param api Operators and audit log.
 * @param act The act.
 * @returns Does it, or asks for it.
 */
export function trustAct<P, R>(
  api: ApiContext,
  act: TrustAct<P, R>,
): (asking: Asking<P>) => Promise<Heard<R>> {
  const { approvals } = api.operators;
  const { action, needs, isRepeatable = false } = act;
  approvals.register({
    action,
    needs,
    isRepeatable,
    standing: (given) => act.standing(act.payload.parse(given)),
    run: async (given, people) => {
      const payload = act.payload.parse(given);
      const by = namesOf(people);
      // In the name of who asked; the log has the others beside it.
      const [person] = people;
      const principal: Principal = person === undefined
        ? { kind: "token" }
        : { kind: "session", person, role: "viewer", isFresh: false };
      await perform(api, act, { principal, payload, by, detail: { people: by } });
    },
  });
  return async ({ principal, payload, reason }) => {
    if (!api.operators.takesTwo(act.setting)) {
      const by = personOf(principal)?.name ?? principal.kind;
      return { done: await perform(api, act, { principal, payload, by, detail: {} }) };
    }
    await act.check?.(payload);
    const { id } = await approvals.ask(principal, {
      action,
      object: act.object(payload),
      detail: act.detail?.(payload) ?? {},
      payload,
      lifetimeMs: Math.min(APPROVAL_MS, act.lifetimeMs?.(payload) ?? APPROVAL_MS),
      ...(reason === undefined ? {} : { reason }),
    });
    return { request: id };
  };
}

interface Performance<P> {
  readonly principal: Principal;
  readonly payload: P;
  readonly by: string;
  readonly detail: AuditDetail;
}

/** Every object has its own entry, before anything is done. */
function perform<P, R>(
  api: ApiContext,
  act: TrustAct<P, R>,
  { principal, payload, by, detail: more }: Performance<P>,
): Promise<R> {
  const { action } = act;
  const detail = { ...act.detail?.(payload), ...more };
  const objects = act.objects?.(payload) ?? [act.object(payload)];
  const all = objects.reduce<() => Promise<R>>(
    (work, object) => () => recorded(api.audit, { principal, action, object, detail }, work),
    () => act.run(payload, by),
  );
  return all();
}

function namesOf(people: readonly Person[]): string {
  return people.map(({ name }) => name).join(" and ");
}
