import { AgentError } from '../../errors.ts';
import type { RecordStore } from '../../ports.ts';
import type { StepReport } from '../../rights/receipt.ts';
import type { ErasureParts } from '../../rights/withdraw.ts';
import { eraseDatabase, eraseFolder } from '../files/erase-files.ts';
import { systemCode } from '../files/file-fault.ts';
import { destroyKeyFile } from '../files/key-destruction.ts';

/** Of `layoutOf(dataDir)`. */
type Places = { readonly ueip: string; readonly records: string; readonly epochKey: string };

/**
 * What an erasure does to the disk. `store`: as it is open in this process; it is closed, and with it the key in
 * memory is gone. Undefined at the start, where nothing is open and the key may be gone already.
 */
export function diskErasure(
  { ueip, records, epochKey }: Places,
  store: RecordStore | undefined,
): Pick<ErasureParts, 'key' | 'rows' | 'files'> {
  return {
    key: () =>
      destroyKeyFile(epochKey) ? { result: 'done', bytes: 32 } : { result: 'nothing-there' },
    rows: () => (store ? deleteRows(store) : { result: 'nothing-there', code: 'not-open' }),
    files: () => {
      // The database by itself: its log before its pages, whatever the order of names in the folder.
      const database = attempt(() => eraseDatabase(records));
      const all = attempt(() => eraseFolder(ueip));
      for (const each of [database, all]) if (each instanceof AgentError) throw each;
      return reportOf([database, all]);
    },
  };
}

function deleteRows(store: RecordStore): StepReport {
  try {
    const rows = store.purge(() => true);
    return rows > 0 ? { result: 'done', rows } : { result: 'nothing-there' };
  } catch (cause) {
    if (!isBusy(cause)) throw cause;
    return { result: 'busy', code: 'STORE_FAILED' };
  } finally {
    store.close();
  }
}

type Erased = ReturnType<typeof eraseFolder>;

function reportOf(all: readonly (Erased | AgentError)[]): StepReport {
  const erased = all.flatMap((each) =>
    !(each instanceof AgentError) && each.kind === 'erased' ? [each] : [],
  );
  if (erased.length === 0) return { result: 'nothing-there' };
  const bytes = erased.reduce((sum, each) => sum + each.bytes, 0);
  const isRemovedOnly = erased.some(({ notOverwritten }) => notOverwritten > 0);
  return { result: 'done', bytes, ...(isRemovedOnly ? { code: 'not-overwritten' } : {}) };
}

function attempt(work: () => Erased): Erased | AgentError {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof AgentError) return cause;
    throw cause;
  }
}

/** Another process is reading the database. */
function isBusy(cause: unknown): boolean {
  return cause instanceof Error && /^SQLITE_(BUSY|LOCKED)/.test(systemCode(cause.cause) ?? '');
}
