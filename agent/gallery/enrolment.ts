/** What was found in one photo of an enrolment. Scores are those of templates: -1…1. */
export type PhotoFinding = {
  /** Faces in the picture. Only a photo with exactly one has a template, and so scores. */
  readonly faces: number;
  /** Reasons of the quality check, in its own words (BLUR, POSE, …). */
  readonly quality: readonly string[];
  readonly pad: 'bona-fide' | 'attack' | 'not-checked';
  /** Tells pictures apart: equal bytes, equal digest. */
  readonly digest: string;
  /** The best match among the other residents; undefined: there are none. */
  readonly closestOther: { readonly residentId: string; readonly score: number } | undefined;
  /** The best match among the templates this resident has already; undefined: there are none. */
  readonly closestOwn: number | undefined;
  /** The match with each photo of this call, by its position; what stands at its own is not read. */
  readonly scores: readonly (number | undefined)[];
};

export type EnrolmentSettings = {
  /** The threshold of the door: photos of one person reach it. */
  readonly threshold: number;
  /** Another resident is too similar already this far below the threshold. */
  readonly guard: number;
  /** From here on two photos are one picture, saved twice: it adds nothing. */
  readonly duplicate: number;
};

type RefusalReason =
  | 'NO_FACE'
  | 'MULTI_FACE'
  | 'SPOOF'
  | 'DUPLICATE_PHOTO'
  | 'DIFFERENT_PERSON'
  | `TOO_SIMILAR_TO:${string}`
  /** A reason of the quality check. */
  | (string & {});

export type Refusal = {
  /** Position of the photo in the call. */
  readonly photo: number;
  readonly reasons: readonly RefusalReason[];
};

/** All or nothing: one refused photo refuses the call. */
export type EnrolmentVerdict =
  | { readonly kind: 'accepted' }
  | {
      readonly kind: 'refused';
      /** At least one, in the order of the photos. */
      readonly refusals: readonly Refusal[];
      /** Positions of the photos nothing was wrong with. */
      readonly sound: readonly number[];
    };

/** May these photos become the templates of one resident? Every fault is named at once. */
export function judgeEnrolment(
  photos: readonly PhotoFinding[],
  settings: EnrolmentSettings,
): EnrolmentVerdict {
  if (photos.length === 0) throw new TypeError('an enrolment needs a photo');
  const reasons = photos.map((photo, i) => [
    ...pictureFaults(photo),
    ...identityFaults(photos, i, settings),
  ]);
  for (const stranger of strangers(photos, settings.threshold)) {
    reasons[stranger]?.push('DIFFERENT_PERSON');
  }
  const refusals = reasons
    .map((found, photo) => ({ photo, reasons: [...new Set(found)] }))
    .filter((refusal) => refusal.reasons.length > 0);
  if (refusals.length === 0) return { kind: 'accepted' };
  const sound = photos.map((_, i) => i).filter((i) => reasons[i]?.length === 0);
  return { kind: 'refused', refusals, sound };
}

/** What is wrong with the picture itself. */
function pictureFaults(photo: PhotoFinding): RefusalReason[] {
  if (photo.faces === 0) return ['NO_FACE'];
  if (photo.faces > 1) return ['MULTI_FACE'];
  return photo.pad === 'attack' ? [...photo.quality, 'SPOOF'] : [...photo.quality];
}

/** What is wrong with whom it shows. */
function identityFaults(
  photos: readonly PhotoFinding[],
  position: number,
  { threshold, guard, duplicate }: EnrolmentSettings,
): RefusalReason[] {
  const photo = photos[position];
  if (photo?.faces !== 1) return [];
  const faults: RefusalReason[] = [];
  const { closestOther, closestOwn } = photo;
  if (closestOther && closestOther.score >= threshold - guard) {
    faults.push(`TOO_SIMILAR_TO:${closestOther.residentId}`);
  }
  const again = photos.some(
    (other, i) =>
      i < position && (other.digest === photo.digest || match(photos, i, position) >= duplicate),
  );
  if (again || (closestOwn ?? -1) >= duplicate) faults.push('DUPLICATE_PHOTO');
  return faults;
}

/**
 * Photos that do not belong to the person the others show. Photos that match are joined to groups (B may
 * match A, and C only B). The group that matches the resident's templates is the right one; where there
 * are none yet, the largest; where two are equally large nobody can say which, and all are named.
 * Faulty pictures are left out: a blurred face matches nobody.
 */
function strangers(photos: readonly PhotoFinding[], threshold: number): number[] {
  const groups = groupsOf(photos, threshold);
  const known = photos.some((photo) => photo.closestOwn !== undefined);
  if (known) {
    const own = (i: number) => (photos[i]?.closestOwn ?? -1) >= threshold;
    return groups.filter((group) => !group.some(own)).flat();
  }
  const size = Math.max(0, ...groups.map((group) => group.length));
  const largest = groups.filter((group) => group.length === size);
  return (largest.length === 1 ? groups.filter((group) => group !== largest[0]) : groups).flat();
}

/** Positions of the faultless pictures, joined where they match directly or by way of others. */
function groupsOf(photos: readonly PhotoFinding[], threshold: number): number[][] {
  let groups: number[][] = [];
  photos.forEach((photo, i) => {
    if (pictureFaults(photo).length > 0) return;
    const joins = (group: number[]) => group.some((j) => match(photos, i, j) >= threshold);
    const joined = groups.filter(joins);
    groups = [...groups.filter((group) => !joins(group)), [...joined.flat(), i]];
  });
  return groups;
}

/** The score of two photos: the better one, as either may have been the probe. */
function match(photos: readonly PhotoFinding[], a: number, b: number): number {
  return Math.max(photos[a]?.scores[b] ?? -1, photos[b]?.scores[a] ?? -1);
}
