import { AgentError } from '../../errors.ts';
import type { TransformRequest } from '../../protection/transformer.ts';
import {
  isRecord,
  listOf,
  number,
  object,
  oneOf,
  readShape,
  type Shape,
  text,
  whole,
} from '../../shape.ts';

export type TransformPurpose = 'match' | 'ueip';

/**
 * A line of `doorkeep transform`. Keys are 64 hex digits:
 *   {"purpose": "match", "key": …, "bits": 4096, "embedding": […]}   the matching key itself
 *   {"purpose": "match", "root": …, "model": …, "version": 1, "embedding": […]}
 *   {"purpose": "ueip", "key": …, "bits": 24, "embedding": […]}   the key of an epoch itself
 *   {"purpose": "ueip", "root": …, "date": "2027-03-01", "epoch": "any label", "bits": 24, "embedding": […]}
 * `bits` and `version` may be left out. @throws INPUT_INVALID, every fault named
 */
export function parseTransformRequest(line: string): {
  readonly purpose: TransformPurpose;
  readonly request: TransformRequest;
} {
  const value = parsed(line);
  const purpose = isRecord(value) ? readShape(purposeShape, value['purpose']) : undefined;
  if (!isRecord(value) || !purpose) throw invalid(['not an object']);
  if ('faults' in purpose) throw invalid(purpose.faults.map((fault) => `purpose${fault}`));
  const byKey = Object.hasOwn(value, 'key');
  if (purpose.value === 'match') {
    return { purpose: 'match', request: byKey ? keyRequest(value, 4096) : rootRequest(value) };
  }
  return { purpose: 'ueip', request: byKey ? keyRequest(value, 24) : epochRequest(value) };
}

const purposeShape = oneOf(['match', 'ueip']);
const hexShape = text({ pattern: /^[0-9a-fA-F]{64}$/, what: '64 hexadecimal digits' });
const common = {
  purpose: purposeShape,
  embedding: listOf(number(-3.4e38, 3.4e38), { min: 16, max: 1024 }),
};
const keyShape = object({ ...common, key: hexShape }, { bits: eighths(whole(8, 8192)) });
const rootShape = object(
  {
    ...common,
    root: hexShape,
    model: text({ pattern: /^[0-9a-f]{64}$/, what: 'a SHA-256 in lower case' }),
  },
  { version: whole(1, 0xffff_ffff) },
);
const epochShape = object(
  {
    ...common,
    root: hexShape,
    date: text({ pattern: /^\d{4}-\d{2}-\d{2}$/, what: 'a date like 2027-03-01' }),
    epoch: text({ max: 100, what: 'a label of 1 to 100 characters' }),
  },
  { bits: whole(16, 24) },
);

function keyRequest(value: unknown, preset: number): TransformRequest {
  const { key, bits = preset, embedding } = inShape(keyShape, value);
  return { under: 'key', key: fromHex(key), bits, embedding: Float32Array.from(embedding) };
}

function rootRequest(value: unknown): TransformRequest {
  const { root, model, version = 1, embedding } = inShape(rootShape, value);
  return {
    under: 'root',
    rootKey: fromHex(root),
    modelSha256: model,
    version,
    embedding: Float32Array.from(embedding),
  };
}

function epochRequest(value: unknown): TransformRequest {
  const { root, date, epoch, bits = 24, embedding } = inShape(epochShape, value);
  if (bits !== 24 && bits !== 16)
    throw invalid([`bits: a telemetry code has 24 or 16, not ${bits}`]);
  return {
    under: 'epoch',
    rootKey: fromHex(root),
    localDate: date,
    label: epoch,
    bits,
    embedding: Float32Array.from(embedding),
  };
}

function eighths(shape: Shape<number>): Shape<number> {
  return (value, place, faults) => {
    const bits = shape(value, place, faults);
    if (bits % 8 !== 0) faults.push(`${place}: expected a multiple of 8, got ${bits}`);
    return bits;
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    // The parser's own words quote the line, and a line holds keys.
    throw new AgentError('INPUT_INVALID', 'not JSON', { cause });
  }
}

function inShape<T>(shape: Shape<T>, value: unknown): T {
  const read = readShape(shape, value);
  if ('faults' in read) throw invalid(read.faults);
  return read.value;
}

function invalid(faults: readonly string[]): AgentError {
  const shown = faults.slice(0, 5).join('; ');
  return new AgentError('INPUT_INVALID', faults.length > 5 ? `${shown}; and more` : shown);
}

function fromHex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, 'hex'));
}
