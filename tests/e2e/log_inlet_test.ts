import { assert, assertEquals } from "@std/assert";
import { LogInlet, LOOK_INTERVAL_MS } from "../../agent/inlets/inlet.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { canLoadSensor } from "../support/host.ts";
import { immune, ROOT } from "../support/immune.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";
import { freePort } from "../support/ports.ts";

const ignore = !canLoadSensor() ||
  ![
    "/usr/sbin/sshd",
    "/usr/bin/ssh",
    "/usr/bin/sudo",
    "/usr/bin/logger",
    "/usr/bin/login",
    "/usr/bin/script",
  ].every(isThere);

const RULES = `
title: Login
logsource: { product: linux, category: authentication }
detection: { s: { Action: [login, auth_failure, privilege] }, condition: s }
level: low
---
title: The server starts
logsource: { product: linux, service: sshd }
detection: { keywords: [Server listening on 127.0.0.1], condition: keywords }
level: low
`;

Deno.test({
  name: "logins: real sshd, sudo, su and login become records, and no line fools their reader",
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const mark = `u${crypto.randomUUID().slice(0, 8)}`;
    await Deno.writeTextFile(`${folder}/auth.log`, "");
    await Deno.writeTextFile(`${folder}/rules.yml`, RULES);
    const state = `${folder}/state`;
    const child = immune([
      ...["watch", "--json", "--state", state, "--rules", `${folder}/rules.yml`],
      ...["--logs-file", `${folder}/auth.log`],
    ]).spawn();
    const messages = new Lines(child.stderr);
    const found = new Lines(child.stdout);
    const logins = new Deno.Command("unshare", {
      args: [
        ...["--mount", "--propagation", "private", `${ROOT}tests/support/logins.sh`],
        ...[folder, String(freePort()), mark],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    let running: Deno.ChildProcess | undefined;
    try {
      await messages.find((line) => line.startsWith("Watching"), { waitMs: START_WAIT_MS });
      running = logins.spawn();
      const alerts = await alertsUntil(found, 8);
      await Deno.writeTextFile(`${folder}/done`, "");
      assertEquals((await running.status).code, 0);
      check(alerts, mark);
      await checkStored(state, mark);
    } finally {
      await Deno.writeTextFile(`${folder}/done`, "");
      child.kill("SIGINT");
      await Promise.all([found.drain(), messages.drain(), child.status, running?.status]);
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "logins: journald knows that nobody is not sshd, by whatever way he says so",
  ignore: !canLoadSensor() ||
    !["/lib/systemd/systemd-journald", "/usr/bin/logger", "/usr/sbin/sshd"].every(isThere),
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const mark = `u${crypto.randomUUID().slice(0, 8)}`;
    const running = new Deno.Command("unshare", {
      args: [
        ...["--mount", "--propagation", "private", `${ROOT}tests/support/journald.sh`],
        ...[folder, mark],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      using inlet = new LogInlet({
        files: [],
        journals: [`${folder}/log/journal`],
        positions: { files: {}, journals: {} },
        nowMs: () => Date.now(),
      });
      const writers = new Map<string | undefined, string | undefined>();
      const endsAt = performance.now() + START_WAIT_MS;
      while (writers.size < 3 && performance.now() < endsAt) {
        for (const { told, writer } of inlet.poll()) {
          if (told.user === mark) writers.set(told.from, writer);
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
      }
      assertEquals([...writers].toSorted(), [
        ["203.0.113.1", "other"],
        ["203.0.113.2", "other"],
        ["203.0.113.3", "other"],
      ]);
    } finally {
      await Deno.writeTextFile(`${folder}/done`, "");
      await running.status;
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** What was told of logins, in any order. */
function check(alerts: readonly Alert[], mark: string): void {
  const by = (test: (alert: Alert) => boolean): Alert => {
    const alert = alerts.find(test);
    assert(alert !== undefined, JSON.stringify(alerts.map(({ message }) => message)));
    return alert;
  };
  const accepted = by(({ event, user }) => event.action === "login" && user?.name === "root");
  assertEquals([accepted.source?.ip, accepted.authentication?.method], ["127.0.0.1", "publickey"]);
  const named = by(({ user }) => user?.name?.startsWith("****") === true);
  assertEquals([named.event.action, named.source?.ip], ["auth_failure", "127.0.0.1"]);
  assert(!JSON.stringify(alerts).includes(`Horse9${mark}`), "what was typed for a name is shown");
  const sudo = by(({ authentication }) => authentication?.service === "sudo");
  assertEquals([sudo.event.action, sudo.event.outcome], ["privilege", "success"]);
  assert(sudo.authentication?.command?.includes(mark));
  const su = by(({ authentication }) => authentication?.service === "su");
  assertEquals(su.user?.effective?.name, "nobody");
  const login = by(({ authentication }) => authentication?.service === "login");
  assertEquals([login.event.action, login.user?.name, login.source?.ip], [
    "auth_failure",
    "nobody",
    "192.0.2.77",
  ]);
  const forged = by(({ source }) => source?.ip === "203.0.113.67");
  assertEquals([forged.user?.name, forged.log?.writer], [mark, "other"]);
  by(({ rule, log }) => rule.title === "The server starts" && log?.program === "sshd");
  assertEquals(alerts.filter(({ source }) => source?.ip === "203.0.113.66"), []);
}

/** So many alerts of the rules; others tell what else befell the agent. */
async function alertsUntil(found: Lines, count: number): Promise<readonly Alert[]> {
  const alerts: Alert[] = [];
  while (alerts.length < count) {
    const alert: Alert = JSON.parse(await found.find(() => true, { waitMs: START_WAIT_MS }));
    if (RULES.includes(`title: ${alert.rule.title}\n`)) alerts.push(alert);
  }
  return alerts;
}

/** Nothing of what was typed for a name is in the state folder. */
async function checkStored(state: string, mark: string): Promise<void> {
  for await (const entry of Deno.readDir(`${state}/agent/journal`)) {
    if (!entry.isFile) continue;
    const bytes = await Deno.readFile(`${state}/agent/journal/${entry.name}`);
    assert(!new TextDecoder("latin1").decode(bytes).includes(`Horse9${mark} from`), entry.name);
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
