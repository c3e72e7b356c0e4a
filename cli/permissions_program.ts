// Entry of the program in `dist/` that the launcher asks first: small, as every start waits for it.

import { main } from "./main.ts";
import { addPermissions } from "./verbs/permissions.ts";

Deno.exit(await main(Deno.args, [addPermissions]));
