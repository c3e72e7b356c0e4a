/** Text logs that are read where nothing else is said: Debian's, Red Hat's, auditd's. */
export const LOG_FILES: readonly string[] = [
  "/var/log/auth.log",
  "/var/log/secure",
  "/var/log/audit/audit.log",
];

/** Those of them that a syslog daemon writes. */
export const SYSLOG_FILES: readonly string[] = ["/var/log/auth.log", "/var/log/secure"];

/** Folders with journald's files: on the disk, and until the next boot. */
export const JOURNAL_FOLDERS: readonly string[] = ["/var/log/journal", "/run/log/journal"];
