import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../../errors.ts';
import { inPackage } from '../files/package-root.ts';

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

/** The embedded pictures if there are any, else the development set. Throws INPUT_MISSING if there is neither. */
export function findDemoMaterial(): DemoMaterial {
  const people = existing('fixtures/people/') ?? existing('../shared/faces/lfw/images/');
  if (people === undefined) {
    throw new AgentError(
      'INPUT_MISSING',
      'no pictures to demonstrate with: neither fixtures/people nor ../shared/faces is here',
    );
  }
  return materialOf(people);
}

const residentsWanted = 8;
const strangersWanted = 4;
const visitsEach = 2;
const leastPictures = 5;

/**
 * From a folder of people (`<person>/<picture>`): the first eight with five pictures or more are residents,
 * who visit as in their last two pictures and enrol with the others; the first four with one picture are
 * strangers.
 */
function materialOf(folder: string): DemoMaterial {
  const people = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => picturesIn(join(folder, entry.name)));
  const residents = people
    .filter((pictures) => pictures.length >= leastPictures)
    .slice(0, residentsWanted)
    .map((pictures, index) => ({ id: `R-${index + 1}`, pictures }));
  const strangers = people.filter((pictures) => pictures.length === 1).slice(0, strangersWanted);
  // Each resident comes twice, the second time after all others: nobody is a repeat.
  const known = [-2, -1].flatMap((nth) =>
    residents.flatMap(({ id, pictures }) => {
      const picture = pictures.at(nth);
      return picture === undefined ? [] : [{ visitor: id, picture, expected: id }];
    }),
  );
  const unknown = strangers.flat().map((picture, index) => ({
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
