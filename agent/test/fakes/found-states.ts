import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import type { layoutOf } from '../../io/process/environment.ts';

/** Makes of the files of a device that is switched off what its name says. */
export type FoundState = (layout: ReturnType<typeof layoutOf>) => void;

/** How the files of the programme may be found when somebody opts out. */
export const foundStates: Readonly<Record<string, FoundState>> = {
  'nothing unusual': () => {},
  'a database that is damaged': ({ records }) => {
    const { length } = readFileSync(records);
    writeFileSync(records, randomBytes(Math.min(4096, length)), { flag: 'r+' });
  },
  'a database that is cut off': ({ records }) => truncateSync(records, 700),
  'no database': ({ records }) => rmSync(records),
  'a log without its database': ({ records }) => {
    writeFileSync(`${records}-wal`, randomBytes(9000));
    rmSync(records);
  },
  'a database that another process holds': ({ records }) => {
    const db = new Database(records);
    db.exec('BEGIN EXCLUSIVE');
    onTestFinished(() => void db.close());
  },
  'a database that another process is reading': ({ records }) => {
    const db = new Database(records, { readonly: true });
    const reading = db.prepare('SELECT * FROM sqlite_schema').iterate();
    reading.next();
    onTestFinished(() => {
      reading.return?.();
      db.close();
    });
  },
  'a folder where the database was': ({ records }) => {
    rmSync(records);
    mkdirSync(records);
    writeFileSync(join(records, 'inner'), 'x');
  },
  'no key': ({ epochKey }) => rmSync(epochKey),
  'a key of the wrong size': ({ epochKey }) => truncateSync(epochKey, 5),
  'no folder of the programme at all': ({ ueip }) => rmSync(ueip, { recursive: true }),
  'one copy of the consent damaged': ({ consent: [one] }) => writeFileSync(one, 'x'),
  'both copies of the consent damaged': ({ consent }) => {
    for (const copy of consent) writeFileSync(copy, randomBytes(300));
  },
  'no copies of the consent': ({ consent }) => consent.forEach((copy) => void rmSync(copy)),
  'a folder of receipts that cannot be written to': ({ receipts }) => writeFileSync(receipts, ''),
  'no key of the device': ({ deviceKey }) => rmSync(deviceKey),
};
