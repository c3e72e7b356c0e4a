import type { Child } from "hono/jsx";
import { type Action, type ApiObject, can, personOf, type Principal } from "../operators/mod.ts";

interface Place {
  readonly path: string;
  readonly name: string;
  readonly needs: readonly [Action, ApiObject];
}

const PLACES: readonly Place[] = [
  { path: "/", name: "Overview", needs: ["read", "console"] },
  { path: "/directives", name: "Directives", needs: ["read", "directives"] },
  { path: "/kill-switch", name: "Kill switch", needs: ["read", "kill_switch"] },
  { path: "/approvals", name: "Approvals", needs: ["read", "approvals"] },
  { path: "/audit", name: "Audit", needs: ["read", "audit"] },
  { path: "/users", name: "People", needs: ["read", "users"] },
];

/**
 * The way to the pages that a person may see, to the own account, and out.
 *
 * @param props Who, and the path of the page that is shown.
 */
export function Nav({ principal, path }: {
  readonly principal: Principal;
  readonly path: string | undefined;
}): Child {
  const name = personOf(principal)?.name ?? "Owner of the host";
  const current = (place: string): "page" | undefined => place === path ? "page" : undefined;
  return (
    <>
      <nav aria-label="Pages">
        <ul>
          {PLACES.filter(({ needs }) => can(principal, ...needs)).map((place) => (
            <li key={place.path}>
              <a href={place.path} aria-current={current(place.path)}>{place.name}</a>
            </li>
          ))}
          <li>
            <a href="/account" aria-current={current("/account")}>
              Account<span class="hidden">{` of ${name}`}</span>
            </a>
          </li>
        </ul>
      </nav>
      <form method="post" action="/logout">
        <button class="quiet" type="submit">Sign out</button>
      </form>
    </>
  );
}
