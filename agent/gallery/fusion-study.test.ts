import { expect, test } from 'vitest';
import type { Acquisition } from './acquisition.ts';
import type { Comparator } from './comparator.ts';
import { cosineComparator } from './comparator.ts';
import { studyFusion } from './fusion-study.ts';

/** Pictures "<identity> <number>"; the embedding holds the number, so that a comparator can tell who was fused. */
function people(counts: Record<string, number>) {
  const pictures = Object.entries(counts).flatMap(([identity, count]) =>
    Array.from({ length: count }, (_, i) => ({ identity, picture: `${identity} ${i + 1}` })),
  );
  const acquired = new Map(
    pictures.map(({ picture }, i): [string, Acquisition] => {
      const values = new Float32Array(pictures.length);
      values[i] = 1;
      return [picture, { kind: 'acquired', embedding: { modelSha256: 'aa', values } }];
    }),
  );
  return { pictures, acquired };
}

/** Writes down who was enrolled and which pictures were searched together. */
function witness(pictures: readonly { readonly picture: string }[]) {
  const enrolled: string[][] = [];
  const searched: string[][] = [];
  const named = (values: Float32Array) =>
    [...values].flatMap((value, i) => (value > 0 ? [pictures[i]?.picture ?? ''] : []));
  const comparator: Comparator = {
    name: 'witness',
    compare: () => 0,
    enrol(references) {
      enrolled.push(references.flatMap(({ embedding }) => named(embedding.values)));
      const round: string[] = [];
      searched.push(round);
      return (probe) => {
        round.push(named(probe.values).join('+'));
        return [];
      };
    },
  };
  return { comparator, enrolled, searched };
}

test('every configuration sees the same people and the same pictures, those of the residents split in two', () => {
  const { pictures, acquired } = people({ ann: 5, bob: 3, cid: 2, dan: 1 });
  const { comparator, enrolled, searched } = witness(pictures);
  const study = studyFusion(pictures, acquired, [comparator], {
    templatesPerResident: [1, 2],
    framesPerDecision: [1, 2],
  });
  // Two templates and two frames: residents have four pictures, strangers two, and dan has too few.
  expect(study).toMatchObject({ residents: 1, strangers: 2 });
  expect(study.configurations.map((c) => [c.templatesPerResident, c.framesPerDecision])).toEqual([
    [1, 1],
    [1, 2],
    [2, 1],
    [2, 2],
  ]);
  expect(enrolled).toEqual([['ann 1'], ['ann 1'], ['ann 1', 'ann 2'], ['ann 1', 'ann 2']]);
  const single = ['ann 3', 'ann 4', 'bob 1', 'bob 2', 'cid 1', 'cid 2'];
  const double = ['ann 3+ann 4', 'bob 1+bob 2', 'cid 1+cid 2'];
  expect(searched).toEqual([single, double, single, double]);
});

test('with more probe pictures each begins one decision, round the circle', () => {
  const { pictures, acquired } = people({ ann: 4, bob: 3 });
  const { comparator, searched } = witness(pictures);
  studyFusion(pictures, acquired, [comparator], {
    templatesPerResident: [1],
    framesPerDecision: [2],
    probePictures: 3,
  });
  expect(searched).toEqual([['ann 2+ann 3', 'ann 3+ann 4', 'ann 2+ann 4', 'bob 2+bob 3']]);
});

test('a second template recognises a resident whom the first did not', () => {
  const look = (degrees: number): Acquisition => {
    const angle = (degrees * Math.PI) / 180;
    const values = Float32Array.of(Math.cos(angle), Math.sin(angle));
    return { kind: 'acquired', embedding: { modelSha256: 'aa', values } };
  };
  const acquired = new Map([
    ['a1', look(0)],
    ['a2', look(80)],
    ['a3', look(70)],
    ['s1', look(200)],
  ]);
  const pictures = [...acquired.keys()].map((picture) => ({
    identity: picture[0] ?? '',
    picture,
  }));
  const study = studyFusion(pictures, acquired, [cosineComparator], {
    templatesPerResident: [1, 2],
    framesPerDecision: [1],
    thresholds: [0.9],
  });
  const misses = study.configurations.map(
    ({ comparators }) => comparators[0]?.accuracy.points[0]?.fnir.events,
  );
  expect(misses).toEqual([1, 0]);
});

test('counts below one, and fewer probe pictures than frames, are programming mistakes', () => {
  const { pictures, acquired } = people({ ann: 4 });
  const study = (templates: number[], frames: number[], probePictures?: number) => () =>
    studyFusion(pictures, acquired, [], {
      templatesPerResident: templates,
      framesPerDecision: frames,
      ...(probePictures === undefined ? {} : { probePictures }),
    });
  expect(study([0], [1])).toThrow(TypeError);
  expect(study([], [1])).toThrow(TypeError);
  expect(study([1], [1.5])).toThrow(TypeError);
  expect(study([1], [3], 2)).toThrow(TypeError);
});
