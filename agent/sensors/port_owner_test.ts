import { assertEquals } from "@std/assert";
import { listeningInodes, portOwner } from "./port_owner.ts";

const TABLE =
  `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:270F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0
   1: 0100007F:270F 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0
   2: 0100007F:270E 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0
`;

Deno.test("listeningInodes() takes sockets that listen on the port, not its connections", () => {
  assertEquals(listeningInodes(TABLE, 9999), ["4711"]);
  assertEquals(listeningInodes(TABLE, 9), []);
  assertEquals(listeningInodes("", 9999), []);
});

Deno.test({
  name: "portOwner() names the process that listens",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    let pid: number | undefined;
    // A child has the socket too, and perhaps a lower number, until its own program runs; and the
    // port may be somebody's at another address: so it is another one each time.
    const until = performance.now() + 10_000;
    while (pid !== Deno.pid && performance.now() < until) {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      pid = portOwner(listener.addr.port)?.pid;
      if (pid !== Deno.pid) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals(pid, Deno.pid);
  },
});
