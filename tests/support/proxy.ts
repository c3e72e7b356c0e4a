/** A small HTTP proxy that knows CONNECT alone (RFC 9110, section 9.3.6). */
export class ConnectProxy implements AsyncDisposable {
  /** Targets that were asked for, `HOST:PORT`. */
  readonly targets: string[] = [];
  /** Tunnels that are open. */
  readonly #open = new Set<Deno.TcpConn>();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #accepting: Promise<void>;

  constructor() {
    this.#accepting = this.#accept();
  }

  /** Where it listens. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Cuts every tunnel. */
  cut(): void {
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) void this.#serve(client).catch(() => close(client));
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    const head = await headOf(client);
    const target = /^CONNECT ([\w.]+):(\d+) HTTP\/1\.1\r\n/.exec(head);
    if (target === null) {
      await client.write(new TextEncoder().encode("HTTP/1.1 405 No\r\n\r\n"));
      return close(client);
    }
    const [, hostname = "", port = ""] = target;
    this.targets.push(`${hostname}:${port}`);
    const server = await Deno.connect({ hostname, port: Number(port) });
    this.#open.add(client).add(server);
    await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
    const both = [client.readable.pipeTo(server.writable), server.readable.pipeTo(client.writable)];
    await Promise.allSettled(both);
    this.#open.delete(client);
    this.#open.delete(server);
  }
}

/** The request's head; nothing comes behind it before it is answered. */
async function headOf(client: Deno.TcpConn): Promise<string> {
  const bytes = new Uint8Array(4096);
  let length = 0;
  for (;;) {
    const read = await client.read(bytes.subarray(length));
    if (read === null || length + read === bytes.length) throw new Error("No request's head");
    length += read;
    const head = new TextDecoder().decode(bytes.subarray(0, length));
    if (head.endsWith("\r\n\r\n")) return head;
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
