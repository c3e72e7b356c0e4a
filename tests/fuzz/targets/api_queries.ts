import { openOrderingHive, type OrderingHive } from "../../support/orders.ts";
import { alertOf, healthRecord, processRecord } from "../../../hive/api/_test_support.ts";
import { type FuzzSubject, type FuzzTarget, serverFault } from "../target.ts";

/** A route that is looked at, and whose look it is. */
interface Door {
  /** What stands before what is damaged. */
  readonly start: string;
  readonly rest: string;
  readonly by: "token" | "session" | "nobody";
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema?: { readonly enum?: readonly string[]; readonly type?: string };
}

/** Values that parameters take; of others one is made by their description. */
const SAMPLES: Readonly<Record<string, string>> = {
  id: "ada",
  stream: "directive",
  number: "1",
  last: "1d",
  limit: "10",
};
/** Pages that look at their path or query. */
const PAGES: readonly (readonly [start: string, rest: string, by: Door["by"]])[] = [
  ["/audit", "?before=10", "session"],
  ["/directives", "/directive/1", "session"],
  ["/alerts/", "0".repeat(32), "session"],
  ["/assets/", "console.0123456789abcdef.css", "nobody"],
  ["/login", "?code=x", "nobody"],
  ["/login/oidc/callback", "?code=x&state=y&iss=z", "nobody"],
  ["/", "overview?x=1", "session"],
];

/**
 * Paths and queries of everything that only looks: the API's by its own description, the pages' by
 * hand. The first byte of an input chooses the route, the rest is what stands behind its start.
 */
export const target: FuzzTarget = { open };

async function open(): Promise<FuzzSubject> {
  const hive = await openOrderingHive();
  await fill(hive);
  const { id } = await hive.operators.accounts.add({ name: "ada", role: "admin" });
  const session = hive.operators.sessions.start(id);
  const doors = [
    ...await apiDoors(hive),
    ...PAGES.map(([start, rest, by]): Door => ({ start, rest, by })),
  ];
  return {
    seeds: doors.map(({ rest }, i) => Uint8Array.from([i, ...new TextEncoder().encode(rest)])),
    async feed(input): Promise<string | undefined> {
      const door = doors[(input[0] ?? 0) % doors.length];
      if (door === undefined) return "there is no door";
      const { start, by } = door;
      const url = `http://localhost${start}${new TextDecoder("latin1").decode(input.slice(1))}`;
      // Addresses that no browser and no server takes for one come from nobody.
      if (!URL.canParse(url)) return undefined;
      const response = await hive.api.request(url, {
        headers: {
          accept: input.length % 2 === 0 ? "text/html" : "application/json",
          ...(by === "token" ? { authorization: `Bearer ${hive.token}` } : {}),
          ...(by === "session" ? { cookie: `immune_session=${session}` } : {}),
        },
      });
      return await serverFault(response);
    },
    [Symbol.asyncDispose]: () => hive[Symbol.asyncDispose](),
  };
}

/** A few records, an alert and an order, so that there is something to look for. */
async function fill(hive: OrderingHive): Promise<void> {
  const process = { pid: 4242, bootS: 3400, image: "/usr/bin/bash", argv: ["bash", "-i"] };
  await hive.deliver([
    healthRecord(),
    processRecord("exec", process),
    alertOf(process, { sequence: 2 }).record,
  ]);
  await hive.commands.send({ kind: "rules", body: { pack: null } }, { by: "fuzz" });
}

async function apiDoors(hive: OrderingHive): Promise<readonly Door[]> {
  const { paths } = await (await hive.get("/api/v1/openapi.json")).json();
  const routes = Object.entries(paths as Record<string, { get?: { parameters?: Parameter[] } }>);
  return routes.flatMap(([path, { get }]) => {
    if (get === undefined) return [];
    const query = (get.parameters ?? []).filter((each) => each.in === "query")
      .map(({ name, schema }) => `${name}=${SAMPLES[name] ?? schema?.enum?.[0] ?? "1"}`);
    const at = path.indexOf("{");
    const start = at < 0 ? path : path.slice(0, at);
    const ids = at < 0
      ? ""
      : path.slice(at).replaceAll(/\{(\w+)\}/g, (_, name) => SAMPLES[name] ?? "1");
    return [{
      start,
      rest: `${ids}${query.length === 0 ? "" : `?${query.join("&")}`}`,
      by: "token" as const,
    }];
  });
}
