import { ImmuneError } from "../config/errors.ts";
import { encodeImage, type Image } from "./image.ts";
import { Plan, type RoleRule } from "./plan.ts";
import type { RuleLogic } from "./rule.ts";

/** An image and the plan that it was made of. */
export interface FittedImage extends Image {
  /** Its rules are the first ones of those that were given. */
  readonly plan: Plan;
}

/**
 * Makes an image of the most rules that fit in one, from the first on.
 *
 * @param rules Rules that a plan takes.
 * @param roles Role rules, which are in it in any case.
 * @param options `plan`: one that these rules are in already, and nothing else.
 * @returns The image; `plan.rules.length` says how many fitted.
 */
export function fitImage(
  rules: readonly RuleLogic[],
  roles: readonly RoleRule[] = [],
  options: { readonly plan?: Plan } = {},
): FittedImage {
  const whole = tryImage(rules, roles, options.plan);
  if (whole !== undefined) return whole;
  let best = tryImage([], roles);
  let [fits, exceeds] = [0, rules.length];
  while (exceeds - fits > 1) {
    const middle = Math.floor((fits + exceeds) / 2);
    const image = tryImage(rules.slice(0, middle), roles);
    if (image === undefined) exceeds = middle;
    else [best, fits] = [image, middle];
  }
  if (best === undefined) throw new TypeError("An image of no rules does not fit");
  return best;
}

function tryImage(
  rules: readonly RuleLogic[],
  roles: readonly RoleRule[],
  planned?: Plan,
): FittedImage | undefined {
  const plan = planned ?? new Plan();
  for (const rule of planned === undefined ? rules : []) plan.add(rule);
  for (const role of roles) plan.addRole(role);
  try {
    return { ...encodeImage(plan), plan };
  } catch (error) {
    if (error instanceof ImmuneError && error.code === "RULE_SET_TOO_LARGE") return undefined;
    throw error;
  }
}
