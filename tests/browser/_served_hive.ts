import type { TestHive } from "../../hive/api/_test_support.ts";
import { serveOperators } from "../../hive/api/mod.ts";

/** The operators' side of a hive, served on a free port. */
export interface ServedHive extends AsyncDisposable {
  readonly hive: TestHive;
  readonly origin: string;
  /** A link that signs in once. */
  loginLink(): string;
}

/**
 * Serves it.
 *
 * @param hive The hive; it goes with the listener.
 */
export async function serveTestHive(hive: TestHive): Promise<ServedHive> {
  const listener = await serveOperators((request, peer) => hive.api.fetch(request, peer), {
    hostname: "127.0.0.1",
    port: 0,
  });
  const origin = `http://127.0.0.1:${listener.port}`;
  return {
    hive,
    origin,
    loginLink: () => `${origin}/login?code=${hive.operators.addLoginCode()}`,
    async [Symbol.asyncDispose](): Promise<void> {
      await listener.stop();
      await hive[Symbol.asyncDispose]();
    },
  };
}
