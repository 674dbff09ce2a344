const blockBytes = 4096;

/**
 * Where in a medium each of these is found first, of those that are there. Blocks of zeros are passed over: a medium
 * is mostly that.
 */
export function foundIn(medium: Buffer, sought: readonly Buffer[]): readonly number[] {
  const runs = usedRuns(medium);
  return sought.flatMap((each) => {
    for (const [from, to] of runs) {
      const at = medium.subarray(from, to).indexOf(each);
      if (at >= 0) return [from + at];
    }
    return [];
  });
}

/** [from, to) of neighbouring blocks that hold anything. */
function usedRuns(medium: Buffer): readonly (readonly [number, number])[] {
  const zeros = Buffer.alloc(blockBytes);
  const runs: [number, number][] = [];
  for (let from = 0; from < medium.length; from += blockBytes) {
    const to = Math.min(from + blockBytes, medium.length);
    if (medium.subarray(from, to).equals(zeros.subarray(0, to - from))) continue;
    const last = runs.at(-1);
    if (last?.[1] === from) last[1] = to;
    else runs.push([from, to]);
  }
  return runs;
}
