import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openReal, readReal } from '../../test/fakes/real-material.ts';
import { sharedFaces, sharedModels } from '../../test/fakes/shared-material.ts';
import { smallIr, smallIrSide, smallIrWeights } from '../../test/fakes/small-ir.ts';
import { convertIr } from './ir-convert.ts';
import { loadManifest } from './manifest.ts';
import { sha256Of } from './model-bytes.ts';
import { outputDifference } from './model-probes.ts';
import { readOnnx } from './onnx-graph.ts';
import { openModelBytes } from './sessions.ts';

const source = { file: 'a test', threads: 1 };
const { entry, xml, bin } = smallIr();
const bytesOf = (text: string) => new TextEncoder().encode(text);
const convert = (text: string, weights = bin) => convertIr(entry, bytesOf(text), weights);

/** What the small network computes, step by step, from its description and nothing of the code under test. */
function byHand(picture: Float32Array): number[] {
  const side = smallIrSide;
  const { scale, offset, kernel, bias, slopes, mean } = smallIrWeights;
  const at = (list: readonly number[], index: number) => list[index] ?? Number.NaN;
  const pixel = (channel: number, y: number, x: number) =>
    x < 0 || y < 0 || x >= side || y >= side
      ? 0
      : (picture[(channel * side + y) * side + x] ?? Number.NaN) * at(scale, channel) +
        at(offset, channel);
  return [0, 1].map((out) => {
    const map: number[] = [];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        let sum = at(bias, out);
        for (let channel = 0; channel < 3; channel++) {
          for (let ky = 0; ky < 3; ky++) {
            for (let kx = 0; kx < 3; kx++) {
              const weight = at(kernel, ((out * 3 + channel) * 3 + ky) * 3 + kx);
              sum += weight * pixel(channel, y + ky - 1, x + kx - 1);
            }
          }
        }
        map.push(sum > 0 ? sum : sum * at(slopes, out));
      }
    }
    const gate = 1 / (1 + Math.exp(-map.reduce((sum, value) => sum + value, 0) / map.length));
    return map.reduce(
      (sum, value, index) => sum + at(mean, out * side * side + index) * value * (1 + gate),
      0,
    );
  });
}

describe.each(['f16', 'f32'] as const)('weights of type %s', (type) => {
  const small = smallIr({ type });
  const onnx = convertIr(small.entry, bytesOf(small.xml), small.bin);

  test('the converted model computes what the description says', async () => {
    const model = await openModelBytes(small.entry, onnx, source);
    const pictures = [1, 2].map((seed) =>
      Float32Array.from({ length: 3 * smallIrSide ** 2 }, (_, at) => Math.sin(seed * 3.7 * at)),
    );
    for (const picture of pictures) {
      const outputs = await model.run(picture, [1, 3, smallIrSide, smallIrSide]);
      const expected = byHand(picture);
      expect(outputs['code']).toHaveLength(2);
      for (const [index, value] of expected.entries()) {
        expect(outputs['code']?.[index]).toBeCloseTo(value, 4);
      }
    }
    await model.close();
  });

  test('weights of convolutions stay as they are found, and the bias is no step of its own', () => {
    const operators = readOnnx(onnx).nodes.map(({ op }) => op);
    expect(operators.filter((op) => op === 'Cast')).toHaveLength(type === 'f16' ? 2 : 0);
    expect(operators.filter((op) => op === 'Add')).toHaveLength(2);
  });

  test('the same files give the same bytes every time', () => {
    expect(convertIr(small.entry, bytesOf(small.xml), small.bin)).toEqual(onnx);
  });
});

test('a convolution whose output somebody else takes as well keeps its bias apart', () => {
  const [conv, sum, prelu] = ['Convolution', 'Add', 'PReLU'].map((type) =>
    [...xml.matchAll(new RegExp(`<layer id="(\\d+)"[^>]* type="${type}"`, 'g'))].map(
      ([, id]) => id,
    ),
  );
  expect([conv?.[0], sum?.[1], prelu?.[0]]).toEqual(['9', '12', '15']);
  // PReLU now takes the convolution's own output, the sum past the gate the biased one.
  const changed = xml
    .replace(
      'from-layer="12" from-port="2" to-layer="15"',
      'from-layer="9" from-port="2" to-layer="15"',
    )
    .replace(
      'from-layer="15" from-port="2" to-layer="19" to-port="1"',
      'from-layer="12" from-port="2" to-layer="19" to-port="1"',
    );
  expect(changed).not.toBe(xml);
  const { nodes } = readOnnx(convert(changed));
  expect(nodes.find(({ op }) => op === 'Conv')?.inputs).toHaveLength(2);
  expect(nodes.filter(({ op }) => op === 'Add')).toHaveLength(3);
});

describe('in one line it is said', () => {
  const oneLine = (text: string, weights?: Uint8Array) => {
    try {
      convert(text, weights);
    } catch (fault) {
      expect(fault).toBeInstanceOf(RangeError);
      const message = fault instanceof Error ? fault.message : '';
      expect(message).not.toContain('\n');
      return message;
    }
    return 'nothing is wrong';
  };

  test.each<[string, string, string, RegExp]>([
    ['a step that is not known', '"Sigmoid"', '"Softplus"', /^layer 17 \(Softplus\): .*not known$/],
    ['a step named like a property of objects', '"Sigmoid"', '"constructor"', /not known$/],
    [
      'another version of the format',
      'version="11"',
      'version="10"',
      /no OpenVINO model of version 11/,
    ],
    ['weights of an unknown type', 'element_type="f16"', 'element_type="i8"', /layer 1 .*type i8/],
    [
      'weights that do not fill their shape',
      'size="6"',
      'size="8"',
      /layer 1 .*takes 6 bytes, not 8/,
    ],
    ['weights that lie behind the end', 'offset="12"', 'offset="9999"', /the file at \d+$/],
    ['an offset below 0', 'offset="12"', 'offset="-2"', /offset is "-2"/],
    [
      'a shape that is not that of the output',
      'shape="1, 3, 1, 1"',
      'shape="3, 1, 1, 1"',
      /its shape is \[3,1,1,1\]/,
    ],
    ['a conversion to another type', 'destination_type="f32"', 'destination_type="i64"', /to i64/],
    [
      'an input that nobody makes',
      'to-layer="15" to-port="0"',
      'to-layer="15" to-port="7"',
      /layer 15 .*its port 0/,
    ],
    [
      'a circle',
      'from-layer="12" from-port="2" to-layer="15"',
      'from-layer="19" from-port="2" to-layer="15"',
      /layer 15 .*nothing before it/,
    ],
    [
      'an input of another shape',
      '<layer id="17" name="step &lt;17&gt;" type="Sigmoid" version="opset1">\n<input><port id="0" precision="FP32"><dim>1</dim><dim>2</dim>',
      '<layer id="17" name="step &lt;17&gt;" type="Sigmoid" version="opset1">\n<input><port id="0" precision="FP32"><dim>1</dim><dim>3</dim>',
      /layer 17 .*gets \[1,2,1,1\]/,
    ],
    ['a size that is no number', '<dim>3</dim>', '<dim>three</dim>', /a size is "three"/],
    ['a size of 0', '<dim>3</dim>', '<dim>0</dim>', /a size is "0"/],
    [
      'padding left to OpenVINO',
      'auto_pad="explicit"',
      'auto_pad="same_upper"',
      /layer 9 .*same_upper/,
    ],
    [
      'another way to broadcast',
      'auto_broadcast="numpy"',
      'auto_broadcast="pdpd"',
      /layer 3 .*pdpd/,
    ],
    ['strides for one axis', 'strides="1, 1"', 'strides="1"', /layer 9 .*strides is "1"/],
    ['a mean over a part', 'kernel="4, 4"', 'kernel="2, 2"', /layer 16 .*mean over 2, 2/],
    ['a layer that is there twice', '<layer id="4"', '<layer id="1"', /^layer 1 is there twice$/],
    [
      'two edges to one port',
      '</edges>',
      '<edge from-layer="0" from-port="0" to-layer="3" to-port="0" /></edges>',
      /two edges lead to port 3:0/,
    ],
    [
      'an edge to nowhere',
      '</edges>',
      '<edge from-layer="0" from-port="0" to-layer="99" to-port="0" /></edges>',
      /port 99:0, which no layer has/,
    ],
    ['no layers', 'layers>', 'steps>', /has not one <layers>/],
    ['no result', 'type="Result"', 'type="Sigmoid"', /no result/],
  ])('%s', (_, from, to, expected) => {
    expect(xml).toContain(from);
    expect(oneLine(xml)).toBe('nothing is wrong');
    expect(oneLine(xml.replaceAll(from, to))).toMatch(expected);
  });

  test('weights that were cut off', () => {
    expect(oneLine(xml, bin.subarray(0, -1))).toMatch(
      new RegExp(`weights end at byte ${bin.length}, the file at ${bin.length - 1}$`),
    );
    expect(oneLine(xml, new Uint8Array())).toMatch(/^layer 1 \(Const\)/);
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['no XML', 'PK\u0003\u0004'],
    ['a description that was cut off', xml.slice(0, xml.length >> 1)],
    ['a document type', xml.replace('?>', '?>\n<!DOCTYPE net [<!ENTITY a "aaaa">]>')],
    ['an entity of its own', xml.replace('name="small"', 'name="&big;"')],
    ['a comment', xml.replace('<layers>', '<layers><!-- here -->')],
    ['a section', xml.replace('<layers>', '<layers><![CDATA[<layer>]]>')],
    ['an attribute twice', xml.replace('name="small"', 'name="small" name="large"')],
    ['an attribute without quotes', xml.replace('name="small"', 'name=small')],
    ['a tag that another one closes', xml.replace('</edges>', '</layers>')],
    ['text between elements', xml.replace('<layers>', '<layers>text')],
    ['two documents', `${xml}${xml}`],
    ['a thousand folds', `${'<a>'.repeat(1000)}${'</a>'.repeat(1000)}`],
  ])('%s is no description of a model', (_, text) => {
    expect(oneLine(text)).toMatch(/^line \d+ is not as OpenVINO writes it$/);
  });

  test('bytes that are no text', () => {
    expect(() => convertIr(entry, Uint8Array.from([0xff, 0xfe, 0x00]), bin)).toThrow(/UTF-8/);
  });

  test('a model for other pictures than the manifest says', () => {
    const input = { ...entry.input, shape: ['batch', 3, 8, 8] };
    expect(() => convertIr({ ...entry, input }, bytesOf(xml), bin)).toThrow(
      /takes \[1,3,4,4\], not \[batch,3,8,8\]/,
    );
  });

  test('a model with other results than the manifest says', () => {
    const outputs = [{ name: 'code', shape: ['batch', 256] }];
    expect(() => convertIr({ ...entry, outputs }, bytesOf(xml), bin)).toThrow(
      /gives \[1,2,1,1\], not \[batch,256\]/,
    );
  });
});

describe.skipIf(!sharedModels)('face-reidentification-retail-0095 as Intel gives it out', () => {
  const name = 'face-reidentification-retail-0095';
  const known = loadManifest().entries.find((each) => each.name === name);
  const file = (kind: string) => readFileSync(join(sharedModels ?? '', 'ir', `${name}.${kind}`));

  test('becomes, byte for byte, the ONNX file that the manifest describes', () => {
    if (!known) throw new Error(`the manifest has no ${name}`);
    const onnx = convertIr(known, file('xml'), file('bin'));
    expect(onnx).toHaveLength(known.sizeBytes);
    expect(sha256Of(onnx)).toBe(known.sha256);
  });

  test.skipIf(!sharedFaces)('gives the embeddings of that file, on faces of LFW', async () => {
    const original = await openReal('embedding', name);
    const onnx = convertIr(original.entry, file('xml'), file('bin'));
    const converted = await openModelBytes(original.entry, onnx, source);
    const table = readFileSync(join(sharedFaces ?? '', 'lfw/yunet_n_landmarks.csv'), 'utf8');
    const pictures = table
      .split('\n')
      .slice(1, 6)
      .map((line) => line.split(',')[0] ?? '');
    for (const picture of pictures) {
      const frame = await readReal(join('lfw/images', picture));
      const tensor = faceOf(frame.data, frame.width, frame.height);
      const expected = await original.run(tensor, [1, 3, 128, 128]);
      const found = await converted.run(tensor, [1, 3, 128, 128]);
      expect(outputDifference(original.entry, expected, found)).toBeUndefined();
    }
  });
});

/** The middle 128×128 of an LFW picture, where its face is. NCHW, BGR. */
function faceOf(data: Uint8Array, width: number, height: number): Float32Array {
  const [left, top] = [(width - 128) >> 1, (height - 128) >> 1];
  return Float32Array.from({ length: 3 * 128 * 128 }, (_, at) => {
    const [channel, y, x] = [2 - Math.floor(at / 16_384), (at >> 7) & 127, at & 127];
    return data[((top + y) * width + left + x) * 3 + channel] ?? Number.NaN;
  });
}
