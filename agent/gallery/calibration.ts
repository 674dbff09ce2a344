/** What one device key says: the least score that keeps to the target, and what residents pay for it. */
export type KeyThreshold = {
  readonly threshold: number;
  /** FNIR, or FNMR where pairs were compared. */
  readonly missRate: number;
};

export type Calibration = {
  /** For the settings or the manifest: holds under every key, rounded up. */
  readonly threshold: number;
  readonly perKey: readonly KeyThreshold[];
};

/** Thresholds are stated in steps of this: finer than what a thousand strangers can tell apart. */
const step = 0.005;

/**
 * A device's key is drawn at random and moves the scores a little: the threshold is the highest that any of
 * the keys tried asks for, rounded up, so that no device lets in more strangers than the target.
 * @throws TypeError without a key
 */
export function calibrate(perKey: readonly KeyThreshold[]): Calibration {
  if (perKey.length === 0)
    throw new TypeError('a calibration needs the scores of one key at least');
  const highest = Math.max(...perKey.map(({ threshold }) => threshold));
  const threshold = Number((Math.ceil(highest / step - 1e-9) * step).toFixed(3));
  return { threshold, perKey };
}
