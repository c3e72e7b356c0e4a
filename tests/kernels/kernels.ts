/** Architectures that guests have. */
export type GuestArch = "x86_64" | "aarch64";

/** A kernel of Debian. */
export interface Kernel {
  /** As it is asked for on the command line. */
  readonly name: string;
  readonly arch: GuestArch;
  /** Of the package that has its image; of several the newest is taken. */
  readonly package: RegExp;
  /** Where that package is. */
  readonly suite: Suite;
}

/** A suite of Debian, as sources.list names it. */
export interface Suite {
  /** Path of the archive on a mirror. */
  readonly archive: "debian" | "debian-security";
  readonly name: string;
}

const BULLSEYE: Suite = { archive: "debian-security", name: "bullseye-security" };
/** Where packages for other architectures come from: the system that this one is like. */
export const BOOKWORM: Suite = { archive: "debian", name: "bookworm" };
export const BOOKWORM_SECURITY: Suite = { archive: "debian-security", name: "bookworm-security" };
const BACKPORTS: Suite = { archive: "debian", name: "trixie-backports" };

/** Kernels of the matrix, oldest first. */
export const KERNELS: readonly Kernel[] = [
  kernel("5.10", BULLSEYE, /^linux-image-5\.10\.[\w.+-]+-cloud-amd64$/),
  kernel("6.1", BOOKWORM_SECURITY, /^linux-image-6\.1\.[\w.+-]+-cloud-amd64$/),
  kernel("6.12", BOOKWORM_SECURITY, /^linux-image-6\.12\.[\w.+-]+-cloud-amd64$/),
  kernel("6.18", BACKPORTS, /^linux-image-6\.18\.[\w.+-]+-cloud-amd64$/),
  // From 6.19 on the image is in a package of its own, without the modules.
  kernel("6.19", BACKPORTS, /^linux-binary-6\.19\.[\w.+-]+-cloud-amd64$/),
  kernel("7", BACKPORTS, /^linux-binary-7\.[\w.+-]+-cloud-amd64$/),
  {
    name: "6.1-arm64",
    arch: "aarch64",
    suite: BOOKWORM_SECURITY,
    package: /^linux-image-6\.1\.[\w.+-]+-cloud-arm64$/,
  },
];

function kernel(name: string, suite: Suite, pattern: RegExp): Kernel {
  return { name, arch: "x86_64", suite, package: pattern };
}

/**
 * Orders versions as people read them: 6.9 before 6.12.
 *
 * @param a One text with numbers in it.
 * @param b The other.
 * @returns Below 0 when `a` is older.
 */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
