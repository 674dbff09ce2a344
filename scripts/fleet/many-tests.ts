/**
 * Which of many tests say something. With chance `level` or less even one of them is wrong, whatever depends on
 * what (Holm, 1979).
 */
export function holm(chances: readonly number[], level: number): readonly boolean[] {
  const order = byChance(chances);
  const told = new Array<boolean>(chances.length).fill(false);
  for (const [rank, index] of order.entries()) {
    if ((chances[index] ?? 1) > level / (chances.length - rank)) break;
    told[index] = true;
  }
  return told;
}

/**
 * The same where some may be wrong: of those that are told, at most the part `level` on average (Benjamini and
 * Hochberg, 1995). `tests`: how many there were; those whose chances are not given found nothing.
 */
export function falseDiscoveries(
  chances: readonly number[],
  tests: number,
  level: number,
): readonly boolean[] {
  const order = byChance(chances);
  const last = order.findLastIndex(
    (index, rank) => (chances[index] ?? 1) <= (level * (rank + 1)) / tests,
  );
  const told = new Array<boolean>(chances.length).fill(false);
  for (const index of order.slice(0, last + 1)) told[index] = true;
  return told;
}

/** Of `trials` independent ones with this chance each, that `events` or more happen. */
export function binomialTail(events: number, trials: number, chance: number): number {
  if (events <= 0) return 1;
  if (chance <= 0 || events > trials) return 0;
  if (chance >= 1) return 1;
  let logWays = 0;
  for (let i = 1; i <= events; i++) logWays += Math.log((trials - events + i) / i);
  let term = Math.exp(
    logWays + events * Math.log(chance) + (trials - events) * Math.log1p(-chance),
  );
  let sum = 0;
  for (let k = events; k <= trials; k++) {
    sum += term;
    term *= ((trials - k) / (k + 1)) * (chance / (1 - chance));
  }
  return Math.min(1, sum);
}

function byChance(chances: readonly number[]): number[] {
  return [...chances.keys()].sort((a, b) => (chances[a] ?? 1) - (chances[b] ?? 1));
}
