import { hammingTopK } from '../../gallery/top-k.ts';
import { sha256Hex } from '../../io/files/digests.ts';
import { seededChance } from '../../io/process/seeded-chance.ts';
import { project } from '../../template/projection.ts';
import { type Anonymised, type AnonymiserMode, createAnonymiser } from '../../ueip/anonymise.ts';
import type { Attempt, LocalTime, Moment } from '../../ueip/attempt.ts';
import { buildsOf } from '../../ueip/builds.ts';
import type { Covered } from '../../ueip/record.ts';
import { randomFaces } from './random-faces.ts';

/** 2027-03-01, 08:00 in a house two hours east of Greenwich. */
export const openedAtMs = Date.UTC(2027, 2, 1, 6);

export const builds = buildsOf(
  {
    agentVersion: '0.1.0',
    detectionSha256: 'd'.repeat(64),
    embeddingSha256: 'e'.repeat(64),
    padSha256: ['a'.repeat(64)],
  },
  sha256Hex,
);

export const covered: Covered = {
  kind: 'covered',
  epoch: 3,
  grant: {
    policyVersion: '2026-11',
    textSha256: '0'.repeat(64),
    region: 'eu-central-1',
    by: { name: 'resident', channel: 'cli' },
    since: { wallMs: 0, monotonicMs: 0 },
    consentId: '00000000-0000-4000-8000-000000000000',
  },
};

type Try = Partial<Omit<Attempt, 'at' | 'embedding'>> & {
  /** Who of 256 faces; undefined: there is none. */
  readonly face?: number;
  readonly at?: Partial<Moment>;
};

/** What the real anonymiser makes of these attempts, one a second, once their day is over. */
export function anonymised(mode: AnonymiserMode, tries: readonly Try[]): readonly Anonymised[] {
  const anonymiser = createAnonymiser({
    mode,
    dimensions,
    kernels: { project, hammingTopK },
    random: seededChance(`anonymised ${mode}`),
    toLocalTime,
  });
  for (const [index, { face, at, ...attempt }] of tries.entries()) {
    anonymiser.record({
      ...plain,
      embedding: face === undefined ? face : faces[face],
      ...attempt,
      at: { ...momentAfter(index * 1000), ...at },
    });
  }
  return anonymiser.release(momentAfter(24 * 3_600_000));
}

const dimensions = 64;
const faces = randomFaces(256, dimensions, seededChance('anonymised faces'));

const plain = {
  result: 'failure',
  reason: 'no-match',
  bestScore: 0.2,
  overheadMs: 640,
  stagesMs: { detect: 31, quality: 4, embed: 480, search: 6, total: 640 },
} as const;

function momentAfter(ms: number): Moment {
  return { wallMs: openedAtMs + ms, monotonicMs: ms, clockTrusted: true };
}

function toLocalTime(wallMs: number): LocalTime {
  const utcOffsetMinutes = 120;
  const [date = '', time = ''] = new Date(wallMs + utcOffsetMinutes * 60_000)
    .toISOString()
    .split('T');
  return { date, hour: Number(time.slice(0, 2)), utcOffsetMinutes };
}
