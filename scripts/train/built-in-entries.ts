import { sha256Of } from '../../agent/io/models/model-bytes.ts';
import type { DetectionEntry, EmbeddingEntry } from '../../agent/ports.ts';

/** Of all: trained from scratch by the scripts beside this one. */
const common = { licence: 'Apache-2.0', builtin: true } as const;

const strides = [8, 16, 32];

/** As detector.py exports it, for pictures of any size. */
export function detectorEntry(bytes: Uint8Array): DetectionEntry {
  return {
    name: 'doorkeep-detector',
    task: 'detection',
    family: 'face-maps',
    file: 'doorkeep-detector.onnx',
    sha256: sha256Of(bytes),
    sizeBytes: bytes.length,
    source: 'scripts/train/detector.py; docs/models.md says from what it was trained',
    ...common,
    input: {
      name: 'input',
      shape: ['batch', 3, 'height', 'width'],
      layout: 'NCHW',
      colour: 'BGR',
      mean: [0, 0, 0],
      std: [1, 1, 1],
      multipleOf: 32,
    },
    outputs: strides.map((stride) => ({
      name: `faces_${stride}`,
      shape: ['batch', 15, `rows_${stride}`, `columns_${stride}`],
    })),
    strides,
  };
}

/** As recogniser.py exports it: aligned as its teacher is, at three quarters of the size. */
export function recogniserEntry(
  bytes: Uint8Array,
  teacher: EmbeddingEntry,
  decision: Pick<EmbeddingEntry, 'threshold' | 'margin'>,
): EmbeddingEntry {
  const size = 96;
  const scale = size / teacher.alignment.size;
  const scaled = (value: number) => Number((value * scale).toFixed(4));
  return {
    name: 'doorkeep-recogniser',
    task: 'embedding',
    family: 'embedding',
    file: 'doorkeep-recogniser.onnx',
    sha256: sha256Of(bytes),
    sizeBytes: bytes.length,
    source: 'scripts/train/recogniser.py; docs/models.md says from what it was trained',
    ...common,
    input: {
      name: 'input',
      shape: ['batch', 3, size, size],
      layout: 'NCHW',
      colour: 'RGB',
      mean: [127.5, 127.5, 127.5],
      std: [127.5, 127.5, 127.5],
      multipleOf: 1,
    },
    outputs: [{ name: 'embedding', shape: ['batch', 256] }],
    dimensions: 256,
    alignment: {
      size,
      points: teacher.alignment.points.map(([x, y]) => [scaled(x), scaled(y)] as const),
    },
    ...decision,
  };
}

/** As quantise.py turns it into int8: the same inputs and outputs. */
export function int8Entry(
  bytes: Uint8Array,
  teacher: EmbeddingEntry,
  decision: Pick<EmbeddingEntry, 'threshold' | 'margin'>,
): EmbeddingEntry {
  return {
    ...recogniserEntry(bytes, teacher, decision),
    name: 'doorkeep-recogniser-int8',
    file: 'doorkeep-recogniser-int8.onnx',
    source: 'scripts/train/recogniser.py, quantise.py; docs/models.md says from what it was made',
  };
}
