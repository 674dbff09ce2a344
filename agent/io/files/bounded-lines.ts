import { AgentError } from '../../errors.ts';

/**
 * Lines without their line feeds, one by one; the memory of one is used again for the next. What is longer than
 * `longestBytes` is not waited for, however long it goes on (`readLines` of line-reader.ts skips it instead), and
 * an end in the middle of a line makes no line. @throws CONTROL_INVALID in both cases
 */
export async function* boundedLines(
  chunks: AsyncIterable<Uint8Array>,
  longestBytes: number,
): AsyncGenerator<Uint8Array> {
  // One buffer, not a list of pieces: whoever sends single bytes costs no more than others.
  let held = new Uint8Array(Math.min(longestBytes, 1024));
  let sizeBytes = 0;
  const take = (part: Uint8Array) => {
    const nextBytes = sizeBytes + part.length;
    if (nextBytes > longestBytes) {
      throw new AgentError('CONTROL_INVALID', `a line is longer than ${longestBytes} bytes`);
    }
    if (nextBytes > held.length) {
      const larger = new Uint8Array(Math.min(longestBytes, Math.max(nextBytes, 2 * held.length)));
      larger.set(held.subarray(0, sizeBytes));
      held = larger;
    }
    held.set(part, sizeBytes);
    sizeBytes = nextBytes;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      const line = held.subarray(0, sizeBytes);
      sizeBytes = 0;
      yield line;
    }
    take(chunk.subarray(from));
  }
  if (sizeBytes > 0) throw new AgentError('CONTROL_INVALID', 'the last line has no end');
}
