import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { GalleryStore, SealedTemplate } from '../../ports.ts';
import { sealed } from './sealed-row.ts';

const model = sealed('', 0).modelSha256;
const otherModel = 'b'.repeat(64);

/** What every gallery store does. `open` gives an empty one each time. */
export function galleryStoreContract(open: () => GalleryStore): void {
  let store: GalleryStore;
  beforeEach(() => {
    store = open();
  });
  afterEach(() => store.close());

  test('a new store has nobody in it', () => {
    expect(store.residents()).toEqual([]);
    expect(store.resident('ann')).toBeUndefined();
    expect([...store.templates(model)]).toEqual([]);
    expect(store.countTemplates()).toEqual([]);
    expect(store.erase('ann')).toBe(false);
    expect(store.scrub()).toBe(true);
  });

  test('an enrolled resident is there with every template, as given', () => {
    const templates = [sealed('ann', 1, { label: 'glasses' }), sealed('ann', 2)];
    store.enrol({ id: 'ann', label: 'Ann' }, templates, 1000);
    expect(store.resident('ann')).toEqual({ id: 'ann', label: 'Ann', enrolledAt: 1000 });
    expect(store.templatesOf('ann').map(plain)).toEqual(templates.map(plain));
    expect([...store.templates(model)].map(plain)).toEqual(templates.map(plain));
  });

  test('more photos for a resident leave the label and the day of enrolment alone', () => {
    store.enrol({ id: 'ann', label: 'Ann' }, [sealed('ann', 1)], 1000);
    store.enrol({ id: 'ann', label: 'Other' }, [sealed('ann', 2)], 2000);
    expect(store.residents()).toEqual([{ id: 'ann', label: 'Ann', enrolledAt: 1000 }]);
    expect(rowIds(store.templatesOf('ann'))).toEqual(['row-1', 'row-2']);
  });

  test('templates come in the order of enrolment, whatever the order of the names', () => {
    const many = Array.from({ length: 1100 }, (_, i) => sealed('zoe', i));
    store.enrol({ id: 'zoe', label: null }, many, 1);
    store.enrol({ id: 'ann', label: null }, [sealed('ann', 5000)], 2);
    expect(rowIds([...store.templates(model)])).toEqual([...rowIds(many), 'row-5000']);
    expect(store.residents().map(({ id }) => id)).toEqual(['zoe', 'ann']);
  });

  test('templates of another model are not given, and are counted by model and version', () => {
    store.enrol(
      { id: 'ann', label: null },
      [
        sealed('ann', 1),
        sealed('ann', 2, { version: 10 }),
        sealed('ann', 3, { version: 2 }),
        sealed('ann', 4, { version: 2 }),
        sealed('ann', 5, { modelSha256: otherModel }),
      ],
      1,
    );
    expect(rowIds([...store.templates(model)])).toEqual(['row-1', 'row-2', 'row-3', 'row-4']);
    expect(store.countTemplates()).toEqual([
      { modelSha256: model, version: 1, templates: 1 },
      { modelSha256: model, version: 2, templates: 2 },
      { modelSha256: model, version: 10, templates: 1 },
      { modelSha256: otherModel, version: 1, templates: 1 },
    ]);
  });

  test('S4-5 an erased resident and all templates are gone at once, the others stay', () => {
    store.enrol({ id: 'ann', label: 'Ann' }, [sealed('ann', 1), sealed('ann', 2)], 1);
    store.enrol({ id: 'bob', label: null }, [sealed('bob', 3)], 2);
    expect(store.erase('ann')).toBe(true);
    expect(store.resident('ann')).toBeUndefined();
    expect(store.templatesOf('ann')).toEqual([]);
    expect(rowIds([...store.templates(model)])).toEqual(['row-3']);
    expect(store.erase('ann')).toBe(false);
  });

  test('an erased resident can be enrolled again', () => {
    store.enrol({ id: 'ann', label: 'Old' }, [sealed('ann', 1)], 1);
    store.erase('ann');
    store.enrol({ id: 'ann', label: 'New' }, [sealed('ann', 2)], 2);
    expect(store.resident('ann')).toEqual({ id: 'ann', label: 'New', enrolledAt: 2 });
    expect(rowIds(store.templatesOf('ann'))).toEqual(['row-2']);
  });

  test('an enrolment that cannot be stored whole is not stored at all', () => {
    store.enrol({ id: 'ann', label: null }, [sealed('ann', 1)], 1);
    const before = store.revision();
    const taken = [sealed('bob', 2), sealed('bob', 1)];
    expect(() => store.enrol({ id: 'bob', label: null }, taken, 2)).toThrow(/row/);
    expect(store.residents().map(({ id }) => id)).toEqual(['ann']);
    expect(rowIds([...store.templates(model)])).toEqual(['row-1']);
    expect(store.revision()).toBe(before);
  });

  test("a template cannot be enrolled under another resident's id", () => {
    const stray = [sealed('bob', 1)];
    expect(() => store.enrol({ id: 'ann', label: null }, stray, 1)).toThrow(TypeError);
    expect(store.residents()).toEqual([]);
  });

  test('the revision changes with every change, and only then', () => {
    const seen = [store.revision()];
    const look = () => seen.push(store.revision());
    store.enrol({ id: 'ann', label: null }, [sealed('ann', 1)], 1);
    look();
    store.enrol({ id: 'ann', label: null }, [sealed('ann', 2)], 2);
    look();
    store.erase('ann');
    look();
    expect(new Set(seen).size).toBe(4);
    store.erase('ann');
    store.scrub();
    store.residents();
    expect(store.revision()).toBe(seen.at(-1));
  });

  test('changes made while templates are being read do no harm', () => {
    const many = Array.from({ length: 600 }, (_, i) => sealed('ann', i));
    store.enrol({ id: 'ann', label: null }, many, 1);
    let read = 0;
    for (const { rowId } of store.templates(model)) {
      if (read++ === 0) store.enrol({ id: 'bob', label: null }, [sealed('bob', 9000)], 2);
      expect(rowId).toMatch(/^row-/);
    }
    expect(read).toBeGreaterThanOrEqual(600);
  });

  test('ids with quotes, line ends and 10,000 characters are text like any other', () => {
    const ids = [`a'b"c; DROP TABLE resident;--`, 'x\ny\r\0z', 'é😀'.repeat(3), 'n'.repeat(10_000)];
    ids.forEach((id, i) => {
      store.enrol({ id, label: id }, [sealed(id, i, { label: id })], i);
    });
    for (const [i, id] of ids.entries()) {
      expect(store.resident(id)).toEqual({ id, label: id, enrolledAt: i });
      expect(store.templatesOf(id).map(({ label }) => label)).toEqual([id]);
    }
    for (const id of ids) expect(store.erase(id)).toBe(true);
    expect(store.residents()).toEqual([]);
  });

  test('after any run of enrolments and erasures the store holds what it should', () => {
    const step = fc.record({
      id: fc.constantFrom('ann', 'bob', 'cem'),
      photos: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    });
    let nextRow = 0;
    const run = (steps: readonly { id: string; photos: number | undefined }[]) => {
      for (const { id } of store.residents()) store.erase(id);
      const expected = new Map<string, string[]>();
      for (const { id, photos } of steps) {
        if (photos === undefined) {
          expect(store.erase(id)).toBe(expected.delete(id));
          continue;
        }
        const added = Array.from({ length: photos }, () => sealed(id, nextRow++));
        store.enrol({ id, label: null }, added, 0);
        expected.set(id, [...(expected.get(id) ?? []), ...rowIds(added)]);
      }
      for (const id of ['ann', 'bob', 'cem']) {
        expect(rowIds(store.templatesOf(id))).toEqual(expected.get(id) ?? []);
        expect(store.resident(id) !== undefined).toBe(expected.has(id));
      }
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 8 }), run), { numRuns: 25 });
  });
}

function rowIds(templates: readonly SealedTemplate[]): string[] {
  return templates.map(({ rowId }) => rowId);
}

/** Bytes as a plain list: the kind of array they come in does not matter. */
function plain(template: SealedTemplate) {
  return { ...template, sealed: [...template.sealed] };
}
