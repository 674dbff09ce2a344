/**
 * The straightforward pipeline, kept as the baseline of every benchmark: sharp decodes, plain loops
 * make tensors, the models run as they were published with the runtime's own defaults, and a loop
 * over float embeddings finds the resident. Nothing here is shared with the agent.
 */
import { readFileSync } from 'node:fs';
import ort from 'onnxruntime-node';
import sharp from 'sharp';

type Picture = { data: Uint8Array; width: number; height: number };
type Found = { score: number; box: number[]; points: number[][] };

export type NaiveStages = Record<
  'decode' | 'tensor' | 'detect' | 'align' | 'embed' | 'match',
  number
>;

export async function createNaive(
  detectorFile: string,
  recogniserFile: string,
  threads: number,
  residents: readonly Float32Array[],
) {
  const options = { intraOpNumThreads: threads };
  const detector = await ort.InferenceSession.create(readFileSync(detectorFile), options);
  const recogniser = await ort.InferenceSession.create(readFileSync(recogniserFile), options);

  /** One JPEG to the best resident; `stages` in milliseconds. */
  return async (jpeg: Uint8Array): Promise<{ resident: number; stages: NaiveStages }> => {
    const marks = [performance.now()];
    const mark = () => marks.push(performance.now());
    const { data, info } = await sharp(jpeg)
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const picture = { data, width: info.width, height: info.height };
    mark();
    const [width, height] = [align32(picture.width), align32(picture.height)];
    const tensor = bgrTensor(picture, width, height);
    mark();
    const outputs = await detector.run({
      input: new ort.Tensor('float32', tensor, [1, 3, height, width]),
    });
    const face = bestFace(outputs, width);
    mark();
    if (!face) return { resident: -1, stages: stagesOf(marks) };
    const chip = alignedChip(picture, face.points);
    mark();
    const embedded = await recogniser.run({
      input: new ort.Tensor('float32', bgrTensor(chip, 128, 128), [1, 3, 128, 128]),
    });
    const embedding = normalised(embedded['embedding']?.data as Float32Array);
    mark();
    const resident = nearest(embedding, residents);
    mark();
    return { resident, stages: stagesOf(marks) };
  };
}

function stagesOf(marks: readonly number[]): NaiveStages {
  const span = (index: number) => (marks[index + 1] ?? 0) - (marks[index] ?? 0);
  return {
    decode: span(0),
    tensor: span(1),
    detect: span(2),
    align: span(3) || 0,
    embed: span(4) || 0,
    match: span(5) || 0,
  };
}

function align32(side: number): number {
  return Math.ceil(side / 32) * 32;
}

function bgrTensor(picture: Picture, width: number, height: number): Float32Array {
  const tensor = new Float32Array(3 * width * height);
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      for (let c = 0; c < 3; c++) {
        tensor[(2 - c) * width * height + y * width + x] =
          picture.data[(y * picture.width + x) * 3 + c] ?? 0;
      }
    }
  }
  return tensor;
}

function bestFace(
  outputs: ort.InferenceSession.OnnxValueMapType,
  width: number,
): Found | undefined {
  let best: Found | undefined;
  for (const stride of [8, 16, 32]) {
    const read = (name: string) => outputs[`${name}_${stride}`]?.data as Float32Array;
    const [cls, obj, box, points] = [read('cls'), read('obj'), read('bbox'), read('kps')];
    const columns = width / stride;
    for (let cell = 0; cell < cls.length; cell++) {
      const score = Math.sqrt((cls[cell] ?? 0) * (obj[cell] ?? 0));
      if (score < 0.6 || (best && score <= best.score)) continue;
      const [column, row] = [cell % columns, Math.floor(cell / columns)];
      const at = (values: Float32Array, index: number) => values[index] ?? 0;
      const w = Math.exp(at(box, cell * 4 + 2)) * stride;
      const h = Math.exp(at(box, cell * 4 + 3)) * stride;
      const x = (column + at(box, cell * 4)) * stride - w / 2;
      const y = (row + at(box, cell * 4 + 1)) * stride - h / 2;
      const landmarks = [0, 1, 2, 3, 4].map((n) => [
        (column + at(points, cell * 10 + 2 * n)) * stride,
        (row + at(points, cell * 10 + 2 * n + 1)) * stride,
      ]);
      best = { score, box: [x, y, w, h], points: landmarks };
    }
  }
  return best;
}

const reference = [
  [40.393, 59.081],
  [87.376, 59.081],
  [64.034, 81.985],
  [44.732, 105.561],
  [83.64, 105.561],
];

/** Least-squares similarity onto the recogniser's points, then one bilinear sample per chip pixel. */
function alignedChip(picture: Picture, points: number[][]): Picture {
  const mean = (list: number[][], k: number) => list.reduce((sum, p) => sum + (p[k] ?? 0), 0) / 5;
  const [mx, my, rx, ry] = [
    mean(points, 0),
    mean(points, 1),
    mean(reference, 0),
    mean(reference, 1),
  ];
  let [a, b, norm] = [0, 0, 0];
  for (let n = 0; n < 5; n++) {
    const [px, py] = [(points[n]?.[0] ?? 0) - mx, (points[n]?.[1] ?? 0) - my];
    const [qx, qy] = [(reference[n]?.[0] ?? 0) - rx, (reference[n]?.[1] ?? 0) - ry];
    a += px * qx + py * qy;
    b += px * qy - py * qx;
    norm += px * px + py * py;
  }
  [a, b] = [a / norm, b / norm];
  const determinant = a * a + b * b;
  const chip = new Uint8Array(128 * 128 * 3);
  for (let y = 0; y < 128; y++) {
    for (let x = 0; x < 128; x++) {
      const [dx, dy] = [x - rx, y - ry];
      const sx = (a * dx + b * dy) / determinant + mx;
      const sy = (-b * dx + a * dy) / determinant + my;
      for (let c = 0; c < 3; c++) chip[(y * 128 + x) * 3 + c] = bilinear(picture, sx, sy, c);
    }
  }
  return { data: chip, width: 128, height: 128 };
}

function bilinear(picture: Picture, x: number, y: number, c: number): number {
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - x0, y - y0];
  const at = (px: number, py: number) =>
    px < 0 || py < 0 || px >= picture.width || py >= picture.height
      ? 0
      : (picture.data[(py * picture.width + px) * 3 + c] ?? 0);
  const top = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx;
  const bottom = at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx;
  return Math.round(top * (1 - fy) + bottom * fy);
}

function normalised(values: Float32Array): Float32Array {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

function nearest(probe: Float32Array, residents: readonly Float32Array[]): number {
  let [best, bestScore] = [-1, Number.NEGATIVE_INFINITY];
  for (const [index, resident] of residents.entries()) {
    let score = 0;
    for (let i = 0; i < probe.length; i++) score += (probe[i] ?? 0) * (resident[i] ?? 0);
    if (score > bestScore) [best, bestScore] = [index, score];
  }
  return best;
}
