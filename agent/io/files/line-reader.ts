/** `line` is counted from 1. `text` is undefined for a line that is too long; the rest of it is skipped. */
export type Line = { readonly line: number; readonly text: string | undefined };

/** Lines of UTF-8, asked for one by one; never more than one of them, and a chunk, in memory. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  longestBytes: number,
): AsyncGenerator<Line> {
  let parts: Uint8Array[] = [];
  let sizeBytes = 0;
  let line = 0;
  const take = (part: Uint8Array) => {
    sizeBytes += part.length;
    if (sizeBytes > longestBytes) parts = [];
    else parts.push(part);
  };
  const finished = (): Line => {
    line += 1;
    const text = sizeBytes > longestBytes ? undefined : Buffer.concat(parts).toString('utf8');
    parts = [];
    sizeBytes = 0;
    return { line, text };
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      yield finished();
    }
    take(chunk.subarray(from));
  }
  if (sizeBytes > 0) yield finished();
}
