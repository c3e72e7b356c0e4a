import { assert, assertEquals } from "@std/assert";
import type { CDPSession, Page } from "playwright-core";
import { PASSWORD } from "../../hive/operators/_test_support.ts";
import { totpCode } from "../../hive/operators/totp.ts";
import { browserTest, checkPage, type Setting, signIn } from "./_console.ts";

/** The host's owner makes the account "ada" and is signed in to it. */
async function makeAccount(setting: Setting): Promise<void> {
  const { page } = setting;
  await signIn(setting);
  await page.getByRole("link", { name: /Account/ }).click();
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Make account" }).click();
  await page.getByText("Your role is admin.").waitFor();
}

async function signOut({ page, served }: Setting): Promise<void> {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${served.origin}/login`);
}

browserTest("an account is made, signed out of and into again by keys alone", async (setting) => {
  const { page, complaints, served } = setting;
  await makeAccount(setting);
  await signOut(setting);
  const focused = (): Promise<unknown> => page.evaluate("document.activeElement.id");
  assertEquals(await focused(), "name");
  await page.keyboard.type("ada");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Tab");
  assertEquals(await focused(), "totp");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${served.origin}/`);
  assertEquals(await page.locator("nav a[aria-current=page]").innerText(), "Overview");
  assertEquals(complaints, []);
});

browserTest("an authenticator app is set up, and then asked for", async (setting) => {
  const { page, served, complaints } = setting;
  await makeAccount(setting);
  await page.getByRole("button", { name: "Set up an app" }).click();
  const secret = await page.locator("#totp-secret").innerText();
  const code = (): string => totpCode(secret, served.hive.clock.nowMs());
  await page.getByLabel("Code that the app shows").fill(code());
  await page.getByRole("button", { name: "Confirm" }).click();
  assertEquals(await page.locator(".codes li").count(), 10);
  assertEquals(complaints, []);
  await signOut(setting);
  const enter = async (totp: string): Promise<void> => {
    await page.getByLabel("Name", { exact: true }).fill("ada");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("Code", { exact: true }).fill(totp);
    await page.getByRole("button", { name: "Sign in" }).first().click();
  };
  await enter("");
  await page.getByRole("alert").filter({ hasText: "Cannot sign in" }).waitFor();
  served.hive.clock.advance(30_000);
  await enter(code());
  await page.waitForURL(`${served.origin}/`);
});

async function authenticator(
  page: Page,
): Promise<{ readonly cdp: CDPSession; readonly id: string }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId: id } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, id };
}

browserTest("a passkey is added, signs in, and is refused when it is a copy", async (setting) => {
  const { page, served, complaints } = setting;
  // A passkey belongs to a name; an address has none.
  const origin = served.origin.replace("127.0.0.1", "localhost");
  const { cdp, id } = await authenticator(page);
  await page.goto(served.loginLink().replace("127.0.0.1", "localhost"));
  await page.waitForURL(`${origin}/`);
  await makeAccountHere(page);
  await page.getByLabel("What you call it").fill("laptop");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("for localhost, since").waitFor();
  const { credentials: [made] } = await cdp.send("WebAuthn.getCredentials", {
    authenticatorId: id,
  });
  assert(made !== undefined);
  const enter = async (): Promise<void> => {
    await page.context().clearCookies();
    await page.goto(`${origin}/login`);
    await page.getByRole("button", { name: "Use a passkey" }).click();
  };
  await enter();
  await page.waitForURL(`${origin}/`);
  await enter();
  await page.waitForURL(`${origin}/`);
  assertEquals(complaints, []);
  // The copy was made before it was used: its counter stands where the passkey's once stood.
  await cdp.send("WebAuthn.removeCredential", {
    authenticatorId: id,
    credentialId: made.credentialId,
  });
  await cdp.send("WebAuthn.addCredential", { authenticatorId: id, credential: made });
  await enter();
  await page.getByRole("alert").filter({ hasText: "does not hold" }).waitFor();
  const [entry] = served.hive.audit.read({ limit: 1 }).entries;
  assertEquals([entry?.decision, entry?.detail?.["method"]], ["refused", "passkey"]);
});

async function makeAccountHere(page: Page): Promise<void> {
  await page.getByRole("link", { name: /Account/ }).click();
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Make account" }).click();
  await page.getByText("Your role is admin.").waitFor();
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 360]) {
    browserTest(
      `people's pages are accessible and not too wide, ${colorScheme}, ${width} px`,
      async (setting) => {
        const { page, served, complaints } = setting;
        await signIn(setting);
        await page.goto(`${served.origin}/account`);
        await checkPage(page, width);
        await makeAccount(setting);
        await page.getByLabel("What it is for").fill("x".repeat(100));
        await page.getByRole("button", { name: "Make token" }).click();
        await page.getByRole("heading", { name: "New API token" }).waitFor();
        await checkPage(page, width);
        await page.getByRole("button", { name: "Set up an app" }).click();
        await checkPage(page, width);
        await page.goto(`${served.origin}/users`);
        await page.getByLabel("Name").fill(`${"long-name-".repeat(6)}bob`);
        await page.getByRole("button", { name: "Add", exact: true }).click();
        await page.getByRole("heading", { name: /A link for/ }).waitFor();
        await checkPage(page, width);
        await page.getByLabel(/Role of long/).selectOption("responder");
        await page.getByRole("button", { name: /Set role long/ }).click();
        await page.getByText("Another person has to approve it").waitFor();
        await page.goto(`${served.origin}/approvals`);
        await checkPage(page, width);
        await page.getByRole("button", { name: /Deny/ }).click();
        await page.getByRole("heading", { name: "Decided" }).waitFor();
        await checkPage(page, width);
        await page.goto(`${served.origin}/audit`);
        await page.getByText("hang together").waitFor();
        await checkPage(page, width);
        assertEquals(complaints, []);
      },
      {
        colorScheme,
        viewport: { width, height: 800 },
        operators: { twoPerson: ["user.role"] },
      },
    );
  }
}
