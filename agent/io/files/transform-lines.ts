import { pipeline } from 'node:stream/promises';
import { AgentError } from '../../errors.ts';
import { createTransformer, type Transformer } from '../../protection/transformer.ts';
import { randomSecret } from '../process/chance.ts';
import { loadKernels } from '../process/native.ts';
import { parseTransformRequest } from '../process/transform-request.ts';
import { systemCode } from './file-fault.ts';
import { readLines } from './line-reader.ts';

export type TransformCounts = { readonly lines: number; readonly refused: number };

/**
 * One answer for each line, in order: the code in hexadecimal, or what is wrong with the line. Reads no faster
 * than the answers are taken. Empty lines are skipped, and counted. A reader of the answers who goes away
 * ends it.
 */
export async function transformLines(
  transformer: Transformer,
  input: AsyncIterable<Uint8Array>,
  output: NodeJS.WritableStream,
): Promise<TransformCounts> {
  let lines = 0;
  let refused = 0;
  async function* answers(): AsyncGenerator<string> {
    for await (const { line, text } of readLines(input, longestLineBytes)) {
      if (text?.trim() === '') continue;
      const answer = answerTo(transformer, line, text);
      lines += 1;
      if ('error' in answer) refused += 1;
      yield `${JSON.stringify(answer)}\n`;
    }
  }
  try {
    await pipeline(answers, output, { end: false });
  } catch (fault) {
    if (systemCode(fault) !== 'EPIPE') throw fault;
  }
  return { lines, refused };
}

/** On the standard streams. @throws INPUT_INVALID after the last line, where a line was refused */
export async function serveTransform(): Promise<void> {
  const transformer = createTransformer({ kernels: loadKernels().kernels, random: randomSecret });
  try {
    const { lines, refused } = await transformLines(transformer, process.stdin, process.stdout);
    if (refused > 0) {
      throw new AgentError('INPUT_INVALID', `${refused} of ${lines} lines were refused`);
    }
  } finally {
    transformer.wipe();
  }
}

/** 1,024 numbers of 25 characters, and room. */
const longestLineBytes = 64 * 1024;

function answerTo(transformer: Transformer, line: number, text: string | undefined): object {
  try {
    if (text === undefined) {
      throw new AgentError('INPUT_INVALID', `longer than ${longestLineBytes} bytes`);
    }
    const { purpose, request } = parseTransformRequest(text);
    const { code, epoch } = transformer.transform(request);
    return {
      line,
      purpose,
      ...(epoch === null ? {} : { epoch }),
      bits: code.length * 8,
      code: Buffer.from(code).toString('hex'),
    };
  } catch (fault) {
    if (!(fault instanceof AgentError)) throw fault;
    return { line, error: { code: fault.code, message: `line ${line}: ${fault.message}` } };
  }
}
