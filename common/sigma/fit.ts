import { ImmuneError } from "../config/errors.ts";
import { encodeImage, type Image } from "./image.ts";
import { IMAGE_BYTES_MAX } from "./image_layout.ts";
import { Plan, type RoleRule } from "./plan.ts";
import type { RuleLogic } from "./rule.ts";

/** An image and the plan that it was made of. */
export interface FittedImage extends Image {
  /** Its rules are the first ones of those that were given. */
  readonly plan: Plan;
}

/** How an image is fitted. */
export interface FitOptions {
  /** Role rules, which are in it in any case. Default: none. */
  readonly roles?: readonly RoleRule[];
  /** A plan that these rules are in already, and nothing else. */
  readonly plan?: Plan;
  /** Most bytes of an image; default: those of an engine's region. */
  readonly bytesMax?: number;
}

/**
 * Makes an image of the most rules that fit in one, from the first on.
 *
 * @param rules Rules that a plan takes.
 * @param options Role rules, a plan, most bytes.
 * @returns The image; `plan.rules.length` says how many fitted.
 */
export function fitImage(
  rules: readonly RuleLogic[],
  { roles = [], plan, bytesMax = IMAGE_BYTES_MAX }: FitOptions = {},
): FittedImage {
  const inMost = (some: readonly RuleLogic[], planned?: Plan): FittedImage | undefined =>
    tryImage(some, { roles, bytesMax, planned });
  const whole = inMost(rules, plan);
  if (whole !== undefined) return whole;
  let best = inMost([]);
  let [fits, exceeds] = [0, rules.length];
  while (exceeds - fits > 1) {
    const middle = Math.floor((fits + exceeds) / 2);
    const image = inMost(rules.slice(0, middle));
    if (image === undefined) exceeds = middle;
    else [best, fits] = [image, middle];
  }
  if (best === undefined) throw new TypeError("An image of no rules does not fit");
  return best;
}

function tryImage(
  rules: readonly RuleLogic[],
  { roles, bytesMax, planned }: {
    readonly roles: readonly RoleRule[];
    readonly bytesMax: number;
    readonly planned: Plan | undefined;
  },
): FittedImage | undefined {
  const plan = planned ?? new Plan();
  for (const rule of planned === undefined ? rules : []) plan.add(rule);
  for (const role of roles) plan.addRole(role);
  try {
    return { ...encodeImage(plan, { bytesMax }), plan };
  } catch (error) {
    if (error instanceof ImmuneError && error.code === "RULE_SET_TOO_LARGE") return undefined;
    throw error;
  }
}
