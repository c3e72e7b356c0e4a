// Entry of the program that the launcher asks first: small, as every start waits for it.

import { ImmuneError } from "../common/config/errors.ts";
import { print, tell } from "./output.ts";
import { renderError } from "./render/error.ts";
import { startLines } from "./start_lines.ts";

let code = 0;
try {
  for (const line of startLines(Deno.args)) print(line);
} catch (error) {
  tell(renderError(error));
  code = error instanceof ImmuneError ? error.exit : 1;
}
// Deno keeps the code that it compiled, for the next start, once the event loop has turned: never
// for a program that ends before (measured: 400 KB of text take 60 ms to compile, 8 from there).
await new Promise((resolve) => setTimeout(resolve));
Deno.exit(code);
