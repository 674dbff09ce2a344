import { holdsAnything, policyAt, type Truth, type World } from './programme-world.ts';

export function withTruth(world: World, changes: Partial<Truth>): World {
  const fault = world.truth.fault ?? changes.fault;
  return { ...world, truth: { ...world.truth, ...changes, fault } };
}

/** Judged by the world, not by the engine. */
export function faultOfUse(
  world: World,
  used: { readonly epoch: number; readonly policy: string; readonly region?: string },
  deed: 'recorded' | 'sent',
): string | undefined {
  const { consent } = world.truth;
  if (consent.state === 'none') return `${deed} without a grant`;
  if (world.policy === 2 && consent.policyVersion !== policyAt(2)?.version) {
    return `${deed} under an outdated policy`;
  }
  if (world.region !== consent.region) return `${deed} for another region`;
  if (used.epoch !== consent.epoch || used.policy !== consent.policyVersion) {
    return `${deed} under another grant`;
  }
  if (used.region !== undefined && used.region !== consent.region)
    return `${deed} to another region`;
  return undefined;
}

export function faultOfErasing(world: World): string | undefined {
  const { consent } = world.truth;
  const isWanted = ({ epoch }: { readonly epoch: number }) =>
    consent.state === 'granted' && consent.epoch === epoch;
  return holdsAnything(world) && world.rows.some(isWanted)
    ? 'erased what nobody wanted erased'
    : undefined;
}
