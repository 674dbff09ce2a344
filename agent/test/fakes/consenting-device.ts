import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Circumstances, Grant, Programme, ProgrammeEvent } from '../../consent/consent.ts';
import { decide } from '../../consent/decide.ts';
import { volumeFacts } from '../../io/files/volume.ts';
import { eraseVolume } from '../../io/files/volume-command.ts';
import { systemClock, systemTimers } from '../../io/process/clock.ts';
import { layoutOf } from '../../io/process/environment.ts';
import { readProgramme, writeProgramme } from '../../io/programme/consent-file.ts';
import { ensureDeviceKey, readDeviceKey } from '../../io/programme/device-key.ts';
import { openLedger } from '../../io/programme/ledger-file.ts';
import { storeReceipt } from '../../io/programme/receipt-file.ts';
import { diskErasure } from '../../io/programme/ueip-erasure.ts';
import { openRecordStore } from '../../io/store/record-store.ts';
import type { RecordStore } from '../../ports.ts';
import {
  type Erasure,
  type ErasureDecision,
  type ErasureParts,
  type ErasureProof,
  finishWithdrawal,
  type Withdrawal,
  withdraw,
} from '../../rights/withdraw.ts';
import { someRecords } from './some-record.ts';

const policy = { version: '2026-11', textSha256: 'c0'.repeat(32), material: true, effectiveAt: 0 };
const circumstances: Circumstances = {
  policies: [policy],
  region: 'eu-central-1',
  doNotTrack: false,
  wallMs: Date.UTC(2027, 0, 1),
};
const by = { name: 'resident', channel: 'cli' } as const;
export const consentId = '5f0c1b7e-9d34-4c55-8a66-d1e2f3a4b5c6';

/** The parts of the programme that an opt-out is about, on real files, put together as the product does. */
export type ConsentingDevice = {
  readonly layout: ReturnType<typeof layoutOf>;
  programme(): Programme;
  optIn(): void;
  /** And a sealed batch that waits. */
  record(count: number): void;
  optOut(): Promise<Withdrawal>;
  /** What a start does first. */
  recover(): Promise<Erasure | undefined>;
  /** 'recording': they are still taken in memory. */
  readonly memory: { recording: boolean; aborted: boolean };
  close(): void;
};

export function consentingDevice(
  dataDir: string,
  options: {
    readonly volumeErase?: readonly string[];
    readonly maxBytes?: number;
    /** Told before each step of an erasure. */
    readonly onStep?: (step: string) => void;
  } = {},
): ConsentingDevice {
  const { volumeErase = [], maxBytes = 32 << 20, onStep = () => {} } = options;
  const layout = layoutOf(dataDir);
  const [one = '', two = ''] = layout.consent;
  const places = { consent: [one, two], ueip: layout.ueip } as const;
  const ledger = openLedger({ file: layout.ledger, clock: systemClock });
  const memory = { recording: false, aborted: false };
  let store: RecordStore | undefined;
  let recorded = 0;

  function change(event: ProgrammeEvent): Programme {
    const { programme } = readProgramme(places);
    const decided = decide(programme, circumstances, event);
    if (decided.kind === 'refused') throw new Error(`refused: ${decided.why}`);
    if (decided.kind === 'unchanged') return programme;
    writeProgramme(places, decided.programme);
    return decided.programme;
  }

  function openStore(): RecordStore {
    const limits = { maxRecords: 1_000_000, maxBytes };
    store ??= openRecordStore({ file: layout.records, keyFile: layout.epochKey, limits }).store;
    return store;
  }

  function parts(): ErasureParts {
    const disk = diskErasure(layout, store);
    const told =
      <T>(step: string, work: () => T) =>
      () => {
        onStep(step);
        return work();
      };
    return {
      recording: told('recording', () => {
        memory.recording = false;
        return { result: 'done' } as const;
      }),
      request: told('request', () => {
        memory.aborted = true;
        return { result: 'nothing-there' } as const;
      }),
      key: told('key', disk.key),
      rows: told('rows', disk.rows),
      files: told('files', disk.files),
      ids: told('ids', () => ({ result: 'nothing-there' }) as const),
      volume: told('volume', () => eraseVolume(volumeErase, systemTimers)),
    };
  }

  const proof: ErasureProof = {
    clock: systemClock,
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    fileSystem: () => {
      const { type, erasure } = volumeFacts(dataDir);
      return { type, erasure };
    },
    ledger,
    signer: () => readDeviceKey(layout.deviceKey),
    storeReceipt: async (receipt) => {
      onStep('receipt');
      await storeReceipt(layout.receipts, receipt);
    },
    clearWipe: () => {
      onStep('clearing');
      change({ kind: 'wiped' });
    },
  };

  return {
    layout,
    memory,
    programme: () => readProgramme(places).programme,
    optIn() {
      const grant: Grant = {
        policyVersion: policy.version,
        textSha256: policy.textSha256,
        region: 'eu-central-1',
        by,
        since: { wallMs: systemClock.wallMs(), monotonicMs: systemClock.monotonicMs() },
        consentId,
      };
      ensureDeviceKey(layout.deviceKey);
      change({ kind: 'grant', grant });
      openStore();
      memory.recording = true;
    },
    record(count) {
      openStore().append(someRecords(count, recorded));
      recorded += count;
      mkdirSync(layout.outbox, { recursive: true });
      // Never written over: what a file held before it was made shorter stays on the medium.
      const batch = join(layout.outbox, 'batch');
      if (!existsSync(batch)) writeFileSync(batch, `a batch of ${consentId}`);
    },
    async optOut() {
      const outcome = await withdraw(
        () => decisionOf(change({ kind: 'withdraw', by, at: now(), eraseCloud: null })),
        parts(),
        proof,
      );
      store = undefined;
      return outcome;
    },
    async recover() {
      const found = readProgramme(places);
      if (found.kind === 'mended') writeProgramme(places, found.programme);
      if (found.programme.wipe === 'none') return undefined;
      return finishWithdrawal(decisionOf(found.programme), parts(), proof);
    },
    close() {
      store?.close();
      store = undefined;
    },
  };
}

/** Readable rows: files of the programme that hold anything, or a key that could open them. */
export function leftOf(device: Pick<ConsentingDevice, 'layout'>): readonly string[] {
  const { ueip, records, epochKey } = device.layout;
  return [ueip, records, `${records}-wal`, epochKey].filter((path) => existsSync(path));
}

function decisionOf({ epoch, consent }: Programme): ErasureDecision {
  if (consent.state !== 'withdrawn') return { epoch, decidedAt: now(), withdrawal: null };
  return { epoch, decidedAt: consent.at, withdrawal: { by: consent.by, eraseCloud: false } };
}

function now() {
  return { wallMs: systemClock.wallMs(), monotonicMs: systemClock.monotonicMs() };
}
