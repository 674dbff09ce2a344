import type { LocalProgramme } from '../../programme-access.ts';
import type { OffResult, ProgrammeStatus, Write } from '../../programme-commands.ts';

export const grantedStatus: ProgrammeStatus = {
  state: 'granted',
  sinceMs: Date.UTC(2027, 2, 1, 8, 30),
  by: { name: 'resident', channel: 'cli' },
  policyVersion: '2026-11',
  region: 'eu-central-1',
  notCovered: null,
  records: {
    waiting: 412,
    sizeBytes: 163_840,
    oldestMs: Date.UTC(2027, 2, 2, 7),
    evicted: 3,
    fault: null,
    dropped: 2,
  },
  upload: {
    lastMs: Date.UTC(2027, 2, 4, 0, 17),
    nextMs: Date.UTC(2027, 2, 5, 0, 21),
    lastOutcome: 'accepted',
    distrusted: null,
  },
  sent: { batches: 3, goneByMs: Date.UTC(2027, 3, 1) },
  orders: [{ requestedMs: Date.UTC(2027, 2, 3), tries: 2, lastTriedOn: '2027-03-04' }],
};

export const neverAskedStatus: ProgrammeStatus = {
  state: 'never-asked',
  sinceMs: null,
  by: null,
  policyVersion: null,
  region: null,
  notCovered: 'never-asked',
  records: { waiting: 0, sizeBytes: 0, oldestMs: null, evicted: 0, dropped: 0, fault: null },
  upload: { lastMs: null, nextMs: null, lastOutcome: null, distrusted: null },
  sent: { batches: 0, goneByMs: null },
  orders: [],
};

export const erased: OffResult = {
  kind: 'erased',
  receipt: '{"kind":"ueip-erasure","signature":"…"}',
  receiptFile: '/data/receipts/1.json',
  records: 412,
  sizeBytes: 163_840,
  steps: [
    { step: 'key', result: 'done', code: null },
    { step: 'outbox', result: 'nothing-there', code: null },
  ],
  guarantee: 'On this file system nothing of it can be read again.',
  ordersPending: 1,
  sentGoneByMs: Date.UTC(2027, 3, 1),
  search: { files: 4, found: [] },
};

export const ledgerLines = [
  '{"actor":"resident","at":1803889800000,"channel":"cli","epoch":1,"hash":"aa","n":1,"prev":"00","what":"granted"}',
  '{"at":1803979800000,"bodySha256":null,"bytes":812,"hash":"bb","host":"door.example","method":"PUT","n":2,"prev":"aa","status":200,"what":"request"}',
];

/** A programme that does nothing, says so, and notes what it was asked. Any of its commands may be another. */
export function fakeProgramme(other: Partial<LocalProgramme> = {}): {
  readonly programme: LocalProgramme;
  /** Name and order of each call, in order. */
  readonly calls: unknown[][];
} {
  const calls: unknown[][] = [];
  const noted = async <T>(result: T, ...call: unknown[]): Promise<T> => {
    calls.push(call);
    return result;
  };
  const stream = async (lines: readonly string[], write: Write) => {
    const pieces = lines.map((line) => Buffer.from(`${line}\n`));
    for (const piece of pieces) await write(piece);
    return { lines: lines.length, sizeBytes: Buffer.concat(pieces).length };
  };
  const programme: LocalProgramme = {
    on: (order) =>
      noted(
        { kind: 'granted', policyVersion: order.acceptPolicy, region: 'eu-central-1', sinceMs: 1 },
        'on',
        order,
      ),
    off: (order) => noted(erased, 'off', order),
    status: () => noted(grantedStatus, 'status'),
    preview: async (order, write) => noted(await stream(['{"a":1}'], write), 'preview', order),
    history: async (write) => noted(await stream(ledgerLines, write), 'history'),
    export: async (order, write) =>
      noted(await stream(['{"a":1}', '{"a":2}'], write), 'export', order),
    trustStore: () => noted({ kind: 'nothing-held' }, 'trustStore'),
    verify: (order) =>
      noted({ ledgerEntries: 2, ledgerHead: 'bb', receipt: null }, 'verify', order),
    close: () => void calls.push(['close']),
    ...other,
  };
  return { programme, calls };
}
