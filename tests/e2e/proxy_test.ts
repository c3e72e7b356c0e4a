import { assertEquals } from "@std/assert";
import { PIN_VARIABLES, pinnedEnvironment } from "../../common/link/mod.ts";
import { startHive } from "../support/hive.ts";
import { runImmune } from "../support/immune.ts";
import { ConnectProxy } from "../support/proxy.ts";

Deno.test("a host behind a proxy joins its hive by a token, and delivers a replay through it", async () => {
  await using running = await startHive();
  await using proxy = new ConnectProxy();
  const { hive: { addresses }, state } = running;
  const own = `${state}/host`;
  await Deno.mkdir(own, { mode: 0o700 });
  await Deno.writeTextFile(`${own}/token`, (await running.hive.enrollToken()).text);
  const settings = ["--state", own, "--proxy", proxy.url];
  // Not pinned yet: the process that is has to be told of the proxy too.
  const enrolled = await runImmune([
    ...["enroll", "--json", "--token-file", `${own}/token`],
    ...settings,
  ]);
  assertEquals(enrolled.code, 0, enrolled.stderr);
  assertEquals(JSON.parse(enrolled.stdout).agents, addresses.agents);
  assertEquals(new Set(proxy.targets), new Set([addresses.enroll]));

  proxy.targets.length = 0;
  await Deno.writeTextFile(
    `${own}/x.ndjson`,
    '{"CommandLine":"bash -c : /dev/tcp/127.0.0.1/4721"}\n',
  );
  const replay = await runImmune(
    ["replay", `${own}/x.ndjson`, "--deliver", "--json", ...settings],
    {
      environment: pinnedEnvironment(),
      without: PIN_VARIABLES,
    },
  );
  assertEquals(replay.code, 0, replay.stderr);
  assertEquals(new Set(proxy.targets), new Set([addresses.agents]));
  const { stdout } = await runImmune(["alerts", "--last", "1000d", "--json", ...running.flags]);
  assertEquals(stdout.includes("/dev/tcp/127.0.0.1/4721"), true, stdout);
});
