import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../../errors.ts';
import { inPackage } from '../files/package-root.ts';
import { loadManifest } from '../models/manifest.ts';

/** Who lives behind the demo's door, and who comes to it. Pictures are paths. */
export type DemoMaterial = {
  readonly residents: readonly { readonly id: string; readonly photos: readonly string[] }[];
  readonly visits: readonly DemoVisit[];
};

export type DemoVisit = {
  readonly visitor: string;
  readonly picture: string;
  /** Whom the door should name; null: nobody. */
  readonly expected: string | null;
};

/** Weights to develop with, where they lie beside the checkout; not part of the project. */
export const developmentModels = existing('../shared/models/');

/**
 * The pictures that go with the recogniser, unless told with that of the presets (pickDemoFolder has the
 * rule). Throws INPUT_MISSING if there are none.
 */
export function findDemoMaterial(recogniser: DemoRecogniser = presetRecogniser()): DemoMaterial {
  const folders = {
    embedded: existing('fixtures/faces/'),
    development: existing('../shared/faces/lfw/images/'),
  };
  const folder = pickDemoFolder(recogniser, folders);
  if (folder === undefined) {
    throw new AgentError(
      'INPUT_MISSING',
      'no pictures to demonstrate with: neither fixtures/faces nor ../shared/faces is here',
    );
  }
  return materialOf(folder);
}

export type DemoRecogniser = 'built-in' | 'another';

/**
 * What ships is shown with what ships: the made-up residents with the built-in recogniser. With another one,
 * the development set, where it lies beside the checkout; the made-up residents elsewhere.
 */
export function pickDemoFolder(
  recogniser: DemoRecogniser,
  {
    embedded,
    development,
  }: { readonly embedded: string | undefined; readonly development: string | undefined },
): string | undefined {
  return recogniser === 'built-in' ? (embedded ?? development) : (development ?? embedded);
}

function presetRecogniser(): DemoRecogniser {
  const isShipped = loadManifest().entries.some(
    ({ task, builtin }) => task === 'embedding' && builtin,
  );
  return isShipped ? 'built-in' : 'another';
}

const residentsWanted = 8;
const strangersWanted = 4;
const visitsEach = 2;
const leastPictures = 5;

/**
 * From a folder of people (`<person>/<picture>`): the first eight with five pictures or more are residents,
 * who visit as in their last two pictures and enrol with the others; the first four who are called
 * `stranger…`, or have but one picture, are strangers, and come once.
 */
export function materialOf(folder: string): DemoMaterial {
  const people = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const pictures = picturesIn(join(folder, name));
      return { pictures, isStranger: name.startsWith('stranger') || pictures.length === 1 };
    });
  const residents = people
    .filter(({ pictures, isStranger }) => !isStranger && pictures.length >= leastPictures)
    .slice(0, residentsWanted)
    .map(({ pictures }, index) => ({ id: `R-${index + 1}`, pictures }));
  const strangers = people
    .filter(({ isStranger }) => isStranger)
    .flatMap(({ pictures }) => pictures.slice(-1))
    .slice(0, strangersWanted);
  // Each resident comes twice, the second time after all others: nobody is a repeat.
  const known = [-2, -1].flatMap((nth) =>
    residents.flatMap(({ id, pictures }) => {
      const picture = pictures.at(nth);
      return picture === undefined ? [] : [{ visitor: id, picture, expected: id }];
    }),
  );
  const unknown = strangers.map((picture, index) => ({
    visitor: `stranger ${index + 1}`,
    picture,
    expected: null,
  }));
  return {
    residents: residents.map(({ id, pictures }) => ({
      id,
      photos: pictures.slice(0, -visitsEach),
    })),
    visits: interleave(known, unknown),
  };
}

/** Strangers come between residents, as at a real door. */
function interleave(known: readonly DemoVisit[], unknown: readonly DemoVisit[]): DemoVisit[] {
  const every = Math.max(1, Math.ceil(known.length / Math.max(1, unknown.length)));
  return known.flatMap((visit, index) => {
    const stranger = (index + 1) % every === 0 ? unknown[(index + 1) / every - 1] : undefined;
    return stranger ? [visit, stranger] : [visit];
  });
}

function picturesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(?:jpe?g|png|webp)$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** A folder beside or in the checkout. */
function existing(path: string): string | undefined {
  const folder = inPackage(path);
  return existsSync(folder) ? folder : undefined;
}
