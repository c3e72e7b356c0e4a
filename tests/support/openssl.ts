import type { Identity, TestHive } from "./intake.ts";

/**
 * Talks to the agents' port with openssl, which can do what a client of this platform cannot.
 *
 * @param hive Whom.
 * @param options Certificate to show, and what else `s_client` is told.
 * @returns All that it said.
 */
export async function openssl(
  hive: TestHive,
  { identity, args }: { readonly identity: Identity; readonly args: readonly string[] },
): Promise<string> {
  Deno.writeTextFileSync(`${hive.folder}/client.pem`, identity.certificatePem);
  Deno.writeTextFileSync(`${hive.folder}/client.key`, identity.keyPem);
  const process = new Deno.Command("openssl", {
    args: [
      "s_client",
      ...["-connect", `127.0.0.1:${hive.intake.port}`, "-CAfile", `${hive.folder}/server.pem`],
      ...["-cert", `${hive.folder}/client.pem`, "-key", `${hive.folder}/client.key`],
      ...args,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  // A request that is refused, on a connection that the server then closes.
  const request = "GET / HTTP/1.1\r\nHost: hive\r\nConnection: close\r\n\r\n";
  await writer.write(new TextEncoder().encode(request)).catch(() => {});
  const [out, error] = await Promise.all([
    new Response(process.stdout).text(),
    new Response(process.stderr).text(),
  ]);
  await writer.close().catch(() => {});
  await process.status;
  return out + error;
}
