import { createReadStream } from 'node:fs';
import { AgentError } from '../../errors.ts';
import { reasonOf, systemCode } from './file-fault.ts';

/** One record of a CSV file, and the line it begins on, counted from 1. */
export type CsvRecord = { readonly line: number; readonly fields: readonly string[] };

/**
 * The records of a CSV file (RFC 4180: commas, fields in double quotes may hold commas, line ends and
 * doubled quotes), read as a stream. A byte order mark, CRLF and empty lines are passed over.
 * Rejects with INPUT_MISSING, or INPUT_INVALID for what is not text in UTF-8, a quote that is not
 * closed or stands within a field, or a record longer than 64 KiB.
 */
export async function* readCsv(path: string): AsyncGenerator<CsvRecord> {
  const parser = createParser(path);
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for await (const chunk of createReadStream(path)) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('a stream of bytes was expected');
      yield* parser.push(decoder.decode(chunk, { stream: true }));
    }
    yield* parser.push(decoder.decode());
    yield* parser.end();
  } catch (cause) {
    throw faultOf(path, cause);
  }
}

/** A file that does not end its lines would otherwise be held in memory as a whole. */
const maxRecordLength = 64 * 1024;

type State = 'field start' | 'plain' | 'quoted' | 'quote seen';

function createParser(path: string) {
  let state: State = 'field start';
  let field = '';
  let fields: string[] = [];
  let length = 0;
  let line = 1;
  let startLine = 1;
  let afterReturn = false;

  const fault = (at: number, what: string) =>
    new AgentError('INPUT_INVALID', `${path}: line ${at}: ${what}`);
  const endField = () => {
    fields.push(field);
    field = '';
    state = 'field start';
  };
  /** An empty line has one field, and that is empty and was not quoted. */
  const endRecord = (): CsvRecord | undefined => {
    const isEmpty = state === 'field start' && fields.length === 0;
    endField();
    const record = { line: startLine, fields };
    fields = [];
    length = 0;
    return isEmpty ? undefined : record;
  };

  return {
    *push(text: string): Generator<CsvRecord> {
      for (const char of text) {
        if (isBinary(char)) throw fault(line, 'this is not a text file');
        if (length === 0) startLine = line;
        length += char.length;
        if (length > maxRecordLength) throw fault(startLine, 'the line is too long for a list');
        const lineEnds = char === '\r' || (char === '\n' && !afterReturn);
        const half = char === '\n' && afterReturn;
        afterReturn = char === '\r';
        if (lineEnds) line += 1;
        if (state === 'quoted') {
          if (char === '"') state = 'quote seen';
          else field += char;
        } else if (state === 'quote seen' && char === '"') {
          field += char;
          state = 'quoted';
        } else if (half) {
          length = 0;
        } else if (lineEnds) {
          const record = endRecord();
          if (record) yield record;
        } else if (char === ',') {
          endField();
        } else if (state === 'quote seen') {
          throw fault(line, 'a closing quote is followed by more than a comma');
        } else if (char === '"') {
          if (state !== 'field start') throw fault(line, 'a quote stands within a field');
          state = 'quoted';
        } else {
          field += char;
          state = 'plain';
        }
      }
    },
    *end(): Generator<CsvRecord> {
      if (state === 'quoted') throw fault(startLine, 'a quote is not closed');
      const record = endRecord();
      if (record) yield record;
    },
  };
}

/** Control characters other than tab and line ends: no list holds one, every picture and program does. */
function isBinary(char: string): boolean {
  return char < ' ' && char !== '\t' && char !== '\n' && char !== '\r';
}

function faultOf(path: string, cause: unknown): unknown {
  const code = systemCode(cause);
  if (cause instanceof AgentError || code === undefined) return cause;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new AgentError('INPUT_MISSING', `${path}: there is no such file`, { cause });
  }
  const why =
    code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
      ? 'this is not a text file in UTF-8'
      : `it cannot be read (${reasonOf(cause)})`;
  return new AgentError('INPUT_INVALID', `${path}: ${why}`, { cause });
}
