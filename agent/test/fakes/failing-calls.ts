import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import Database from 'better-sqlite3';

/** What happens to a call to the file system or to SQLite; undefined: it goes on as it should. */
type Fate = (call: { readonly n: number; readonly name: string }) => Error | undefined;

const fileCalls = [
  'openSync',
  'readSync',
  'writeSync',
  'fsyncSync',
  'fdatasyncSync',
  'ftruncateSync',
  'unlinkSync',
  'rmSync',
  'rmdirSync',
  'renameSync',
  'linkSync',
  'mkdirSync',
  'readdirSync',
] as const;
const statementCalls = ['run', 'get', 'all'] as const;

/**
 * Runs `work` while every call by which doorkeep touches the disk asks `fate` first: those of node:fs that
 * wait, and those of SQLite's statements. Returns the calls in their order; they work again afterwards,
 * whatever `work` throws.
 */
export async function withFailingCalls<T>(
  fate: Fate,
  work: () => T | Promise<T>,
): Promise<{ readonly outcome: T; readonly calls: readonly string[] }> {
  const calls: string[] = [];
  const restores: (() => void)[] = [];
  const wrap = (owner: object, name: string) => {
    const original: unknown = Reflect.get(owner, name);
    if (typeof original !== 'function') throw new TypeError(`there is no ${name} to wrap`);
    Reflect.set(owner, name, function (this: unknown, ...args: unknown[]) {
      calls.push(name);
      const error = fate({ n: calls.length, name });
      if (error) throw error;
      return Reflect.apply(original, this, args);
    });
    restores.push(() => Reflect.set(owner, name, original));
  };
  for (const name of fileCalls) wrap(fs, name);
  for (const name of statementCalls) wrap(statementPrototype(), name);
  syncBuiltinESMExports();
  try {
    return { outcome: await work(), calls };
  } finally {
    for (const restore of restores) restore();
    syncBuiltinESMExports();
  }
}

/** As the system reports it. */
export function systemError(code: 'EIO' | 'ENOSPC' | 'EROFS'): Error {
  return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

function statementPrototype(): object {
  const database = new Database(':memory:');
  const prototype: unknown = Object.getPrototypeOf(database.prepare('SELECT 1'));
  database.close();
  if (typeof prototype !== 'object' || prototype === null) throw new Error('no prototype');
  return prototype;
}
