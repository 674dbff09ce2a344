import type { Place } from '../agent.ts';
import { hmacSha256 } from '../io/files/digests.ts';
import { randomSecret } from '../io/process/chance.ts';
import { layoutOf } from '../io/process/environment.ts';
import { wipe } from '../io/process/secure-memory.ts';
import { readEpochKey } from '../io/programme/epoch-key.ts';
import type { ConsentState } from './consent-state.ts';
import type { NightPorts } from './night-shift.ts';
import type { Outside } from './outside.ts';
import type { ProgrammeParts } from './programme.ts';

/** Undefined: nothing is ever sent, and no socket opened: the settings name no cloud, or DO_NOT_TRACK is set. */
export function nightPortsOf(
  place: Place,
  { cloud, timers, doNotTrack }: Outside,
  parts: Pick<
    ProgrammeParts,
    'consent' | 'time' | 'toLocalTime' | 'records' | 'outbox' | 'memory' | 'ledger'
  >,
  runDay: () => number,
): NightPorts | undefined {
  if (cloud === undefined || doNotTrack) return undefined;
  const { consent, time, toLocalTime, records, outbox, memory, ledger } = parts;
  const { epochKey } = layoutOf(place.dataDir);
  return {
    cloud: cloud.port,
    rules: cloud.rules,
    consent,
    records: {
      oldest: (most) => records.store().oldest(most),
      forget: (ids) => records.store().forget(ids),
      counts: () => records.store().counts(),
    },
    outbox,
    memory: memory.upload,
    ledger: {
      append: (event) => ledger.append([event]),
      hashOfKey: (key) => saltedHash(epochKey, key),
    },
    clock: time.watched,
    toLocalTime,
    runDay,
    timers,
  };
}

/** Of the grant: two devices share none. Where nothing is granted, only orders are left to send. */
export function nightSecretOf(consent: ConsentState): string {
  const { consent: state, orders } = consent.programme();
  return state.state === 'granted' ? state.consentId : (orders[0]?.erasureId ?? '');
}

/** Under the key of the grant: when that is destroyed, nobody can try out keys any more. */
function saltedHash(keyFile: string, text: string): string {
  const key = readEpochKey(keyFile);
  const secret = key.kind === 'key' ? key.bytes : randomSecret(32);
  try {
    return Buffer.from(hmacSha256(secret, `object key ${text}`)).toString('hex');
  } finally {
    wipe(secret);
  }
}
