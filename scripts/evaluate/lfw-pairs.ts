import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeScoreFile } from '../../agent/io/measuring/score-file.ts';

const usage = `node scripts/evaluate/lfw-pairs.ts PAIRS.TXT IMAGES OUT.CSV
Turns the pairs.txt of Labeled Faces in the Wild into the list that \`doorkeep evaluate\` reads.`;

/** One row of the list, with file names as in the image folder: <Name>/<Name>_<NNNN>.jpg. */
export type LfwPair = {
  readonly a: string;
  readonly b: string;
  readonly same: boolean;
  readonly fold: number;
};

/**
 * Reads pairs.txt: a line "<folds> <n>", then for each fold n lines "Name i j" (one person) and n lines
 * "Name1 i Name2 j" (two). Folds are counted from 1. Throws where the file is not what its first line says.
 */
export function parseLfwPairs(text: string): LfwPair[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const [folds, each] = (lines[0] ?? '').trim().split(/\s+/).map(Number);
  if (!isCount(folds) || !isCount(each)) throw new Error('line 1: not "<folds> <pairs>"');
  const rows = lines.slice(1);
  if (rows.length !== folds * each * 2) {
    throw new Error(`${rows.length} pairs instead of ${folds} x ${each} x 2`);
  }
  return rows.map((line, i) => {
    const fold = Math.floor(i / (2 * each)) + 1;
    const same = i % (2 * each) < each;
    const cells = line.trim().split(/\s+/);
    if (cells.length !== (same ? 3 : 4)) throw new Error(`line ${i + 2}: ${line}`);
    const [a = '', i1 = '', ...rest] = cells;
    const [b = '', i2 = ''] = same ? [a, ...rest] : rest;
    return { a: fileOf(a, i1, i + 2), b: fileOf(b, i2, i + 2), same, fold };
  });
}

function fileOf(name: string, index: string, line: number): string {
  if (!isCount(Number(index))) throw new Error(`line ${line}: ${index} is no image number`);
  return `${name}/${name}_${index.padStart(4, '0')}.jpg`;
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value) && value > 0;
}

async function main(args: readonly string[]): Promise<void> {
  const [list, images, out] = args;
  if (!list || !images || !out || args.length > 3) {
    process.stderr.write(`${usage}\n`);
    process.exitCode = 64;
    return;
  }
  const pairs = parseLfwPairs(await readFile(list, 'utf8'));
  const folder = relative(dirname(resolve(out)), resolve(images));
  const rows = pairs.map(({ a, b, same, fold }) => [join(folder, a), join(folder, b), same, fold]);
  await writeScoreFile(out, ['a', 'b', 'same', 'fold'], rows);
  process.stdout.write(`${pairs.length} pairs in ${out}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(process.argv.slice(2));
}
