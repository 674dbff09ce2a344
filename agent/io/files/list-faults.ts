import { stat } from 'node:fs/promises';
import { AgentError } from '../../errors.ts';

/** Gathers what is wrong with a list, so that one message names every bad line. */
export type ListFaults = {
  add(line: number, what: string): void;
  /** A line that names a picture which is not there. */
  addMissing(line: number, picture: string): void;
  /** Throws where there was a fault: INPUT_MISSING if all of them are missing pictures, else INPUT_INVALID. */
  throwIfAny(): void;
};

export function collectFaults(list: string): ListFaults {
  const faults: { readonly line: number; readonly what: string }[] = [];
  let missing = 0;
  const add = (line: number, what: string) => faults.push({ line, what });
  return {
    add,
    addMissing(line, picture) {
      missing += 1;
      add(line, `there is no picture ${picture}`);
    },
    throwIfAny() {
      if (faults.length === 0) return;
      const inOrder = faults.toSorted((a, b) => a.line - b.line);
      const shown = inOrder.slice(0, mostShown).map(({ line, what }) => `line ${line}: ${what}`);
      const rest = faults.length - shown.length;
      const more = rest > 0 ? `; and ${rest} more` : '';
      const code = missing === faults.length ? 'INPUT_MISSING' : 'INPUT_INVALID';
      throw new AgentError(code, `${list}: ${shown.join('; ')}${more}`);
    },
  };
}

/** More than these on one line help nobody; the number of the others is said. */
const mostShown = 20;

/** Adds a fault for the first line that names each file that is not there. */
export async function checkPictures(
  pictures: Iterable<{ readonly line: number; readonly path: string; readonly name: string }>,
  faults: ListFaults,
): Promise<void> {
  const seen = new Set<string>();
  for (const { line, path, name } of pictures) {
    if (seen.has(path)) continue;
    seen.add(path);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) faults.addMissing(line, name);
  }
}
