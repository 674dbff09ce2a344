/** The improvement programme, built from its parts: in its own thread beside a door, or in the process of a command. */
import type { Place } from '../agent.ts';
import { randomSecret } from '../io/process/chance.ts';
import { layoutOf } from '../io/process/environment.ts';
import { localTimeIn } from '../io/process/local-time.ts';
import { loadKernels } from '../io/process/native.ts';
import { secureMemory } from '../io/process/secure-memory.ts';
import { ringConsumer } from '../io/programme/attempt-ring.ts';
import { openLedger } from '../io/programme/ledger-file.ts';
import { openOutbox } from '../io/programme/outbox.ts';
import { builtMs } from '../io/programme/release.ts';
import { createAnonymiser } from '../ueip/anonymise.ts';
import type { ToLocalTime } from '../ueip/attempt.ts';
import { attemptOfFault, type DoorFault } from '../ueip/attempt-of-event.ts';
import type { Ledger } from '../ueip/ledger.ts';
import { dayMs } from '../ueip/month.ts';
import type { Outbox } from '../upload/pass.ts';
import { type ConsentState, openConsentState } from './consent-state.ts';
import { createErasing, type Erasing } from './erasing.ts';
import { createHistoryNotes, type HistoryNotes } from './history-notes.ts';
import { nightPortsOf, nightSecretOf } from './night-ports.ts';
import { createNightShift, type NightShift } from './night-shift.ts';
import type { Outside } from './outside.ts';
import { openProgrammeMemory, type ProgrammeMemory } from './programme-memory.ts';
import { createProgrammeRecords, type ProgrammeRecords } from './programme-records.ts';
import { createProgrammeTime, type ProgrammeTime } from './programme-time.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createSweeping } from './sweeping.ts';
import { usedModels } from './used-models.ts';

export type ProgrammeParts = {
  readonly place: Place;
  readonly outside: Outside;
  readonly consent: ConsentState;
  readonly time: ProgrammeTime;
  /** @throws CONFIG_INVALID: there is no such time zone */
  readonly toLocalTime: ToLocalTime;
  readonly records: ProgrammeRecords;
  readonly recorder: Recorder;
  readonly memory: ProgrammeMemory;
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  readonly notes: HistoryNotes;
  readonly night: NightShift;
  readonly erasing: Erasing;
  /** Where the last receipt of this process lies. */
  lastReceiptFile(): string | null;
};

export type ProgrammeAtWork = ProgrammeParts & {
  /** For a timer, once a second. Never throws. */
  work(): void;
  /** What the main thread saw of the door and no event tells. */
  fault(kind: DoorFault): void;
  /** Somebody who must not has tried to speak to the agent. */
  noteRefusal(uid: number | null): void;
  /** Whether anything is to be done without being asked. */
  isNeeded(): boolean;
  /** Stores what may be stored, and lets go of the files. Never rejects. */
  close(): Promise<void>;
};

/**
 * In the order of what must not wait: an erasure that was decided, then what has outlived its month, and
 * only then anything else. Makes no file on a device that was never asked. Opens whatever state the files are in,
 * so that an opt-out can be asked for in every one.
 */
export async function openProgramme(
  place: Place,
  outside: Outside,
  attempts?: SharedArrayBuffer,
): Promise<ProgrammeAtWork> {
  const layout = layoutOf(place.dataDir);
  const { clock } = outside;
  const memory = openProgrammeMemory(place);
  const known = { builtMs, memory: memory.clock() };
  const time = createProgrammeTime(outside, known);
  const consent = openConsentState(place, {
    doNotTrack: outside.doNotTrack,
    policies: outside.policies,
    wallMs: time.latestMs,
  });
  const records = createProgrammeRecords(place, {
    mayKeep: consent.mayKeep,
    onOpened: (store) => time.resume(store.runDays.read()),
  });
  const outbox = openOutbox(layout.outbox, layout.epochKey);
  const ledger = openLedger({ file: layout.ledger, clock });
  const notes = createHistoryNotes(ledger, consent, clock);
  const toLocalTime = localTimeWhenAsked(place.config['device.timeZone']);
  /** The count goes on with what the store has kept: before that is read, it means nothing. */
  const countedDay = () => {
    records.store();
    return time.runDay();
  };
  const recorder = createRecorder({
    ...recordingOf(place, toLocalTime),
    ring: attempts && ringConsumer(attempts),
    coverage: consent.coverage,
    moment: time.moment,
    runDay: countedDay,
    append: (added) => void records.store().append(added),
  });
  const isNeeded = () => {
    const { consent: state, orders, wipe: due } = consent.programme();
    return state.state === 'granted' || orders.length > 0 || due === 'due';
  };
  const base = { consent, time, toLocalTime, records, outbox, memory, ledger } as const;
  const night = createNightShift(nightPortsOf(place, outside, base, countedDay), {
    secret: () => nightSecretOf(consent),
    isNeeded,
  });
  let receiptFile: string | null = null;
  const onReceipt = (file: string) => {
    receiptFile = file;
  };
  const erasing = createErasing(place, outside, {
    ...{ consent, recorder, records, memory, ledger, onReceipt },
    stopRequest: night.stop,
  });
  const sweeping = createSweeping({ ...base, dataDir: place.dataDir, clock });

  /** What a witness has confirmed, for the next start; a day more or less is no news. */
  function rememberClock(leastMs: number): void {
    const { confirmedMs } = time.watched.memory();
    const newsMs = Math.abs(confirmedMs - (memory.clock()?.confirmedMs ?? 0));
    if (newsMs >= leastMs && consent.mayKeep()) memory.rememberClock({ confirmedMs });
  }
  /** An erasure that did not come to its end. Each try leaves a receipt: hence not more often. */
  async function eraseAgain(): Promise<void> {
    const { wipe: due } = consent.programme();
    if (due === 'due' && clock.monotonicMs() - erasing.triedMs >= dayMs) await erasing.finish();
  }

  await attempt(() => erasing.finish());
  sweeping.work();
  await attempt(() => notes.granted());

  return {
    ...{ place, outside, ...base, recorder, notes, night, erasing },
    lastReceiptFile: () => receiptFile,
    work() {
      void attempt(eraseAgain);
      sweeping.work();
      recorder.work();
      for (const each of [notes.paused, night.work, () => rememberClock(dayMs)]) void attempt(each);
    },
    fault: (kind) => recorder.add(attemptOfFault(kind, time.moment())),
    noteRefusal: (uid) => void attempt(() => notes.refused(uid)),
    isNeeded,
    async close() {
      await night.stop();
      recorder.flush();
      await attempt(() => rememberClock(1));
      await attempt(() => records.opened()?.runDays.write(time.runDay()));
      await attempt(records.close);
    },
  };
}

/**
 * Nobody waits for any of this and nobody could do anything about it: what the volume does not take now is tried
 * again, and what stays wrong is seen by whoever asks for the status.
 */
async function attempt(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch {
    // As said above.
  }
}

/** A wrong time zone must not keep anybody from opting out. */
function localTimeWhenAsked(zone: string | null): ToLocalTime {
  let found: ToLocalTime | undefined;
  return (wallMs) => {
    found ??= localTimeIn(zone);
    return found(wallMs);
  };
}

/** What a record is made with; looked up when the first is. */
function recordingOf(place: Place, toLocalTime: ToLocalTime) {
  const models = usedModels(place);
  return {
    createAnonymiser: () =>
      createAnonymiser({
        mode: place.config['ueip.code'],
        dimensions: models().dimensions,
        kernels: loadKernels().kernels,
        random: randomSecret,
        toLocalTime,
        allocate: secureMemory,
      }),
    builds: () => models().builds,
    embeddingSha256: () => models().embeddingSha256,
  };
}
