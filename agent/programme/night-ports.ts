import type { Place } from '../agent.ts';
import { hmacSha256, sha256Hex } from '../io/files/digests.ts';
import { readTextFile } from '../io/files/text-file.ts';
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
    settings: () => cloudSettingsHash(place),
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
      erasureConfirmedOn: (localDate) =>
        ledger
          .entries()
          .some(
            ({ what, at }) => what === 'erasure-confirmed' && toLocalTime(at).date === localDate,
          ),
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

/** Of every setting of the cloud, and of the certificate by which this device is linked to it. */
export function cloudSettingsHash({ config }: Pick<Place, 'config'>): string {
  const settings = Object.entries(config)
    .filter(([name]) => name.startsWith('cloud.'))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([settings, certificateOf(config['cloud.certificate'])]);
  return sha256Hex(Buffer.from(text));
}

/** One that cannot be read is said by the night that needs it. */
function certificateOf(file: string | null): string | null {
  try {
    return file === null ? null : readTextFile(file, mostPemBytes);
  } catch {
    return null;
  }
}

const mostPemBytes = 1024 * 1024;
