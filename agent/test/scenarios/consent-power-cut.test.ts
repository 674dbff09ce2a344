import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agreementOf } from '../../consent/agreement.ts';
import type { Programme } from '../../consent/consent.ts';
import { layoutOf } from '../../io/process/environment.ts';
import { decodeCopy } from '../../io/programme/consent-copy.ts';
import { writeProgramme } from '../../io/programme/consent-file.ts';
import {
  batchOf,
  granted,
  grantOf,
  numbered,
  programmeAfter,
  today,
  uuid,
  withdrawal,
} from '../fakes/programmes.ts';
import { temporaryFolder } from '../fakes/temporary-folder.ts';
import { type WrittenBytes, writtenBy } from '../fakes/written-bytes-log.ts';

const sending = programmeAfter([{ kind: 'sending', batch: batchOf() }], granted);
const withdrawn = programmeAfter([withdrawal(numbered())], sending);
const left = programmeAfter([{ kind: 'wiped' }], withdrawn);
const again = programmeAfter(
  [{ kind: 'grant', grant: grantOf({ consentId: uuid(2), region: 'cn-hangzhou' }) }],
  sending,
  { ...today, region: 'cn-hangzhou' },
);
const anew = programmeAfter([{ kind: 'grant', grant: grantOf({ consentId: uuid(2) }) }], left);

type Change = {
  /** What the copies hold, one after the other. */
  readonly from: readonly [Programme | undefined, Programme | undefined];
  readonly to: Programme;
  /** Consent ids of the grants that may count if the cut comes in the middle. */
  readonly mayCount: readonly string[];
};

const changes: Readonly<Record<string, Change>> = {
  'the first grant': { from: [undefined, undefined], to: granted, mayCount: [] },
  'a withdrawal': { from: [sending, sending], to: withdrawn, mayCount: [] },
  'a withdrawal, after a cut in the middle of a mark': {
    from: [sending, granted],
    to: withdrawn,
    mayCount: [],
  },
  'a withdrawal, the other way round': { from: [granted, sending], to: withdrawn, mayCount: [] },
  'the end of an erasure': { from: [withdrawn, withdrawn], to: left, mayCount: [] },
  'the end of an erasure, after a cut in the middle of the withdrawal': {
    from: [withdrawn, sending],
    to: left,
    mayCount: [],
  },
  'a grant after a withdrawal': { from: [left, left], to: anew, mayCount: [] },
  'a grant in the place of another': { from: [sending, sending], to: again, mayCount: [] },
  'the mark that something may have been sent': {
    from: [granted, granted],
    to: sending,
    mayCount: [uuid(1)],
  },
};

/** Both files as a power cut can leave them: everything before it is written, of the last call any part. */
type Image = readonly [Uint8Array | undefined, Uint8Array | undefined];

function prepared({ from, to }: Change) {
  const places = layoutOf(temporaryFolder());
  const holding = (programme: Programme) => {
    const each = layoutOf(join(temporaryFolder(), 'each'));
    writeProgramme(each, programme);
    return readFileSync(each.consent[0]);
  };
  // Makes the folder and files of the right size, which then get what each copy is to hold.
  if (from[0] && from[1]) writeProgramme(places, from[0]);
  for (const [index, path] of places.consent.entries()) {
    const programme = from[index];
    if (programme) writeFileSync(path, holding(programme));
  }
  const before = imageOf(places.consent);
  const written = writtenBy(() => writeProgramme(places, to));
  return { places, before, written };
}

function imageOf([one, two]: readonly [string, string]): Image {
  const contentOf = (path: string) =>
    existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined;
  return [contentOf(one), contentOf(two)];
}

function withWritten(
  image: Image,
  paths: readonly string[],
  { path, at, bytes }: WrittenBytes,
): Image {
  const index = paths.indexOf(path);
  const old = image[index] ?? new Uint8Array();
  const next = new Uint8Array(Math.max(old.length, at + bytes.length));
  next.set(old);
  next.set(bytes, at);
  return index === 0 ? [next, image[1]] : [image[0], next];
}

function programmesIn(image: Image): readonly (Programme | undefined)[] {
  return image.map((bytes) => {
    const read = bytes && decodeCopy(bytes);
    return read && 'programme' in read ? read.programme : undefined;
  });
}

/** After each byte of each call that says anything, and after each sector of line feeds. */
function* cuts(before: Image, written: readonly WrittenBytes[], paths: readonly string[]) {
  let image = before;
  for (const call of written) {
    const end = call.bytes.lastIndexOf('}'.charCodeAt(0)) + 2;
    for (let length = 0; length < call.bytes.length; length += length < end ? 1 : sectorBytes) {
      yield withWritten(image, paths, { ...call, bytes: call.bytes.subarray(0, length) });
    }
    image = withWritten(image, paths, call);
  }
  yield image;
}

/** Those sectors of a call whose bit is set. */
function torn({ path, at, bytes }: WrittenBytes, sectors: number): readonly WrittenBytes[] {
  const all: WrittenBytes[] = [];
  for (let from = 0; from < bytes.length; from += sectorBytes) {
    all.push({ path, at: at + from, bytes: bytes.subarray(from, from + sectorBytes) });
  }
  return all.filter((_, index) => ((sectors >> index) & 1) === 1);
}

function check(change: Change, image: Image, before: Image): void {
  const { from, to, mayCount } = change;
  const [one, two] = programmesIn(image);
  const { programme } = agreementOf(one, two);
  const old = from[0] && from[1] ? agreementOf(from[0], from[1]).programme : undefined;
  const { consent } = programme;
  const isWhole = [one, two].every((copy) => copy?.sequence === to.sequence);
  const isUntouched = isDeepStrictEqual([one, two], programmesIn(before));
  if (consent.state === 'granted' && !isWhole && !isUntouched) {
    expect(mayCount).toContain(consent.consentId);
  }
  // Whatever happens: what is known of the cloud is not lost.
  for (const { batchId } of old?.sent ?? []) {
    expect(programme.sent.some((entry) => entry.batchId === batchId)).toBe(true);
  }
  for (const { erasureId } of old?.orders ?? []) {
    expect(programme.orders.some((order) => order.erasureId === erasureId)).toBe(true);
  }
  // Either it is as it was, or as it will be, or nobody has consented and what lies there goes.
  if (consent.state === 'never-asked') expect(programme.wipe).toBe('due');
  else expect([old?.consent, to.consent]).toContainEqual(consent);
}

describe.each(Object.keys(changes))('the power fails while the device writes %s', (name) => {
  const change = changes[name];
  if (!change) throw new Error('no such change');

  test('after any of its bytes', () => {
    const { places, before, written } = prepared(change);
    let states = 0;
    let last = before;
    for (const image of cuts(before, written, places.consent)) {
      states++;
      check(change, image, before);
      last = image;
    }
    expect(states).toBeGreaterThan(500);
    expect(programmesIn(last)).toEqual([change.to, change.to]);
    expect(isDeepStrictEqual(imageOf(places.consent), last)).toBe(true);
  });

  test('and its sectors reach the medium in any order', () => {
    const { places, before, written } = prepared(change);
    const cut = fc.tuple(fc.nat({ max: written.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(cut, ([last, sectors]) => {
        const [call] = written.slice(last);
        if (!call) throw new Error('no such call');
        const image = [...written.slice(0, last), ...torn(call, sectors)].reduce(
          (each, part) => withWritten(each, places.consent, part),
          before,
        );
        check(change, image, before);
      }),
      { numRuns: 300 },
    );
  });
});

const sectorBytes = 512;
