/**
 * The text of an answer, up to a bound.
 *
 * @param response An answer whose body was not read.
 * @param bytesMax Most bytes; the rest is not read.
 * @returns The text.
 */
export async function boundedText(response: Response, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}
