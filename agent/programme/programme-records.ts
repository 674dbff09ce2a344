import type { Place } from '../agent.ts';
import { AgentError } from '../errors.ts';
import { hasRecords, layoutOf } from '../io/process/environment.ts';
import { openRecordStore } from '../io/store/record-store.ts';
import type { RecordStore, StoreCounts } from '../ports.ts';

/** The records of the present grant: opened when they are needed, closed before they are erased. */
export type ProgrammeRecords = {
  /** @throws STORE_… KEY_INVALID: this time; the next call tries anew. CONSENT_REFUSED: nothing may lie here */
  store(): RecordStore;
  /** What lies there, without making anything; null: nothing does, or it is only waiting for its erasure. */
  counts(): StoreCounts | null;
  /** As it is open; undefined: it is not. */
  opened(): RecordStore | undefined;
  close(): void;
  /** How often what was there could not be used and was erased. */
  readonly resets: number;
};

/** `mayKeep`: whether anything may lie here. Opening makes a key and a database where there are none. */
export function createProgrammeRecords(
  { dataDir, config }: Place,
  around: { readonly mayKeep: () => boolean; readonly onOpened: (store: RecordStore) => void },
): ProgrammeRecords {
  const { records: file, epochKey: keyFile } = layoutOf(dataDir);
  const limits = { maxRecords: config['ueip.maxRecords'], maxBytes: config['ueip.maxBytes'] };
  let open: RecordStore | undefined;
  let resets = 0;

  function store(): RecordStore {
    if (open) return open;
    if (!around.mayKeep()) throw new AgentError('CONSENT_REFUSED', 'no record may be kept here');
    const countReset = () => {
      resets += 1;
    };
    const opened = openRecordStore({ file, keyFile, limits, onReset: countReset });
    if (opened.found === 'reset') countReset();
    open = opened.store;
    around.onOpened(open);
    return open;
  }
  return {
    store,
    counts: () => (open || (around.mayKeep() && hasRecords(dataDir)) ? store().counts() : null),
    opened: () => open,
    close() {
      const closing = open;
      open = undefined;
      closing?.close();
    },
    get resets() {
      return resets;
    },
  };
}
