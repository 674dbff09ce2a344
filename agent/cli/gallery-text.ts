import type { RestoreResult } from '../backup.ts';
import { textTable } from '../io/measuring/text-table.ts';
import type { GalleryStatus, RenewalResult, Revocation } from '../renewal.ts';

/** For a person. */
export function statusText(status: GalleryStatus): string {
  const { residents, renewed, left, needEnrolment, generations } = status;
  const rows = generations.map((each) => [
    each.model,
    `${each.version}`,
    each.state,
    each.from,
    day(each.startedAt),
    `${each.templates}`,
    `${each.residents}`,
    `${each.refusedRowIds.length}`,
    endText(each),
  ]);
  const head = [
    'model',
    'version',
    '',
    'from',
    'since',
    'templates',
    'residents',
    'refused',
    'ends',
  ];
  const isRenewal = generations.some(({ state }) => state === 'retiring');
  return [
    `${residents} residents; recogniser ${status.model}`,
    ...(rows.length === 0 ? [] : [textTable([head, ...rows], 5)]),
    ...(isRenewal ? [`new templates: ${renewed.length} of ${residents} residents`] : []),
    ...listed('still recognised by old templates alone', left),
    ...listed('without a template, to be enrolled again', needEnrolment),
    ...lookAlikeText(status),
  ].join('\n');
}

export function renewalText(result: RenewalResult): string {
  const { kind, version, left, needEnrolment, graceEndsAt, overwritten } = result;
  const rest = overwritten
    ? ''
    : '; their bytes on the disk are overwritten when other readers close';
  const told =
    kind === 'begun'
      ? `version ${version} has begun: ${left.length} residents get new templates at their next sure matches`
      : `version ${version} is the only one now; the older templates are erased${rest}`;
  const until =
    graceEndsAt === null
      ? []
      : [
          `the old ones serve beside them until ${day(graceEndsAt)}, if the door is at work every day`,
        ];
  return [told, ...until, ...listed('to be enrolled again', needEnrolment)].join('\n');
}

export function revocationText({ key, residents, overwritten }: Revocation): string {
  const keyText = {
    destroyed: 'the root key is destroyed',
    absent: 'there was no key file',
    elsewhere: 'the root key comes from key.command and can only be destroyed there',
  }[key];
  const rest = overwritten
    ? ''
    : '; their bytes on the disk are overwritten when other readers close';
  return [
    `${keyText}; ${residents} residents erased${rest}`,
    'backups from before still open with their passphrase: destroy them too',
  ].join('\n');
}

export function restoreText(file: string, result: RestoreResult): string {
  const { residents, templates, alreadyHere, erased, foreignTemplates, unknownModels } = result;
  return [
    `${file} of ${day(result.createdAt)}: ${residents} residents, ${templates} templates restored`,
    ...(alreadyHere.length === 0
      ? []
      : [`${alreadyHere.length} were here already and stay as they are`]),
    ...(erased === 0 ? [] : [`${erased} were erased on this device since: they stay erased`]),
    ...(foreignTemplates === 0
      ? []
      : [
          `${foreignTemplates} were made under keys of another device or version, which came with the backup: they serve until their residents have new ones (\`doorkeep gallery status\`)`,
        ]),
    ...(unknownModels.length === 0
      ? []
      : [`no recogniser here can compare those of ${unknownModels.join(', ')}`]),
  ].join('\n');
}

export function lookAlikeText({ lookAlikes }: GalleryStatus): string[] {
  switch (lookAlikes.kind) {
    case 'none':
      return [];
    case 'too-many':
      return [`${lookAlikes.templates} templates: too many to look for residents who look alike`];
    case 'found': {
      const [a, b] = lookAlikes.residentIds;
      const score = lookAlikes.score.toFixed(2);
      const told = `most alike: ${a} and ${b}, about ${score} (estimated from the codes, ±0.05)`;
      const hint =
        '  the door may name neither of them: add photos of both, or raise match.threshold';
      return lookAlikes.isWarning ? [told, hint] : [told];
    }
  }
}

function endText(each: GalleryStatus['generations'][number]): string {
  const { state, graceEndsAt, graceDays, daysSeen } = each;
  if (state === 'current') return '';
  if (graceEndsAt === null) return 'when all have new ones';
  return `${day(graceEndsAt)} (${daysSeen} of ${graceDays} days)`;
}

function listed(what: string, ids: readonly string[]): string[] {
  return ids.length === 0 ? [] : [`${ids.length} ${what}: ${ids.join(', ')}`];
}

function day(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}
