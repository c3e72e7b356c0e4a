import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { FakeClock, ImmuneError } from "../../common/config/mod.ts";
import { inFolder, makeRequest } from "./_test_support.ts";
import { Authority } from "./authority.ts";
import { ClientCertificateChecker } from "./client_certificate.ts";
import { AUTHORITY_DAYS, DAY_MS, OVERLAP_DAYS } from "./dates.ts";
import { checkImported } from "./imported.ts";
import { promoteKeyFiles } from "./promote.ts";
import { openServerCertificate, rotateServerCertificate } from "./server_certificate.ts";
import { PemConverter, X509Certificate } from "./x509.ts";

const NOW_MS = Date.UTC(2031, 4, 6);
const AGENT = "0b0c0d0e-1234-4abc-8def-001122334455";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

function accepts(authority: Authority, pem: string): boolean {
  const authoritiesPem = authority.accepted().map(({ certificatePem }) => certificatePem);
  const checker = new ClientCertificateChecker({ authoritiesPem, fleetId: authority.fleetId });
  return checker.check(new Uint8Array(PemConverter.decodeFirst(pem)), NOW_MS + DAY_MS).ok;
}

async function refusedWith(work: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(work, ImmuneError)).code;
}

Deno.test("Authority.rotate() signs with the new one and accepts both for the overlap", async () => {
  await inFolder(async (folder) => {
    const clock = new FakeClock(NOW_MS);
    const authority = await Authority.open(folder, { clock });
    const { request } = await makeRequest();
    const [first, { fleetId }] = [authority.certificatePem, authority];
    const old = await authority.sign(request, { agentId: AGENT });
    const oldKey = Deno.readTextFileSync(`${folder}/ca.key`);
    await authority.rotate();
    assertNotEquals(authority.certificatePem, first);
    assertEquals(authority.fleetId, fleetId);
    const fresh = await authority.sign(request, { agentId: AGENT });
    assertEquals([old, fresh].map(({ pem }) => accepts(authority, pem)), [true, true]);
    assertEquals(authority.accepted().map((each) => each.acceptedUntilMs), [
      null,
      NOW_MS + OVERLAP_DAYS * DAY_MS,
    ]);
    // The key that signed before is nowhere any more.
    assertNotEquals(Deno.readTextFileSync(`${folder}/ca.key`), oldKey);
    assertEquals(namesIn(folder), ["ca.former.json", "ca.key", "ca.pem", "fleet"]);
    const again = await Authority.open(folder, { clock });
    assertEquals(again.accepted(), authority.accepted());
    assertEquals(await refusedWith(() => authority.rotate()), "ROTATION_TOO_EARLY");
    clock.advance(OVERLAP_DAYS * DAY_MS);
    assertEquals(authority.accepted().length, 1);
    assertEquals([old, fresh].map(({ pem }) => accepts(authority, pem)), [false, true]);
    await authority.rotate();
  });
});

Deno.test("Authority.rotate() without an overlap ends all that was signed before", async () => {
  await inFolder(async (folder) => {
    const authority = await Authority.open(folder, { clock: new FakeClock(NOW_MS) });
    const { request } = await makeRequest();
    await authority.rotate();
    const old = await authority.sign(request, { agentId: AGENT });
    await authority.rotate({ overlapDays: 0 });
    assertEquals([authority.accepted().length, accepts(authority, old.pem)], [1, false]);
    for (const overlapDays of [-1, NaN, 400]) {
      assertEquals(await refusedWith(() => authority.rotate({ overlapDays })), "USAGE");
    }
  });
});

Deno.test("Authority.sign() never signs beyond its own end", async () => {
  await inFolder(async (folder) => {
    const clock = new FakeClock(NOW_MS);
    const authority = await Authority.open(folder, { clock });
    clock.advance((AUTHORITY_DAYS - 5) * DAY_MS);
    const { request } = await makeRequest();
    const signed = await authority.sign(request, { agentId: AGENT });
    assertEquals(signed.notAfterMs, NOW_MS + AUTHORITY_DAYS * DAY_MS);
  });
});

Deno.test("rotateServerCertificate() shows what was pinned already, and pins a new one", async () => {
  await inFolder(async (folder) => {
    const clock = new FakeClock(NOW_MS);
    const first = await openServerCertificate(folder, { clock });
    assertNotEquals(first.fingerprint, first.successor.fingerprint);
    assertEquals(
      await refusedWith(() => rotateServerCertificate(folder, { clock })),
      "ROTATION_TOO_EARLY",
    );
    clock.advance(DAY_MS);
    const second = await rotateServerCertificate(folder, { clock });
    assertEquals(second.fingerprint, first.successor.fingerprint);
    assertNotEquals(second.pinSet, first.pinSet);
    assertEquals(await openServerCertificate(folder, { clock }), second);
    const third = await rotateServerCertificate(folder, { clock, force: true });
    assertEquals(third.fingerprint, second.successor.fingerprint);
    assertEquals(namesIn(folder), [
      "server.key",
      "server.next.key",
      "server.next.pem",
      "server.pem",
    ]);
  });
});

Deno.test("promoteKeyFiles() comes to the same end from every place where it stopped", async () => {
  const names = ["a", "b", "c"];
  const start = names.flatMap((name) => [`${name}.key`, `${name}.pem`]);
  const steps = [["b.key", "a.key"], ["b.pem", "a.pem"], ["c.key", "b.key"], ["c.pem", "b.pem"]];
  for (let stopped = 0; stopped <= steps.length; stopped++) {
    await inFolder((folder) => {
      for (const name of start) Deno.writeTextFileSync(`${folder}/${name}`, name);
      for (const [from, to] of steps.slice(0, stopped)) {
        Deno.renameSync(`${folder}/${from}`, `${folder}/${to}`);
      }
      promoteKeyFiles(folder, names);
      const held = namesIn(folder).map((name) => Deno.readTextFileSync(`${folder}/${name}`));
      assertEquals(namesIn(folder), ["a.key", "a.pem", "b.key", "b.pem"]);
      assertEquals(held, ["b.key", "b.pem", "c.key", "c.pem"]);
    });
  }
});

Deno.test("promoteKeyFiles() throws a key away whose certificate never came to be", async () => {
  await inFolder((folder) => {
    for (const name of ["a.key", "a.pem", "b.key"]) Deno.writeTextFileSync(`${folder}/${name}`, "");
    assertEquals(promoteKeyFiles(folder, ["a", "b"]), false);
    assertEquals(namesIn(folder), ["a.key", "a.pem"]);
  });
});

Deno.test("Authority.rotate() to one from outside: an intermediate one signs from then on", async () => {
  await inFolder(async (folder) => {
    const clock = new FakeClock(Date.now() + 5000);
    const authority = await Authority.open(folder, { clock });
    const given = await outside(folder, "basicConstraints=critical,CA:TRUE,pathlen:0");
    const options = { fleetId: authority.fleetId, nowMs: clock.nowMs() };
    await authority.rotate({ fresh: await checkImported(given, options) });
    const [now, before] = authority.accepted();
    assertEquals([now?.external, now?.constraint], [true, "wider"]);
    assertEquals([before?.external, before?.constraint], [false, "fleet"]);
    const { request } = await makeRequest();
    const { pem } = await authority.sign(request, { agentId: AGENT });
    const publicKey = new X509Certificate(given.certificatePem);
    assert(await new X509Certificate(pem).verify({ publicKey, date: new Date() }));
  });
});

Deno.test("checkImported() says what is wrong with an authority from outside", async () => {
  await inFolder(async (folder) => {
    const { fleetId } = await Authority.open(folder);
    const nowMs = Date.now() + 5000;
    const why = async (given: Parameters<typeof checkImported>[0], at = nowMs): Promise<string> => {
      const check = (): Promise<unknown> => checkImported(given, { fleetId, nowMs: at });
      return (await assertRejects(check, ImmuneError)).message;
    };
    const ca = "basicConstraints=critical,CA:TRUE";
    const good = await outside(folder, ca);
    const other = await outside(folder, ca);
    const refused = "Cannot import this authority: ";
    assertEquals(
      await why(await outside(folder, "basicConstraints=CA:FALSE")),
      `${refused}it may sign nothing (no CA)`,
    );
    assertEquals(
      await why(await outside(folder, ca, "extendedKeyUsage=serverAuth")),
      `${refused}what it signs may not be used by clients`,
    );
    assertEquals(
      await why(await outside(folder, ca, "nameConstraints=critical,permitted;DNS:hive.example")),
      `${refused}it may not name hosts of this fleet, "${fleetId}"`,
    );
    assertEquals(
      await why({ ...good, keyPem: other.keyPem }),
      `${refused}the key is another one's`,
    );
    assertEquals(
      await why({ ...good, keyPem: "no key" }),
      `${refused}its key is no ECDSA P-256 key in PKCS #8`,
    );
    assertEquals(
      await why({ ...good, certificatePem: "none" }),
      `${refused}its certificate cannot be read`,
    );
    assertEquals(await why(good, nowMs - 2 * DAY_MS), `${refused}it does not hold yet`);
    assertEquals(
      await why(good, nowMs + 300 * DAY_MS),
      `${refused}it does not hold for 30 days more`,
    );
  });
});

/** An intermediate authority, signed by a root of its own, as a company would hand it over. */
async function outside(
  folder: string,
  ...extensions: readonly string[]
): Promise<{ readonly certificatePem: string; readonly keyPem: string }> {
  const name = crypto.randomUUID();
  const openssl = async (args: readonly string[]): Promise<void> => {
    const { success, stderr } = await new Deno.Command("openssl", { args: [...args], cwd: folder })
      .output();
    assert(success, new TextDecoder().decode(stderr));
  };
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl([
    "req",
    "-x509",
    ...ec,
    "-keyout",
    "root.key",
    "-out",
    "root.pem",
    "-subj",
    "/CN=r",
  ]);
  const usage = extensions.includes("basicConstraints=CA:FALSE") ? [] : ["keyUsage=keyCertSign"];
  await openssl([
    ...["req", "-x509", ...ec, "-CA", "root.pem", "-CAkey", "root.key", "-days", "320"],
    ...["-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", "/CN=intermediate"],
    ...[...extensions, ...usage].flatMap((extension) => ["-addext", extension]),
  ]);
  return {
    certificatePem: Deno.readTextFileSync(`${folder}/${name}.pem`),
    keyPem: Deno.readTextFileSync(`${folder}/${name}.key`),
  };
}
