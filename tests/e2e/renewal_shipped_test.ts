import { assertEquals, assertMatch } from "@std/assert";
import { REQUEST_MODULE } from "../../agent/enrol/renew.ts";
import { ROOT } from "../support/immune.ts";
import { dist } from "../support/up.ts";

/** Runs a program with nothing but what is shipped. */
async function output(
  command: string,
  { args, input }: { readonly args: readonly string[]; readonly input: string },
): Promise<string> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stderr);
  assertEquals(success, true, said);
  return new TextDecoder().decode(stdout) + said;
}

Deno.test("renewal: the shipped module makes a request that its own key signed", async () => {
  await dist;
  const module = `${ROOT}dist/${REQUEST_MODULE.name}.js`;
  const made = await output(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-config",
      "--no-npm",
      "--no-remote",
      `--allow-read=${module}`,
      "-",
    ],
    input: `const { makeKeyAndRequest } = await import(${JSON.stringify(`file://${module}`)});
      console.log(JSON.stringify(await makeKeyAndRequest()));`,
  });
  const { keyPem, requestPem } = JSON.parse(made);
  const request = await output("openssl", {
    args: ["req", "-verify", "-noout", "-pubkey"],
    input: requestPem,
  });
  assertMatch(request, /verify OK/i);
  const key = await output("openssl", { args: ["pkey", "-pubout"], input: keyPem });
  assertEquals(request.includes(key.trim()), true);
});
