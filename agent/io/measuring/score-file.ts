import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../files/atomic-file.ts';
import { fileFault } from '../files/file-fault.ts';

export type CsvValue = string | number | boolean | null | undefined;

/**
 * Writes a CSV file as a whole or not at all, row by row under a temporary name beside it, then
 * renamed: ten million rows are never in memory. An older file of that name stays until then. Numbers have all their digits; null, undefined and NaN (a
 * comparison that did not take place) are empty.
 * Rejects with STORE_FULL, STORE_READ_ONLY or STORE_FAILED, and leaves no temporary file.
 */
export async function writeScoreFile(
  path: string,
  header: readonly string[],
  rows: Iterable<readonly CsvValue[]>,
): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await using file = await open(temporary, 'wx', 0o600);
    let text = lineOf(header);
    for (const row of rows) {
      text += lineOf(row);
      if (text.length < flushLength) continue;
      await file.writeFile(text);
      text = '';
    }
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw fileFault(cause, path);
  }
}

/** Written at once: large enough to be quick, small enough not to be felt. */
const flushLength = 256 * 1024;

function lineOf(values: readonly CsvValue[]): string {
  return `${values.map(cellOf).join(',')}\n`;
}

function cellOf(value: CsvValue): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '';
  const text = typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
