import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ImmuneError, loadConfig } from "../../common/config/mod.ts";
import { HttpServer } from "../../hive/api/http_server.ts";
import { openOrderingHive, type OrderingHive } from "../../tests/support/orders.ts";
import { immune } from "../../tests/support/immune.ts";
import { ApiClient } from "../api.ts";
import { type HandedOut, intoFolder } from "./hand_out.ts";
import { initKillSwitch } from "./init.ts";

/** What becomes of the hive's answer to the key. */
type Answer = (answer: Response) => Response;

/** A hive behind its port, and a folder for shares. */
class Scene implements AsyncDisposable {
  readonly hive: OrderingHive;
  readonly folder: string;
  readonly flags: readonly string[];
  readonly #server: HttpServer;

  private constructor(hive: OrderingHive, folder: string, server: HttpServer) {
    this.hive = hive;
    this.folder = folder;
    this.#server = server;
    Deno.writeTextFileSync(`${folder}/token`, hive.token);
    this.flags = [
      ["--state", folder],
      ["--console", `127.0.0.1:${server.port}`],
      ["--api-token-file", `${folder}/token`],
    ].flat();
  }

  static async open(answer: Answer = (as) => as): Promise<Scene> {
    const hive = await openOrderingHive();
    const server = await HttpServer.listen(async (request, peer) => {
      const given = await hive.api.fetch(request, peer);
      return request.method === "PUT" ? answer(given) : given;
    }, { hostname: "127.0.0.1", port: 0 });
    return new Scene(hive, await Deno.makeTempDir(), server);
  }

  /** Makes a key whose shares go to files; gives what it threw. */
  async fails(): Promise<ImmuneError> {
    const [, , , console = "", , token = ""] = this.flags;
    const { values } = loadConfig({
      flags: { state: this.folder, console, "api-token-file": token },
      environment: {},
    });
    const handOut = (shares: readonly string[]): Promise<HandedOut> =>
      Promise.resolve(intoFolder(shares, `${this.folder}/shares`));
    const options = { holders: 5, threshold: 3, former: [], handOut };
    return await assertRejects(() => initKillSwitch(new ApiClient(values), options), ImmuneError);
  }

  /** Shares on the disk. */
  get files(): number {
    return [...Deno.readDirSync(`${this.folder}/shares`)].length;
  }

  /** Runs the verb with a text on its standard input. */
  async verb(input: string, ...args: readonly string[]): Promise<{ code: number; text: string }> {
    const child = immune(["kill-switch", "init", ...args, ...this.flags], { stdin: "piped" })
      .spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
    const { code, stdout } = await child.output();
    return { code, text: new TextDecoder().decode(stdout) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    await this.hive[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("initKillSwitch() keeps the shares of a key whose answer was lost: it counts", async () => {
  await using scene = await Scene.open(() => {
    // The server ends the connection.
    throw new Error("lost");
  });
  const { code, message } = await scene.fails();
  assertEquals([code, scene.files], ["HIVE_UNREACHABLE", 5]);
  assertMatch(message, /keep its shares until/);
  assertMatch((await scene.hive.commands.stopKey())?.publicKey ?? "", /^[0-9a-f]{64}$/);
});

Deno.test("initKillSwitch() keeps the shares when the hive failed behind taking the key", async () => {
  await using scene = await Scene.open(() =>
    Response.json({ error: { code: "AUDIT_UNWRITABLE", message: "Full" } }, { status: 507 })
  );
  assertEquals([(await scene.fails()).code, scene.files], ["AUDIT_UNWRITABLE", 5]);
});

Deno.test("initKillSwitch() takes the shares back when the hive refused the key", async () => {
  await using scene = await Scene.open(() =>
    Response.json({ error: { code: "FORBIDDEN", message: "No" } }, { status: 403 })
  );
  assertEquals([(await scene.fails()).code, scene.files], ["FORBIDDEN", 0]);
});

Deno.test("kill-switch init --paper prints shares first, and sends nothing until they are written", async () => {
  await using scene = await Scene.open();
  const json = await scene.verb("written\n", "--paper", "--json");
  assertEquals([json.code, json.text], [2, ""]);
  const unheard = await scene.verb("no\n", "--paper");
  assertEquals([unheard.code, unheard.text.match(/IMMUNE-SHARE-/g)?.length], [2, 5]);
  assertEquals(await scene.hive.commands.stopKey(), undefined);
  const heard = await scene.verb("written\n", "--paper");
  assertEquals(heard.code, 0);
  const { publicKey = "" } = await scene.hive.commands.stopKey() ?? {};
  assertMatch(heard.text, new RegExp(`^Stop key ${publicKey.slice(0, 16)}: 3 of 5`, "m"));
});
