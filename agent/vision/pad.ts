import { AgentError } from '../errors.ts';
import type { Affine, Chip, Kernels, Model, PadEntry } from '../ports.ts';
import type { Box, Face } from './face.ts';
import type { Frame } from './frame.ts';

/** `score`: mean probability of a bona fide presentation, 0…1. Not checked is never bona fide. */
export type PadOutcome =
  | { readonly kind: 'bona-fide'; readonly score: number }
  | { readonly kind: 'attack'; readonly score: number }
  | { readonly kind: 'not-checked' };

export type PadCheck = {
  /** One face at a time: chips and tensors are used again (and zeroed after each face). */
  check(frame: Frame, face: Face): Promise<PadOutcome>;
};

/**
 * Presentation attack detection with models of the MiniFASNet family: each sees its own window around the
 * box; the mean of their softmax outputs decides, bona fide where that class is the largest (the rule
 * of the models' source). Without a model nothing is checked. An output that is no number is an
 * attack with score 0: a broken model must not open a door.
 */
export function createPadCheck(
  models: readonly Model<PadEntry>[],
  kernels: Pick<Kernels, 'warp' | 'normalise'>,
): PadCheck {
  const views = models.map((model) => createView(model, kernels));

  async function check(frame: Frame, face: Face): Promise<PadOutcome> {
    if (views.length === 0) return { kind: 'not-checked' };
    let bonaFide = 0;
    const attacks: number[] = [];
    for (const view of views) {
      const probabilities = await view(frame, face.box);
      bonaFide += probabilities.bonaFide / views.length;
      for (const [i, attack] of probabilities.attacks.entries()) {
        attacks[i] = (attacks[i] ?? 0) + attack / views.length;
      }
    }
    if (!Number.isFinite(bonaFide)) return { kind: 'attack', score: 0 };
    const isBonaFide = attacks.every((attack) => bonaFide > attack);
    return { kind: isBonaFide ? 'bona-fide' : 'attack', score: bonaFide };
  }

  return { check };
}

type Probabilities = { readonly bonaFide: number; readonly attacks: readonly number[] };

function createView(model: Model<PadEntry>, kernels: Pick<Kernels, 'warp' | 'normalise'>) {
  const { entry } = model;
  const [, , height, width] = entry.input.shape;
  if (typeof height !== 'number' || typeof width !== 'number') {
    throw new AgentError('MODEL_MISMATCH', `model ${entry.name} has no fixed input size`);
  }
  const chip: Chip = { width, height, data: new Uint8Array(width * height * 3) };
  const tensor = new Float32Array(width * height * 3);

  return async (frame: Frame, box: Box): Promise<Probabilities> => {
    try {
      kernels.warp(frame, padWindow(frame, box, entry.cropFactor, chip), chip);
      kernels.normalise(chip, entry.input, tensor);
      const outputs = await model.run(tensor, [1, 3, height, width]);
      const logits = outputs[entry.outputs[0]?.name ?? ''];
      if (!logits || logits.length < 2 || !(entry.bonaFideClass < logits.length)) {
        throw new AgentError('MODEL_MISMATCH', `model ${entry.name} lacks its classes`);
      }
      const values = softmax(logits);
      const [bonaFide = Number.NaN] = values.splice(entry.bonaFideClass, 1);
      return { bonaFide, attacks: values };
    } finally {
      chip.data.fill(0);
      tensor.fill(0);
    }
  };
}

/**
 * Chip -> frame for the window a MiniFASNet was trained with: the box times `factor`, the factor
 * reduced until the window fits into the picture, the window shifted (not cut) inside it, whole
 * pixels, then stretched bilinearly to the chip with no regard to the aspect (Silent-Face-Anti-Spoofing,
 * Apache-2.0: rule and rounding).
 */
export function padWindow(
  frame: { readonly width: number; readonly height: number },
  box: Box,
  factor: number,
  chip: { readonly width: number; readonly height: number },
): Affine {
  const lastX = frame.width - 1;
  const lastY = frame.height - 1;
  const reduced = Math.min(lastY / box.height, lastX / box.width, factor);
  const [left, right] = span(box.x + box.width / 2, box.width * reduced, lastX);
  const [top, bottom] = span(box.y + box.height / 2, box.height * reduced, lastY);
  const scaleX = (right - left + 1) / chip.width;
  const scaleY = (bottom - top + 1) / chip.height;
  return [scaleX, 0, left + scaleX / 2 - 0.5, 0, scaleY, top + scaleY / 2 - 0.5];
}

/** First and last pixel of `length` around `centre`, shifted into 0…last. */
function span(centre: number, length: number, last: number): [number, number] {
  const start = Math.min(Math.max(0, centre - length / 2), Math.max(0, last - length));
  return [Math.floor(start), Math.floor(Math.min(last, start + length))];
}

function softmax(logits: Float32Array): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
