import type { Place } from '../agent.ts';
import { sha256Hex } from '../io/files/digests.ts';
import { volumeFacts } from '../io/files/volume.ts';
import { eraseVolume } from '../io/files/volume-command.ts';
import { layoutOf } from '../io/process/environment.ts';
import { readDeviceKey } from '../io/programme/device-key.ts';
import { storeReceipt } from '../io/programme/receipt-file.ts';
import { diskErasure } from '../io/programme/ueip-erasure.ts';
import type { StepReport } from '../rights/receipt.ts';
import {
  type Erasure,
  type ErasureDecision,
  type ErasureParts,
  type ErasureProof,
  finishWithdrawal,
  type Withdrawal,
  withdraw,
} from '../rights/withdraw.ts';
import type { Ledger } from '../ueip/ledger.ts';
import type { ConsentState } from './consent-state.ts';
import type { Outside } from './outside.ts';
import type { ProgrammeMemory } from './programme-memory.ts';
import type { ProgrammeRecords } from './programme-records.ts';
import type { Recorder } from './recorder.ts';

/** One erasure at a time; the next waits for it. */
export type Erasing = {
  /** `decide` returns when the decision is on the medium. */
  withdraw(decide: () => ErasureDecision): Promise<Withdrawal>;
  /** What is due; undefined: nothing is. @throws STORE_…: the decision is not on the medium, and does not get there */
  finish(): Promise<Erasure | undefined>;
  /** When the last one began, by the monotonic clock; -Infinity: none has in this process. */
  readonly triedMs: number;
};

type Parts = {
  readonly consent: ConsentState;
  readonly recorder: Recorder;
  readonly records: ProgrammeRecords;
  readonly memory: ProgrammeMemory;
  readonly ledger: Ledger;
  /** Aborts what is under way; resolves when no byte follows. */
  readonly stopRequest: () => Promise<'none' | 'stopped'>;
  /** Where the receipt was put. */
  readonly onReceipt: (file: string) => void;
};

/** What an erasure works with on this device. */
export function createErasing(place: Place, outside: Outside, programme: Parts): Erasing {
  const { consent } = programme;
  const { clock } = outside;
  const parts = erasureParts(place, outside, programme);
  const proof = erasureProof(place, outside, programme);
  let triedMs = Number.NEGATIVE_INFINITY;
  let last: Promise<unknown> = Promise.resolve();

  /** After the one before, whatever became of it. */
  function next<T>(work: () => Promise<T>): Promise<T> {
    const begun = () => {
      triedMs = clock.monotonicMs();
      return work();
    };
    const result = last.then(begun, begun);
    last = result;
    return result;
  }
  return {
    withdraw: (decide) => next(() => withdraw(decide, parts, proof)),
    finish: () =>
      next(async () => {
        if (consent.programme().wipe === 'none') return undefined;
        consent.write();
        return finishWithdrawal(decisionOf(consent, clock), parts, proof);
      }),
    get triedMs() {
      return triedMs;
    },
  };
}

/** As it was decided before: here, or by the process that this one follows. */
function decisionOf(consent: ConsentState, clock: Outside['clock']): ErasureDecision {
  const { epoch, consent: state, orders } = consent.programme();
  if (state.state === 'withdrawn') {
    const { by, at } = state;
    return { epoch, decidedAt: at, withdrawal: { by, eraseCloud: orders.length > 0 } };
  }
  const now = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  return { epoch, decidedAt: now, withdrawal: null };
}

function erasureParts(
  { dataDir, config }: Place,
  outside: Outside,
  { recorder, records, memory, stopRequest }: Parts,
): ErasureParts {
  const layout = layoutOf(dataDir);
  const done: StepReport = { result: 'done' };
  const nothingThere: StepReport = { result: 'nothing-there' };
  /** A store that is not open is not opened for this: its files are overwritten as they lie. */
  const disk = () => diskErasure(layout, records.opened());
  return {
    recording: () => (recorder.stop() ? done : { result: 'done', code: 'writer-stuck' }),
    request: async () => ((await stopRequest()) === 'stopped' ? done : nothingThere),
    key: () => disk().key(),
    rows: () => {
      try {
        return disk().rows();
      } finally {
        // It closed it, and the key in memory is gone with that.
        letGo(records);
      }
    },
    files: () => {
      letGo(records);
      return disk().files();
    },
    // Of names the device has none but those of the grant, and these went with the decision and the folder.
    ids: () => {
      memory.forget();
      return done;
    },
    volume: () => eraseVolume(config['volume.erase'], outside.timers),
  };
}

/** What it could not write any more is overwritten next. */
function letGo(records: ProgrammeRecords): void {
  try {
    records.close();
  } catch {
    // Its files go as they lie.
  }
}

function erasureProof(
  { dataDir }: Place,
  { clock }: Outside,
  { consent, ledger, onReceipt }: Parts,
): ErasureProof {
  const layout = layoutOf(dataDir);
  return {
    clock,
    sha256: (text) => sha256Hex(Buffer.from(text)),
    fileSystem: () => {
      const { type, erasure } = volumeFacts(dataDir);
      return { type, erasure };
    },
    ledger,
    signer: () => readDeviceKey(layout.deviceKey),
    storeReceipt: async (receipt) => onReceipt(await storeReceipt(layout.receipts, receipt)),
    clearWipe: () => void consent.decide({ kind: 'wiped' }),
  };
}
