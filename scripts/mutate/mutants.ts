import { editsAt } from './operators.ts';
import { runningPlacesIn } from './syntax.ts';

/** One small fault in a copy of a source. */
export type Mutant = {
  /** From the root of the project. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** The lines that the fault touches, before and after, on one line. */
  readonly was: string;
  readonly becomes: string;
};

/** Every fault of the operators, in the order of the text; the same source has the same ones. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const places = runningPlacesIn(source);
  return places
    .flatMap((place) => editsAt(place, source, places))
    .sort((a, b) => a.start - b.start)
    .map(({ start, end, replacement }) => {
      const before = source.lastIndexOf('\n', start - 1) + 1;
      const lineEnd = source.indexOf('\n', end);
      const after = lineEnd < 0 ? source.length : lineEnd;
      return {
        file,
        line: source.slice(0, start).split('\n').length,
        column: start - before + 1,
        start,
        end,
        replacement,
        was: onOneLine(source.slice(before, after)),
        becomes: onOneLine(source.slice(before, start) + replacement + source.slice(end, after)),
      };
    });
}

export function mutated(
  source: string,
  { start, end, replacement }: Pick<Mutant, 'start' | 'end' | 'replacement'>,
): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

function onOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
