import type { ModelEntry } from '../../ports.ts';
import { tinyModel } from './tiny-model.ts';

/** The two files of an OpenVINO model, and what a manifest would say of it once it is ONNX. */
export type SmallIr = {
  readonly xml: string;
  readonly bin: Uint8Array;
  /** Without the digest of the ONNX file. */
  readonly entry: ModelEntry;
};

export const smallIrSide = 4;

/** Every value is exact in 16 bits. */
export const smallIrWeights = {
  scale: [0.5, 1, 2],
  offset: [-1, 0.25, 0.5],
  kernel: Array.from({ length: 54 }, (_, at) => ((at * 7) % 17) / 8 - 1),
  bias: [0.75, -0.5],
  slopes: [0.25, -2],
  mean: Array.from({ length: 32 }, (_, at) => ((at * 5) % 13) / 4 - 1.5),
} as const;

/**
 * A network of every kind of step that can be converted, made by hand: scale, offset, 3×3 convolution with
 * a bias, PReLU, a gate (mean, sigmoid, product), a sum past it, a 4×4 convolution by channel.
 */
export function smallIr({ type = 'f16' }: { readonly type?: 'f16' | 'f32' } = {}): SmallIr {
  const writer = irWriter(type);
  const { constant, step } = writer;
  const picture = [1, 3, smallIrSide, smallIrSide];
  const map = [1, 2, smallIrSide, smallIrSide];
  const numpy = { auto_broadcast: 'numpy' };
  const conv = { auto_pad: 'explicit', strides: '1, 1', dilations: '1, 1' };
  const all = `${smallIrSide}, ${smallIrSide}`;
  const { scale, offset, kernel, bias, slopes, mean } = smallIrWeights;

  const x = step('Parameter', { shape: picture.join(), element_type: 'f32' }, [], picture);
  const scaled = step('Multiply', numpy, [x, constant([1, 3, 1, 1], scale)], picture);
  const moved = step('Add', numpy, [scaled, constant([1, 3, 1, 1], offset)], picture);
  const padded = { ...conv, pads_begin: '1, 1', pads_end: '1, 1' };
  const folded = step('Convolution', padded, [moved, constant([2, 3, 3, 3], kernel)], map);
  const biased = step('Add', numpy, [folded, constant([1, 2, 1, 1], bias)], map);
  const bent = step('PReLU', {}, [biased, constant([2], slopes)], map);
  const pool = { kernel: all, strides: all, pads_begin: '0, 0', pads_end: '0, 0' };
  const pooled = step('AvgPool', pool, [bent], [1, 2, 1, 1]);
  const gate = step('Sigmoid', undefined, [pooled], [1, 2, 1, 1]);
  const gated = step('Multiply', numpy, [bent, gate], map);
  const sum = step('Add', numpy, [gated, bent], map);
  const bare = { ...conv, pads_begin: '0, 0', pads_end: '0, 0' };
  const weights = constant([2, 1, 1, smallIrSide, smallIrSide], mean);
  const end = step('GroupConvolution', bare, [sum, weights], [1, 2, 1, 1]);
  step('Result', undefined, [end], undefined);

  const tiny = tinyModel().entry;
  const entry: ModelEntry = {
    ...tiny,
    name: 'small',
    file: 'small.onnx',
    input: { ...tiny.input, shape: ['batch', 3, smallIrSide, smallIrSide] },
    outputs: [{ name: 'code', shape: ['batch', 2] }],
    dimensions: 2,
  };
  return { ...writer.files(), entry };
}

type Value = { readonly layer: number; readonly port: number; readonly shape: readonly number[] };

function irWriter(type: 'f16' | 'f32') {
  const layers: string[] = [];
  const edges: string[] = [];
  const pieces: Uint8Array[] = [];
  let offset = 0;

  function step(
    kind: string,
    data: Readonly<Record<string, string | number>> | undefined,
    inputs: readonly Value[],
    shape: readonly number[] | undefined,
  ): Value {
    const layer = layers.length;
    const port = inputs.length;
    for (const [to, from] of inputs.entries()) {
      edges.push(
        `<edge from-layer="${from.layer}" from-port="${from.port}" to-layer="${layer}" to-port="${to}" />`,
      );
    }
    const attributes = Object.entries(data ?? {}).map(([key, value]) => ` ${key}="${value}"`);
    layers.push(
      [
        `<layer id="${layer}" name="step &lt;${layer}&gt;" type="${kind}" version="opset1">`,
        ...(data ? [`<data${attributes.join('')} />`] : []),
        ...(inputs.length > 0 ? [`<input>${inputs.map(portText).join('')}</input>`] : []),
        ...(shape ? [`<output>${portText({ shape }, port)}</output>`] : []),
        '</layer>',
      ].join('\n'),
    );
    return { layer, port, shape: shape ?? [] };
  }

  function constant(shape: readonly number[], values: readonly number[]): Value {
    const array = type === 'f16' ? new Float16Array(values) : new Float32Array(values);
    const bytes = new Uint8Array(array.buffer);
    const data = { element_type: type, shape: shape.join(', '), offset, size: bytes.length };
    pieces.push(bytes);
    offset += bytes.length;
    const kept = step('Const', data, [], shape);
    return type === 'f16' ? step('Convert', { destination_type: 'f32' }, [kept], shape) : kept;
  }

  function files() {
    const xml = `<?xml version="1.0"?>
<net name="small" version="11">
<layers>
${layers.join('\n')}
</layers>
<edges>
${edges.join('\n')}
</edges>
<rt_info><framework value="by hand" /></rt_info>
</net>
`;
    return { xml, bin: new Uint8Array(Buffer.concat(pieces)) };
  }

  return { step, constant, files };
}

function portText({ shape }: { readonly shape: readonly number[] }, id: number): string {
  const sides = shape.map((side) => `<dim>${side}</dim>`).join('');
  return `<port id="${id}" precision="FP32">${sides}</port>`;
}
