import { afterEach, beforeEach, expect, test } from 'vitest';
import { beginRenewal, nextGeneration, withEnded } from '../../gallery/generation.ts';
import type { GalleryStore, Tombstone } from '../../ports.ts';
import { statesOf } from '../fakes/test-device.ts';
import { sealed } from './sealed-row.ts';

const model = sealed('', 0).modelSha256;
const limits = { most: 3, apartMs: 100 };
const isRetiring = ({ retirement }: { readonly retirement: unknown }) => retirement !== null;

/** What every gallery store does with generations and with what is left of erased residents. */
export function galleryGenerationsContract(open: () => GalleryStore): void {
  let store: GalleryStore;
  beforeEach(() => {
    store = open();
  });
  afterEach(() => store.close());

  const enrol = (id: string, n: number, more = {}) =>
    store.enrol({ id, label: null }, [sealed(id, n, more)], n);
  const renew = () => store.updateGenerations((all) => beginRenewal(all, model, 50, 30));
  const endOld = () => store.updateGenerations((all) => withEnded(all, isRetiring, 60));
  const tombstone = (n: number): Tombstone => ({
    digest: new Uint8Array(32).fill(n),
    erasedAt: n,
  });

  test('the first template of a model and version begins its generation', () => {
    expect(store.generations()).toEqual([]);
    enrol('ann', 1);
    enrol('bob', 2);
    expect(store.generations()).toEqual([
      {
        modelSha256: model,
        version: 1,
        startedAt: 1,
        wrappedKey: null,
        retirement: null,
        endedAt: null,
      },
    ]);
  });

  test('a renewal begins as a whole, and what a generation holds comes back as given', () => {
    enrol('ann', 1);
    renew();
    expect(statesOf(store.generations())).toBe('1 retiring, 2 stays');
    expect(store.generations()[0]?.retirement).toEqual({
      since: 50,
      graceDays: 30,
      daysSeen: 0,
      lastDay: 0,
    });
    const wrappedKey = Uint8Array.from({ length: 60 }, (_, i) => i);
    store.updateGenerations((all) => [...all, { ...nextGeneration(all, model, 7), wrappedKey }]);
    expect([...(store.generations()[2]?.wrappedKey ?? [])]).toEqual([...wrappedKey]);
  });

  test('the templates of a version that ends are gone, the residents and the others stay', () => {
    enrol('ann', 1);
    enrol('bob', 2);
    renew();
    expect(store.addTemplate(sealed('ann', 3, { version: 2, createdAt: 500 }), limits)).toBe(true);
    endOld();
    expect(statesOf(store.generations())).toBe('1 ended, 2 stays');
    expect([...store.templates(model)].map(({ rowId }) => rowId)).toEqual(['row-3']);
    expect(store.residents().map(({ id }) => id)).toEqual(['ann', 'bob']);
    expect(store.templateCounts()).toEqual([
      { residentId: 'ann', modelSha256: model, version: 2, templates: 1 },
    ]);
  });

  test('nothing is ever stored under a version that has ended', () => {
    enrol('ann', 1);
    renew();
    endOld();
    const ended = expect.objectContaining({ code: 'GENERATION_ENDED' });
    expect(() => enrol('bob', 2)).toThrow(ended);
    expect(store.resident('bob')).toBeUndefined();
    expect(store.addTemplate(sealed('ann', 3), limits)).toBe(false);
    expect(() => store.updateGenerations(() => [])).toThrow(TypeError);
    expect([...store.templates(model)]).toEqual([]);
  });

  test("nothing is ever stored under a version whose key came with another device's templates", () => {
    const foreign = (all: ReturnType<GalleryStore['generations']>) => ({
      ...nextGeneration(all, model, 1),
      wrappedKey: new Uint8Array(60),
    });
    store.updateGenerations((all) => [...all, foreign(all)]);
    expect(() => enrol('ann', 1)).toThrow(expect.objectContaining({ code: 'GENERATION_ENDED' }));
    expect(store.residents()).toEqual([]);
  });

  test('an update that fails half-way, or changes nothing, changes nothing', () => {
    enrol('ann', 1);
    const before = store.revision();
    store.updateGenerations((all) => all.map((each) => ({ ...each })));
    const failing = () => {
      throw new Error('no');
    };
    expect(() => store.updateGenerations(failing)).toThrow('no');
    expect(store.revision()).toBe(before);
    expect(statesOf(store.generations())).toBe('1 stays');
    renew();
    expect(store.revision()).not.toBe(before);
  });

  test('a template is added where somebody is, three at most, and none right after another', () => {
    enrol('ann', 1, { createdAt: 0 });
    const add = (n: number, createdAt: number, id = 'ann') =>
      store.addTemplate(sealed(id, n, { createdAt }), limits);
    const answers = [
      add(2, 99),
      add(3, -99),
      add(4, 100),
      add(5, 150, 'nobody'),
      add(6, -100),
      add(7, 1000),
    ];
    expect(answers).toEqual([false, false, true, false, true, false]);
    expect(store.templatesOf('ann').map(({ rowId }) => rowId)).toEqual(['row-1', 'row-4', 'row-6']);
    expect(store.residents().map(({ id }) => id)).toEqual(['ann']);
  });

  test('templates of other versions do not count towards the three', () => {
    for (const n of [1, 2, 3, 4]) enrol('ann', n, { createdAt: n });
    renew();
    const fresh = sealed('ann', 9, { version: 2, createdAt: 2 });
    expect(store.addTemplate(fresh, limits)).toBe(true);
  });

  test('a restored gallery is there as a whole', () => {
    enrol('ann', 1);
    const generation = nextGeneration(store.generations(), model, 7);
    store.restore({
      generations: [generation],
      residents: [
        { id: 'bob', label: 'Bob', enrolledAt: 3 },
        { id: 'cem', label: null, enrolledAt: 4 },
      ],
      templates: [sealed('bob', 2, { version: 2 }), sealed('bob', 3)],
    });
    expect(statesOf(store.generations())).toBe('1 stays, 2 stays');
    expect(store.residents()).toHaveLength(3);
    expect(store.resident('bob')).toEqual({ id: 'bob', label: 'Bob', enrolledAt: 3 });
    expect(store.templatesOf('bob').map(({ rowId }) => rowId)).toEqual(['row-2', 'row-3']);
  });

  test('a restoration that meets what is here by now leaves all as it was', () => {
    enrol('ann', 1);
    const before = store.revision();
    const bob = { id: 'bob', label: null, enrolledAt: 3 };
    const refused = expect.objectContaining({ code: 'STORE_FAILED' });
    const again = { generations: store.generations(), residents: [bob], templates: [] };
    expect(() => store.restore(again)).toThrow(refused);
    const ann = { id: 'ann', label: null, enrolledAt: 3 };
    const twice = { generations: [], residents: [bob, ann], templates: [] };
    expect(() => store.restore(twice)).toThrow(refused);
    expect(store.residents().map(({ id }) => id)).toEqual(['ann']);
    expect(store.revision()).toBe(before);
  });

  test('what is left of an erased resident is the tombstone, and only where there was one', () => {
    enrol('ann', 1);
    expect(store.erase('nobody', tombstone(1))).toBe(false);
    expect(store.tombstones()).toEqual([]);
    expect(store.erase('ann', tombstone(2))).toBe(true);
    expect(store.tombstones().map(({ digest, erasedAt }) => [digest[0], erasedAt])).toEqual([
      [2, 2],
    ]);
  });

  test('after everything was erased nobody and nothing is there, and every version is over', () => {
    enrol('ann', 1);
    store.erase('ann', tombstone(1));
    enrol('bob', 2);
    renew();
    const before = store.revision();
    expect(store.eraseAll(70)).toBe(1);
    expect(store.residents()).toEqual([]);
    expect([...store.templates(model)]).toEqual([]);
    expect(store.tombstones()).toEqual([]);
    expect(statesOf(store.generations())).toBe('1 ended, 2 ended');
    expect(store.revision()).not.toBe(before);
    enrol('cem', 4, { version: 3 });
    expect(statesOf(store.generations())).toBe('1 ended, 2 ended, 3 stays');
  });
}
