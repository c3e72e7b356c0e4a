/** What a program is that is killed. */
export interface Killed {
  /** Arguments of its script. */
  readonly args: readonly string[];
  /** It is killed once it printed so many lines; it goes on meanwhile. */
  readonly lines: number;
}

/**
 * Runs a script until SIGKILL ends it, somewhere behind its line.
 *
 * @param script Its address, from `import.meta.url`.
 * @param options Arguments and when.
 * @returns Whole lines that it printed.
 * @throws {Error} when it ended otherwise.
 */
export async function killedAfter(script: URL, options: Killed): Promise<readonly string[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script.pathname, ...options.args],
    stdout: "piped",
  }).spawn();
  const seen: string[] = [];
  let rest = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    const wasWaiting = seen.length < options.lines;
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    seen.push(...lines);
    if (wasWaiting && seen.length >= options.lines) child.kill("SIGKILL");
  }
  const { signal, code } = await child.status;
  if (signal !== "SIGKILL") throw new Error(`The script ended by itself, with ${code}`);
  return seen;
}
