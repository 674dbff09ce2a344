import { dirname, resolve } from 'node:path';
import { AgentError } from '../../errors.ts';
import type { PicturePair } from '../../gallery/verification-evaluation.ts';
import { readCsv } from '../files/csv-file.ts';
import { checkPictures, collectFaults } from '../files/list-faults.ts';

/**
 * The pairs of a CSV file: `a,b,same[,fold]`. `a` and `b` are pictures, relative to the folder of the
 * file; `same` is 1 for two pictures of one person, 0 for two persons; `fold` is a whole number, in
 * all rows or in none. A first row with the word `same` in the third column is a header.
 * Rejects with INPUT_MISSING (the file, or only pictures) or INPUT_INVALID, every bad line named.
 */
export async function readPairs(path: string): Promise<readonly PicturePair[]> {
  const faults = collectFaults(path);
  const folder = dirname(path);
  const pairs: PicturePair[] = [];
  const pictures: { line: number; path: string; name: string }[] = [];
  let isFirst = true;
  let hasFolds: boolean | undefined;
  for await (const { line, fields } of readCsv(path)) {
    const mayBeHeader = isFirst;
    isFirst = false;
    if (mayBeHeader && fields[2]?.trim().toLowerCase() === 'same') continue;
    const row = parseRow(fields);
    if (typeof row === 'string') {
      faults.add(line, row);
      continue;
    }
    hasFolds ??= row.fold !== undefined;
    if (hasFolds !== (row.fold !== undefined)) {
      faults.add(line, hasFolds ? 'the fold is missing' : 'a fold, but the rows before have none');
      continue;
    }
    const [probe, reference] = [resolve(folder, row.a), resolve(folder, row.b)];
    pictures.push({ line, path: probe, name: row.a }, { line, path: reference, name: row.b });
    pairs.push({ probe, reference, same: row.same, fold: row.fold });
  }
  await checkPictures(pictures, faults);
  faults.throwIfAny();
  if (pairs.length === 0) throw new AgentError('INPUT_INVALID', `${path}: there is no pair in it`);
  return pairs;
}

type Row = {
  readonly a: string;
  readonly b: string;
  readonly same: boolean;
  readonly fold: number | undefined;
};

/** A string says what is wrong. */
function parseRow(fields: readonly string[]): Row | string {
  const [a, b, same, fold] = fields.map((field) => field.trim());
  if (fields.length < 3 || fields.length > 4) {
    return `${fields.length} columns instead of a,b,same or a,b,same,fold`;
  }
  if (!a || !b) return 'the name of a picture is empty';
  if (same !== '0' && same !== '1') return `"same" is 0 or 1, not ${JSON.stringify(same)}`;
  if (fold === undefined) return { a, b, same: same === '1', fold: undefined };
  if (!/^\d{1,6}$/.test(fold)) return `the fold is a whole number, not ${JSON.stringify(fold)}`;
  return { a, b, same: same === '1', fold: Number(fold) };
}
