import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGallery } from './gallery.ts';

const scope = { modelSha256: 'm', version: 1 };

test('templates stand one after the other, and each row knows its resident', () => {
  const gallery = createGallery(scope);
  gallery.add('ann', template(1));
  gallery.add('bob', template(2));
  gallery.add('ann', template(3));
  expect([gallery.rows, gallery.residents, gallery.rowsOf('ann')]).toEqual([3, 2, 2]);
  expect([0, 1, 2].map(gallery.residentOf)).toEqual(['ann', 'bob', 'ann']);
  expect(firstBytes(gallery.codes)).toEqual([1, 2, 3]);
});

test('a template of another model, version or size is refused', () => {
  const gallery = createGallery(scope);
  for (const wrong of [{ modelSha256: 'n' }, { version: 2 }, { code: new Uint8Array(511) }]) {
    expect(() => gallery.add('ann', { ...template(1), ...wrong })).toThrow(TypeError);
  }
  expect(gallery.rows).toBe(0);
});

test('a row that is not there is a mistake of the caller', () => {
  expect(() => createGallery(scope).residentOf(0)).toThrow(TypeError);
});

test('S4-5 of a removed resident not a byte stays in memory', () => {
  const gallery = createGallery({ ...scope, capacity: 64 });
  for (const [i, id] of ['ann', 'bob', 'ann', 'cem'].entries()) gallery.add(id, template(i + 1));
  const memory = new Uint8Array(gallery.codes.buffer);
  expect(gallery.remove('ann')).toBe(2);
  expect([gallery.rows, gallery.residents, gallery.rowsOf('ann')]).toEqual([2, 2, 0]);
  expect([0, 1].map(gallery.residentOf)).toEqual(['bob', 'cem']);
  expect(firstBytes(gallery.codes)).toEqual([2, 4]);
  expect(memory.some((byte) => byte === 1 || byte === 3)).toBe(false);
  expect(gallery.remove('ann')).toBe(0);
});

test('a gallery that grows or is cleared zeroes the memory it leaves', () => {
  const gallery = createGallery({ ...scope, capacity: 16 });
  for (let i = 0; i < 16; i++) gallery.add('ann', template(7));
  const memory = new Uint8Array(gallery.codes.buffer);
  gallery.add('ann', template(8));
  expect(memory.every((byte) => byte === 0)).toBe(true);
  expect(firstBytes(gallery.codes)).toEqual([...Array(16).fill(7), 8]);
  const larger = new Uint8Array(gallery.codes.buffer);
  gallery.clear();
  expect(larger.every((byte) => byte === 0)).toBe(true);
  expect([gallery.rows, gallery.residents, gallery.codes.length]).toEqual([0, 0, 0]);
});

test('with the capacity known, 20,000 templates take 10 MB and no copying', () => {
  const gallery = createGallery({ ...scope, capacity: 20_000 });
  const { buffer } = gallery.codes;
  for (let i = 0; i < 20_000; i++) gallery.add(`r${i}`, template(1));
  expect(gallery.codes.buffer).toBe(buffer);
  expect(buffer.byteLength).toBe(20_000 * 512);
});

test('after any run of additions and removals it holds what it should, in order', () => {
  const step = fc.record({ id: fc.constantFrom('ann', 'bob', 'cem'), add: fc.boolean() });
  const holds = (steps: readonly { id: string; add: boolean }[]) => {
    const gallery = createGallery(scope);
    let expected: { id: string; n: number }[] = [];
    steps.forEach(({ id, add }, i) => {
      if (add) {
        gallery.add(id, template(i + 1));
        expected.push({ id, n: i + 1 });
        return;
      }
      const kept = expected.filter((entry) => entry.id !== id);
      expect(gallery.remove(id)).toBe(expected.length - kept.length);
      expected = kept;
    });
    expect(firstBytes(gallery.codes)).toEqual(expected.map(({ n }) => n));
    expect(expected.map((_, row) => gallery.residentOf(row))).toEqual(expected.map(({ id }) => id));
    expect(gallery.residents).toBe(new Set(expected.map(({ id }) => id)).size);
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), holds), { numRuns: 100 });
});

function template(n: number) {
  return { ...scope, code: new Uint8Array(512).fill(n) };
}

function firstBytes(codes: Uint8Array): number[] {
  return [...codes].filter((_, i) => i % 512 === 0);
}
