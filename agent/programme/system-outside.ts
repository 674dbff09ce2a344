import type { Place } from '../agent.ts';
import { systemClock, systemTimers } from '../io/process/clock.ts';
import { doNotTrack } from '../io/process/environment.ts';
import { isClockSynchronised } from '../io/process/native.ts';
import { openCloud } from './cloud.ts';
import type { Outside } from './outside.ts';

/** The outside as it is on a device. */
export async function systemOutside(place: Place): Promise<Outside> {
  return {
    clock: systemClock,
    timers: systemTimers,
    doNotTrack: doNotTrack(),
    isSynchronised: isClockSynchronised,
    cloud: await openCloud(place),
  };
}
