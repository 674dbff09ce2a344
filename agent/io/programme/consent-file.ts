import { lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Agreement, agreementOf, copyToWriteFirst } from '../../consent/agreement.ts';
import { neverAsked, type Programme } from '../../consent/consent.ts';
import type { AgentError } from '../../errors.ts';
import { fileFault } from '../files/file-fault.ts';
import { syncFolderNow } from '../files/overwrite-file.ts';
import { copySizeBytes, encodeCopy } from './consent-copy.ts';
import {
  closeCopy,
  type OpenCopy,
  openCopy,
  overwriteCopy,
  putBack,
  readCopy,
  reserve,
} from './consent-copy-file.ts';

/** Of `layoutOf(dataDir)`. */
export type ConsentPlaces = {
  /** The two copies. */
  readonly consent: readonly [string, string];
  /** The folder of all that a withdrawal erases. */
  readonly ueip: string;
};

export type FoundProgramme = {
  /** 'absent': nobody was ever asked on this device; nothing was written. The others: see `Agreement`. */
  readonly kind: 'absent' | Agreement['kind'];
  readonly programme: Programme;
  /** What is wrong with the copies, a line each. */
  readonly faults: readonly string[];
};

/**
 * The programme as both copies have it. Never throws: what cannot be read is no consent, and then an erasure is
 * due. Found 'mended', it should be written once more.
 */
export function readProgramme({ consent: [one, two], ueip }: ConsentPlaces): FoundProgramme {
  const [first, second] = [readCopy(one), readCopy(two)];
  // Records without any consent beside them are nobody's to keep.
  if (first.kind === 'missing' && second.kind === 'missing' && !isThere(ueip)) {
    return { kind: 'absent', programme: neverAsked, faults: [] };
  }
  const faults = [first, second].flatMap((copy) => (copy.kind === 'sound' ? [] : [copy.fault]));
  return { ...agreementOf(programmeIn(first), programmeIn(second)), faults };
}

export type WrittenProgramme =
  | { readonly kind: 'both' }
  /** Only without a grant, which from then on counts no more; the other copy could not be written. */
  | { readonly kind: 'one'; readonly fault: AgentError };

/**
 * Puts the programme on the medium, in both copies, one after the other, each synced before the next.
 *
 * In place, and not as a new file under the old name: that way a withdrawal needs no block of a full disk, an id
 * that is no longer needed is overwritten where it stood, and a withdrawal that a power cut tears leaves one
 * grant alone, which does not count. The price: a power cut within the few milliseconds of any other writing
 * tears the consent too, and the household has to be asked again. The copy that is older or damaged is written
 * first, so that what counted before is never lost with what it knew of the cloud.
 *
 * A grant is written whole or not at all: if it fails, what stood there is put back. Without a grant one copy is
 * enough.
 * @throws STORE_FULL STORE_READ_ONLY STORE_FAILED
 */
export function writeProgramme(places: ConsentPlaces, programme: Programme): WrittenProgramme {
  const [one, two] = places.consent;
  const first = copyToWriteFirst(programmeIn(readCopy(one)), programmeIn(readCopy(two)));
  const paths = first === 0 ? [one, two] : [two, one];
  makeFolder(dirname(one));
  if (programme.consent.state === 'granted') return writeGrant(paths, programme);
  return writeWithoutGrant(paths, programme);
}

/** Room first, in both, then the content: where there is no room, nothing is overwritten. */
function writeGrant(paths: readonly string[], programme: Programme): WrittenProgramme {
  const sizeBytes = copySizeBytes(programme);
  const copies: OpenCopy[] = [];
  try {
    for (const path of paths) copies.push(openCopy(path));
    for (const copy of copies) reserve(copy, sizeBytes);
    for (const copy of copies) overwriteCopy(copy, encodeCopy(programme, copy.sizeBytes));
    return { kind: 'both' };
  } catch (fault) {
    for (const copy of copies.toReversed()) putBack(copy);
    throw fault;
  } finally {
    copies.forEach(closeCopy);
  }
}

function writeWithoutGrant(paths: readonly string[], programme: Programme): WrittenProgramme {
  const faults = paths.flatMap((path) => {
    const fault = faultOfWriting(path, programme);
    return fault === undefined ? [] : [fault];
  });
  const [fault] = faults;
  if (fault === undefined) return { kind: 'both' };
  if (faults.length === paths.length) throw fault;
  return { kind: 'one', fault };
}

function faultOfWriting(path: string, programme: Programme): AgentError | undefined {
  const sizeBytes = copySizeBytes(programme);
  let copy: OpenCopy | undefined;
  try {
    copy = openCopy(path);
    reserve(copy, sizeBytes);
    overwriteCopy(copy, encodeCopy(programme, copy.sizeBytes));
    return undefined;
  } catch (cause) {
    if (copy?.isNew) putBack(copy);
    return fileFault(cause, path);
  } finally {
    if (copy !== undefined) closeCopy(copy);
  }
}

function programmeIn(copy: ReturnType<typeof readCopy>): Programme | undefined {
  return copy.kind === 'sound' ? copy.programme : undefined;
}

function isThere(folder: string): boolean {
  try {
    return lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Not to be seen is not the same as not there.
    return true;
  }
}

/** Every folder that was made is on the medium before anything is put into it. */
function makeFolder(folder: string): void {
  try {
    const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (made === undefined) return;
    for (let each = folder; ; each = dirname(each)) {
      syncFolderNow(dirname(each));
      if (each === made || each === dirname(each)) return;
    }
  } catch (cause) {
    throw fileFault(cause, folder);
  }
}
