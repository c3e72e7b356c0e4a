import { assertEquals } from "@std/assert";
import { type Deed, seenOf } from "../support/deeds.ts";
import { canLoadSensor } from "../support/host.ts";

const ignore = !canLoadSensor();
const PACKS = ["ai", "linux"];

/** What rules have to see that ask for more than the words of a command line. */
const DEEDS: readonly Deed[] = [
  { rule: "linux/shell_connects", script: "bash -c ': >/dev/tcp/127.0.0.1/9'; true" },
  {
    rule: "linux/quiet_tool_connects",
    script: "cp /usr/bin/bash $DIR/sleep; $DIR/sleep -c ': >/dev/tcp/127.0.0.1/9'; true",
  },
  {
    rule: "linux/bind_backdoor_port",
    script: "perl -MIO::Socket::INET -e " +
      "'IO::Socket::INET->new(Listen => 1, LocalAddr => q(127.0.0.1:31337))'; true",
  },
  {
    rule: "linux/connect_backdoor_port",
    script: "bash -c ': >/dev/tcp/127.0.0.1/31337'; true",
  },
  { rule: "linux/hidden_directory_program", script: "cp /usr/bin/true $DIR/.ssh/x; $DIR/.ssh/x" },
  { rule: "linux/system_name_in_unusual_place", script: "cp /usr/bin/true $DIR/sshd; $DIR/sshd" },
  { rule: "linux/exec_world_writable_directory", script: "$DIR/curl; true" },
  { rule: "linux/kernel_thread_name_faked", script: "exec -a '[kworker/0:1]' true" },
  {
    rule: "linux/deleted_program_started",
    script: "cp /usr/bin/true $DIR/gone; " +
      "perl -e '$^F = 99; open(F, q(<), q($DIR/gone)); unlink(q($DIR/gone)); " +
      "exec(q(/proc/self/fd/) . fileno(F))'; true",
  },
  {
    rule: "linux/memory_only_program",
    // memfd_create of x86_64 and arm64, then the copy is run through its descriptor.
    script:
      "perl -MPOSIX -MIO::Handle -e '$n = (POSIX::uname())[4] eq q(x86_64) ? 319 : 279; $^F = 99; " +
      "$s = q(quiet); $d = syscall($n, $s, 0); open(F, q(<), q(/bin/true)); open(T, qq(+>&=$d)); " +
      "binmode T; $/ = undef; print T <F>; T->flush; " +
      "exec {qq(/proc/self/fd/$d)} q(true)'; true",
  },
  {
    rule: "linux/program_started_by_loader",
    script:
      "for l in /lib*/ld-linux*.so.* /lib*/ld-musl*; do [ -e $l ] && $l /bin/true; done; true",
  },
  { rule: "linux/shadow_file_read", script: "cat /etc/shadow; true" },
  { rule: "linux/cron_file_changed", script: "echo '# still a test' >> $CRON" },
  {
    rule: "linux/sudoers_changed",
    // sudo reads no file whose name has a dot.
    script:
      "mkdir -p /etc/sudoers.d; echo '# a test' >$DIR/s; mv $DIR/s /etc/sudoers.d/.$UNIQUE; " +
      "rm /etc/sudoers.d/.$UNIQUE; rmdir /etc/sudoers.d 2>/dev/null; true",
  },
  {
    rule: "linux/log_file_removed",
    script: "[ -e /var/log/tallylog ] || { : >/var/log/tallylog; rm /var/log/tallylog; }",
  },
  {
    rule: "linux/secret_file_opened_up",
    script: "k=/root/.ssh/id_ecdsa_sk; [ -e $k ] || { : >$k; chmod 644 $k; rm $k; }",
  },
  {
    rule: "linux/shell_on_socket",
    script: "perl -MIO::Socket::INET -e " +
      "'$l = IO::Socket::INET->new(Listen => 1, LocalAddr => q(127.0.0.1)); " +
      "$c = IO::Socket::INET->new(PeerAddr => q(127.0.0.1), PeerPort => $l->sockport); " +
      "open STDIN, q(<&), $c; open STDOUT, q(>&), $c; exec q(/bin/sh), q(-c), q(:)'",
  },
  {
    rule: "linux/web_server_from_temporary",
    script: "cd /dev/shm && bash -c ': python3 -m http.server 80'; true",
  },
];

/** What looks like a deed, and is none: the rule must be silent. */
const NEAR_MISSES: readonly Deed[] = [
  { rule: "linux/kernel_thread_name_faked", script: "exec -a '[' true" },
  { rule: "linux/program_started_by_loader", script: "ldd /bin/true; true" },
  { rule: "linux/shadow_file_read", script: "cat /etc/passwd; true" },
  { rule: "linux/cron_file_changed", script: "cat $CRON; chmod 644 $CRON" },
  { rule: "linux/log_file_removed", script: ": >>/var/log/tallylog.$UNIQUE; rm /var/log/tally*.*" },
  {
    rule: "linux/secret_file_opened_up",
    script: "k=/root/.ssh/id_ecdsa_sk; [ -e $k ] || { umask 077; : >$k; chmod 640 $k; rm $k; }",
  },
  { rule: "linux/hidden_directory_program", script: "cp /usr/bin/true $DIR/x; $DIR/x" },
  {
    rule: "linux/bind_backdoor_port",
    script: "perl -MIO::Socket::INET -e " +
      "'IO::Socket::INET->new(Listen => 1, LocalAddr => q(127.0.0.1:0))'; true",
  },
];

Deno.test({
  name: "sensor: Linux pack: real processes raise the alerts of its rules",
  ignore,
  fn: async () => {
    const seen = await seenOf(DEEDS, { packs: PACKS });
    assertEquals(DEEDS.filter(({ rule }) => !seen.has(rule)), []);
  },
});

Deno.test({
  name: "sensor: Linux pack: real processes that only look alike raise none",
  ignore,
  fn: async () => assertEquals(await seenOf(NEAR_MISSES, { packs: PACKS }), new Set()),
});
