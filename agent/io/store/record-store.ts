import { statSync } from 'node:fs';
import type { AgentError } from '../../errors.ts';
import type { RecordStore } from '../../ports.ts';
import { roomBeside, spareRoom } from '../files/spare-room.ts';
import { wipe } from '../process/secure-memory.ts';
import { compactRecords } from './record-compaction.ts';
import { byteBudget } from './record-database.ts';
import {
  beginAnew,
  type FoundRecords,
  type OpenRecords,
  openRecords,
  type RecordPlace,
} from './record-opening.ts';
import {
  appendRecords,
  eraseRecords,
  oldestRecords,
  oldestWallMs,
  purgeRecords,
  putMeta,
  type RecordWork,
} from './record-work.ts';
import { isDamage } from './store-error.ts';

export type OpenedRecordStore = {
  readonly store: RecordStore;
  readonly found: 'as left' | 'new' | 'reset';
  /** Of a reset: what was wrong with what was there. It is erased. */
  readonly why?: string;
};

/** How far the count of days may run ahead of the disk: a power cut takes no more from it. */
const mostDaysBehind = 0.125;

/**
 * Records at rest: SQLite in WAL mode, synchronous FULL, rows sealed (record-seal.ts), nobody else let in.
 * Damage found while working ends like damage found at the start: everything is erased, `onReset` hears of it,
 * and the call that met it is done once more on the empty store.
 *
 * What is forgotten or too old is overwritten in every file before the call returns; what gave way to newer
 * records is overwritten in the database at once, and in the -wal by the next purge.
 * @throws KEY_INVALID STORE_READ_ONLY STORE_FULL STORE_FAILED, as does every method; the next call tries anew
 */
export function openRecordStore(
  options: RecordPlace & { readonly onReset?: (damage: AgentError) => void },
): OpenedRecordStore {
  const { file, limits, onReset } = options;
  const budget = byteBudget(limits);
  const room = spareRoom(roomBeside(file), budget.spareBytes);
  const state = { runDays: 0, isScrubbed: false };
  let records: OpenRecords | undefined;
  const { found, why, database } = { why: undefined, ...opened() };
  try {
    state.runDays = database.sqlite.run(database.query.meta).runDays;
  } catch (error) {
    // Left open, it would keep this process itself from trying anew.
    letGo();
    throw error;
  }
  let isClosed = false;

  function use<T>(task: (work: RecordWork) => T): T {
    if (isClosed) throw new TypeError('this record store is closed');
    try {
      return task({ ...(records ?? opened()), limits, budget, room, state });
    } catch (error) {
      if (!isDamage(error)) throw error;
      letGo();
      onReset?.(error);
      const emptied = opened(() => beginAnew(options, error.message));
      return task({ ...emptied, limits, budget, room, state });
    }
  }

  function opened(open: () => FoundRecords = () => openRecords(options)): FoundRecords {
    const found = open();
    records = found;
    state.isScrubbed = found.database.isScrubbed;
    try {
      room.reserve();
      return found;
    } catch (error) {
      letGo();
      throw error;
    }
  }

  function letGo(): void {
    const old = records;
    records = undefined;
    try {
      old?.database.sqlite.close();
    } finally {
      if (old) wipe(old.key);
    }
  }

  const store: RecordStore = {
    append(added) {
      if (added.length === 0) return { evicted: 0 };
      return use((work) => ({ evicted: appendRecords(work, added) }));
    },
    oldest: (most) => use((work) => oldestRecords(work, most)),
    forget: (ids) => use((work) => eraseRecords(work, ids, 'no longer needed')),
    purge: (isExpired) =>
      use((work) => {
        const expired = purgeRecords(work, isExpired);
        if (compactRecords(work, options)) {
          letGo();
          opened();
        }
        return expired;
      }),
    counts: () =>
      use((work) => {
        const { sqlite, query } = work.database;
        const { evicted, unreadable } = sqlite.run(query.meta);
        return {
          records: sqlite.run(query.count),
          sizeBytes: sizeOf(file) + sizeOf(`${file}-wal`),
          oldestWallMs: oldestWallMs(work),
          evicted,
          unreadable,
        };
      }),
    runDays: {
      read: () => state.runDays,
      write(days) {
        state.runDays = days;
        use((work) => {
          const { sqlite, query } = work.database;
          const behind = Math.abs(days - sqlite.run(query.meta).runDays);
          if (behind >= mostDaysBehind) sqlite.transaction(() => putMeta(work));
        });
      },
    },
    close() {
      if (isClosed) return;
      try {
        if (records) use((work) => work.database.sqlite.transaction(() => putMeta(work)));
      } finally {
        isClosed = true;
        letGo();
      }
    },
  };
  return { store, found, ...(why === undefined ? {} : { why }) };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
