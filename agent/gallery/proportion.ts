/**
 * `events` of `trials`, with the 95 % interval of Wilson (1927). `share` is null where nothing was
 * tried; the interval is then all of 0…1. Wilson and not the plain normal one, because that is empty
 * at zero events, the very case a door is about; Wilson's is never below 0 or above 1. It takes the
 * trials for independent: several pictures of one person make the true interval somewhat wider.
 */
export type Proportion = {
  readonly events: number;
  readonly trials: number;
  readonly share: number | null;
  readonly low95: number;
  readonly high95: number;
};

export function proportion(events: number, trials: number): Proportion {
  if (!Number.isSafeInteger(events) || !Number.isSafeInteger(trials)) {
    throw new TypeError(`a proportion is made of whole numbers, not ${events} of ${trials}`);
  }
  if (events < 0 || events > trials) throw new TypeError(`${events} of ${trials} is no proportion`);
  if (trials === 0) return { events, trials, share: null, low95: 0, high95: 1 };
  const share = events / trials;
  const z2 = z95 * z95;
  const centre = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half =
    (z95 / (1 + z2 / trials)) *
    Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials));
  // At 0 and at all the exact bounds are 0 and 1; rounding alone would leave them a hair away.
  return {
    events,
    trials,
    share,
    low95: events === 0 ? 0 : Math.max(0, centre - half),
    high95: events === trials ? 1 : Math.min(1, centre + half),
  };
}

/** The standard normal distribution has 95 % between -z and z. */
const z95 = 1.959963984540054;
