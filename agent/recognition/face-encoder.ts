import { AgentError } from '../errors.ts';
import type { EmbeddingEntry, Kernels, Model } from '../ports.ts';
import type { Embedding } from '../template/template.ts';
import { createAligner } from '../vision/alignment.ts';
import type { Face } from '../vision/face.ts';
import type { Frame } from '../vision/frame.ts';
import type { Lap } from './stopwatch.ts';
import { scaleToUnit } from './unit-vector.ts';

export type FaceEncoder = {
  /**
   * L2-normalised; the memory is the caller's, to be zeroed by the caller. Undefined: the landmarks are
   * no face, or the output has no direction (zero, NaN). Chip and tensor are zeroed after each face.
   */
  encode(frame: Frame, face: Face, lap: Lap): Promise<Embedding | undefined>;
};

/** Steps 5 and 6 of the data's path. */
export function createFaceEncoder(
  model: Model<EmbeddingEntry>,
  kernels: Pick<Kernels, 'warp' | 'normalise'>,
): FaceEncoder {
  const { entry } = model;
  const { size } = entry.alignment;
  const aligner = createAligner(entry.alignment, kernels);
  const tensor = new Float32Array(3 * size * size);

  async function encode(frame: Frame, face: Face, lap: Lap): Promise<Embedding | undefined> {
    try {
      const chip = aligner.align(frame, face.landmarks);
      if (!chip) return undefined;
      kernels.normalise(chip, entry.input, tensor);
      lap('align');
      const outputs = await model.run(tensor, [1, 3, size, size]);
      const values = outputs[entry.outputs[0]?.name ?? ''];
      if (values?.length !== entry.dimensions) {
        values?.fill(0);
        throw new AgentError(
          'MODEL_MISMATCH',
          `model ${entry.name} gave no embedding of ${entry.dimensions} values`,
        );
      }
      const isDirection = scaleToUnit(values);
      lap('embed');
      return isDirection ? { values, modelSha256: entry.sha256 } : undefined;
    } finally {
      aligner.wipe();
      tensor.fill(0);
    }
  }

  return { encode };
}
