import { openOrderingHive, type OrderingHive } from "../support/orders.ts";
import type { OperatorsOptions } from "../../hive/operators/mod.ts";

/** A request. */
export interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  /** Default: the operator token; empty: none. */
  readonly token?: string;
}

/** A hive that gives orders, and ways to ask it. */
export interface OrdersTarget extends Omit<OrderingHive, "get" | "deliver"> {
  ask(path: string, asked?: Asked): Promise<Response>;
  /** An API token of somebody with a role; by default the account is called like it. */
  tokenOf(role: string, name?: string): Promise<string>;
}

/**
 * Runs an attack on a hive that gives orders.
 *
 * @param attack The attack.
 * @param options What differs from the default of its operators.
 */
export async function againstOrders(
  attack: (target: OrdersTarget) => Promise<void>,
  options: Partial<OperatorsOptions> = {},
): Promise<void> {
  await using hive = await openOrderingHive(options);
  const { accounts } = hive.operators;
  const ask: OrdersTarget["ask"] = async (path, asked = {}) => {
    const { body, method = body === undefined ? "GET" : "POST", token = hive.token } = asked;
    return await hive.api.request(`/api/v1${path}`, {
      method,
      headers: {
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };
  const tokenOf: OrdersTarget["tokenOf"] = async (role, name = role) => {
    const isKnown = (await accounts.list()).some((account) => account.name === name);
    if (!isKnown) await accounts.add({ name, role: "admin" });
    const { id } = await accounts.known(name);
    await accounts.change(id, (account) => ({ ...account, role: role as "admin" }));
    const body = { name: "ci", role, expires: "1d", user: name };
    return (await (await ask("/tokens", { body })).json()).text;
  };
  await attack({ ...hive, ask, tokenOf });
}
