/**
 * Runs one piece of work on a record store while, from the n-th on, every call that changes a file fails (or the
 * n-th alone), for n = 1, 2, 3 … until the work needs fewer calls. Needs failing-calls.c preloaded. Arguments: folder,
 * name of the work, errno, 'arm' or 'once'. Prints what it found as JSON.
 */
import { openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../../errors.ts';
import { systemCode } from '../../io/files/file-fault.ts';
import { openRecordStore } from '../../io/store/record-store.ts';
import type { RecordStore } from '../../ports.ts';
import { someRecords } from './some-record.ts';

const [folder = '', name = '', errno = '', how = ''] = process.argv.slice(2);
const [file, keyFile] = [join(folder, 'records.db'), join(folder, 'epoch.key')];
const open = () =>
  openRecordStore({ file, keyFile, limits: { maxRecords: 60, maxBytes: 1 << 20 } });

type Work = {
  prepare(): RecordStore | undefined;
  run(store: RecordStore | undefined): void;
};
let begun: RecordStore | undefined;
const begin = () => {
  begun = open().store;
  begun.append(someRecords(5));
};
const stocked = () => {
  const { store } = open();
  store.append(someRecords(50));
  return store;
};
const works: Record<string, Work> = {
  begin: { prepare: () => undefined, run: begin },
  append: { prepare: stocked, run: (store) => store?.append(someRecords(5, 50)) },
  evict: { prepare: stocked, run: (store) => store?.append(someRecords(20, 50)) },
  forget: {
    prepare: stocked,
    run: (store) => store?.forget(store.oldest(20).map(({ id }) => id)),
  },
  purge: { prepare: stocked, run: (store) => store?.purge(({ runDay }) => runDay < 20_000.02) },
  'begin anew': {
    prepare() {
      stocked().close();
      writeFileSync(keyFile, 'short');
      return undefined;
    },
    run: begin,
  },
};

const work = works[name];
if (!work) throw new Error(`no work of the name ${name}`);
const codes = new Set<string>();
const faults: string[] = [];
let calls = 0;
for (let n = 1; ; n++) {
  rmSync(folder, { recursive: true, force: true });
  begun = undefined;
  const store = work.prepare();
  command(`${how}/${n}/${errno}`);
  let thrown: unknown;
  try {
    work.run(store);
  } catch (error) {
    thrown = error;
  }
  const hasFailed = command('disarm') === 'EEXIST';
  if (thrown instanceof AgentError) codes.add(thrown.code);
  else if (thrown !== undefined) faults.push(`${n}: ${String(thrown)}`);
  // With the volume mended the store goes on: this one, and the one that the next start opens.
  try {
    const going = store ?? begun ?? open().store;
    going.append(someRecords(1, 900));
    const numbers = going.oldest(1000).length;
    going.close();
    const next = open().store;
    if (next.oldest(1000).length !== numbers) faults.push(`${n}: the next start finds others`);
    if (!allowed(name).has(numbers)) faults.push(`${n}: ${numbers} records are left`);
    if (next.counts().unreadable > 0) faults.push(`${n}: a record does not open`);
    next.purge(() => true);
    next.close();
  } catch (error) {
    faults.push(`${n}: afterwards: ${String(error)}`);
  }
  if (!hasFailed) break;
  calls = n;
}
process.stdout.write(
  JSON.stringify({ calls, codes: [...codes].toSorted(), faults: faults.slice(0, 10) }),
);

/** How many of all there may be: all or nothing of the work, and the one that came after it. */
function allowed(of: string): ReadonlySet<number> {
  const before = of.startsWith('begin') ? 0 : 50;
  const after = { append: 55, evict: 60, forget: 30, purge: 30 }[of] ?? 5;
  // On a full disk twice as many of the oldest give way as come in.
  const givenWay = { append: 45, evict: 30 }[of] ?? after;
  return new Set([before + 1, Math.min(60, after + 1), givenWay + 1]);
}

function command(path: string): string | undefined {
  try {
    openSync(`/failing-calls/${path}`, 'r');
    return undefined;
  } catch (error) {
    return systemCode(error);
  }
}
