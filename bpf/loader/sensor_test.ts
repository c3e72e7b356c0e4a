import { assertEquals } from "@std/assert";
import { buildSensorTest } from "../../build/live_tests.ts";
import { buildSensor } from "../../build/sensor.ts";
import { canLoadSensor } from "../../tests/support/host.ts";
import { sensorTest } from "../../tests/support/probe.ts";

/** What each live test of `sensor_test.c` proves on the running kernel. */
const TESTS: Readonly<Record<string, string>> = {
  counts: "immune_sensor_stats() adds up against an independent count of 300 programs",
  overflow:
    "immune_sensor_stats() ring_full is exactly what is missing, as gaps, with a page of ring",
  flood: "immune_sensor_poll() loses no exec while opens overrun their ring",
  order: "immune_sensor_poll() tells of a process before what it does",
  exec: "exec record of a script has interpreter, script, argv, device and inode",
  paths: "paths are flagged when from memory, whole up to the bound, cut and flagged beyond it",
  exits: "exit record comes once a process, with code and signal",
  identity: "identity record comes for a real change only, while the policy asks for it",
  sockets: "connect and bind records normalise IPv4-mapped addresses and keep IPv6",
  datagrams: "connect record comes once a socket and receiver of datagrams that name him",
  compat: "open record of an int 0x80 call is flagged and has the path",
  policy: "immune_sensor_policy() refuses what does not hold, filters and counts unwanted kinds",
  wake: "immune_sensor_poll() ends its wait for an exec and for immune_sensor_wake()",
  gather: "immune_sensor_poll() gathers for an interval, but not when woken or a ring fills",
  starts: "starts of a program that are read together are one look at its file, for the last one",
  snapshot: "snapshot tells of every process, parents before children",
  wrap: "immune_sensor_poll() gives records over the end of a ring as they are",
  backlog: "immune_sensor_poll() keeps a watched open until its process was told of",
  names: "a component over 255 bytes is cut and flagged, not shown as another name",
  marks: "exec record has the role of the program's marks, of each type, and no other's",
  labels: "immune_sensor_label() labels a process and all that descends from it afterwards",
  number_reused: "a watched open is its process's, though its thread has an ended one's number",
  crowd: "a snapshot of more processes than there is room for has each once, and counts the rest",
  turned_away: "a process that the map has no room for may have any role of those turned away",
  exits_once: "exit record comes once of threads that end together, also once the map was full",
  label_ids: "a change of ids takes nothing of a label back, nor lets an older one in",
  policy_undone: "immune_sensor_policy() that fails half way leaves the policy before in force",
  descent: "a role that begins in the kernel is on every fork below, of one session",
  adopted: "a process has no role of who adopted it, only of who made it",
  unhooked:
    "immune_sensor_verify() that attaches fork or exit again labels what came, forgets what ended",
  flows: "listen, accept and flow records have both ends, the owner, and bytes to the last one",
  public_peers:
    "accept and flow records of loopback are counted as filtered when nobody wants them",
  old_listener: "accept record has the owner of a socket that listened before the sensor",
  listeners: "accept and flow records have who listened by the socket, whoever shares its port",
  fast_open: "accept record of TCP Fast Open has the owner of the socket that listened",
  fast_end: "accept and flow records of TCP Fast Open come also where the end comes first",
  full_maps: "accept and flow records are told as unresolved, and counted, when maps are full",
  old_connections: "flow record of a connection older than the sensor says which end asked for it",
  stale_connections: "accept record comes whatever is left of an older socket at its address",
  dns: "dns records have question and answer once each, by datagram and by stream",
  dns_many: "dns records of a packet with many questions: the first by name, the rest counted",
  streams: "exec record tells standard streams that are IP sockets, and the peer",
  signals: "signal record comes for a guarded process of another session only",
  owned_files: "signal record of a file that signals the sensor has no sender, and is told",
  timer_signals: "signals of a timer are nobody's, those that only say so are told",
  attach: "access record comes when a debugger attaches to a guarded process, or has a role",
  hidden: "process record is flagged when something lies over its folder in /proc, also later on",
  device_again: "immune_sensor_verify() attaches the program of devices again, which sees again",
  device_room:
    "immune_sensor_unwatched() counts a watch whose devices found no room, a loss tells it",
  errors: "immune_error() has a line of its own for every failure, never that of one before",
  mark_bounds: "immune_enforce_policy() leaves out and counts what is too much to mark, and holds",
  hash_tick: "hash_cache_ask() reads again what was read within the tick of its change",
  fuse: "a program that FUSE serves is told and hashed, its long names are cut and flagged",
  fuse_still: "hashes and policies go on while a FUSE server stands still",
  fuse_enforced: "immune_enforce_policy() by hash counts what FUSE serves, by place it says so",
  fuse_asks: "immune_enforce_policy() asks no FUSE server for rights",
  fuse_overlay: "programs in an overlay of a user namespace are hashed",
  fuse_mute: "FUSE servers that never answer keep a few helpers waiting, and nobody else",
};

const folder = await Deno.makeTempDir({ prefix: "immune-sensor-test-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const program = `${folder}/sensor_test`;
if (canLoadSensor()) await compile();

for (const [name, title] of Object.entries(TESTS)) {
  if (name.startsWith("fuse")) Deno.test(`FUSE: ${title}`, { ignore: !hasFuse() }, () => run(name));
  else sensorTest(title, () => run(name));
}

sensorTest("sensor_test.c has no test that is not run here", async () => {
  const { stdout } = await new Deno.Command(program).output();
  assertEquals(new TextDecoder().decode(stdout).trim().split("\n"), Object.keys(TESTS));
});

async function run(name: string): Promise<void> {
  const { code, stderr } = await new Deno.Command(program, { args: [name] }).output();
  assertEquals({ code, said: new TextDecoder().decode(stderr) }, { code: 0, said: "" });
}

function hasFuse(): boolean {
  try {
    return canLoadSensor() && Deno.statSync("/dev/fuse").isCharDevice === true;
  } catch {
    return false;
  }
}

async function compile(): Promise<void> {
  await buildSensor();
  await buildSensorTest(program);
}
