/** `at`: so many entries of the log had come to the disk. */
export type Cut = { readonly at: number; readonly mode: CutMode };

/**
 * What became of that which was written since the disk was last told to flush. 'all': everything is on the medium.
 * 'drop': of every write whether it is, chance says. 'torn': of every sector of it.
 */
export const cutModes = ['drop', 'all', 'torn'] as const;
export type CutMode = (typeof cutModes)[number];

/** A whole number from 0 to `below`, without it. */
export type Dice = (below: number) => number;

export function diceOf(chance: (sizeBytes: number) => Uint8Array): Dice {
  return (below) => Buffer.from(chance(4)).readUInt32LE() % below;
}

/**
 * Every other cut comes right after an acknowledgement, where a promise is youngest, the others anywhere; all modes
 * alike. In the order of the log.
 */
export function chooseCuts(
  entries: number,
  acknowledgedAt: readonly number[],
  count: number,
  dice: Dice,
): readonly Cut[] {
  const cuts = Array.from({ length: count }, (_, n): Cut => {
    const mode = cutModes[Math.floor(n / 2) % cutModes.length] ?? 'drop';
    const told = acknowledgedAt[dice(Math.max(1, acknowledgedAt.length))];
    if (n % 2 === 0 && told !== undefined) return { at: told + 1, mode };
    return { at: dice(entries + 1), mode };
  });
  return cuts.toSorted((a, b) => a.at - b.at);
}
