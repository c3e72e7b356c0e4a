/** Linux capabilities in the order of their numbers (capabilities(7)). */
const NAMES = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE " +
  "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO " +
  "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME " +
  "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG " +
  "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split(" ");

/**
 * Names of the capabilities of a set.
 *
 * @param mask Hexadecimal, as in /proc/PID/status.
 * @returns `CAP_...`, in the order of their numbers; one that this version does not know is
 * `CAP_` and its number.
 */
export function capabilityNames(mask: string): readonly string[] {
  const names: string[] = [];
  let bits = BigInt(`0x${mask}`);
  for (let number = 0; bits > 0n; number++, bits >>= 1n) {
    if ((bits & 1n) === 1n) names.push(`CAP_${NAMES[number] ?? number}`);
  }
  return names;
}
