import { agreementOf } from '../../consent/agreement.ts';
import {
  type Circumstances,
  type Coverage,
  coverage,
  type NotCovered,
  type Programme,
  type ProgrammeEvent,
} from '../../consent/consent.ts';
import { decide } from '../../consent/decide.ts';
import { type Device, type Limits, type Step, trueDevice } from './programme-world.ts';
import { grantOf } from './programmes.ts';

export type Mutant = {
  readonly name: string;
  readonly device: Device;
  /** Of the smallest world in which it shows. */
  readonly limits: Limits;
  /** The invariant that it breaks. Equivalent: why it breaks none. */
  readonly killedBy?: string;
  readonly equivalent?: string;
};

const small: Limits = {
  grants: 1,
  offs: 1,
  orders: 0,
  crashes: 0,
  days: 0,
  policy: 0,
  regions: 1,
};

const asWanted = 'nothing is recorded, sent or erased but as people want it';
const leftNothing = 'once a person was told that it is over, nothing is left on the device';
const liesNothing = 'without a grant and without an erasure under way nothing lies on the device';
const noHalfGrant = 'no half-written and no withdrawn grant counts';
const writtenDown = 'whatever may lie in the cloud is written down until it has expired';
const promised = 'an erasure that was promised is ordered until it is done';
const nothingEarlier = 'under a grant lies nothing of an earlier one';
const lostNothing = 'a record is lost only to an erasure, and sent means stored';
const ownNumber = 'a number under which data lie in the cloud belongs to one grant';

/** The faults that other systems had (their trackers tell), and those that this one could have had. */
export const mutants: readonly Mutant[] = [
  // The order of things at an opt-out.
  mutant('what waits in memory is kept', withoutStep('recorder off'), leftNothing),
  mutant('the transfer under way is not broken off', withoutStep('abort'), leftNothing),
  mutant('the records stay', withoutStep('delete rows'), leftNothing),
  mutant('the key stays', withoutStep('destroy key'), leftNothing),
  mutant('the sealed batch stays', withoutStep('erase outbox'), leftNothing),
  mutant(
    'erased before the decision is durable',
    { optOut: moved('decision', 'delete rows') },
    asWanted,
  ),
  mutant(
    'the outbox is erased before the transfer is broken off',
    { optOut: moved('abort', 'erase outbox') },
    leftNothing,
  ),
  mutant(
    'the recorder is switched off last',
    { optOut: moved('recorder off', 'erase outbox') },
    { equivalent: 'nothing that was taken in meanwhile is stored: the decision is durable before' },
  ),
  mutant(
    'the recorder is switched off last, and it does not ask before storing',
    { optOut: moved('recorder off', 'erase outbox'), asksBeforeStoring: false },
    asWanted,
  ),
  mutant(
    'the erasure counts as finished before it is begun',
    {
      optOut: ['decision', 'finish', 'recorder off', 'abort', 'destroy key', 'delete rows', 'tell'],
    },
    liesNothing,
    { crashes: 1 },
  ),
  mutant(
    'an erasure is not finished at the next start',
    { recoversAtBoot: false },
    'an erasure that is due is under way',
    {
      crashes: 1,
    },
  ),

  // Writing the consent down.
  mutant('one sound copy of a grant is enough', { agreementOf: byOnlyOne }, noHalfGrant, {
    crashes: 1,
  }),
  mutant('the newer copy of a grant is enough', { agreementOf: byNewer }, noHalfGrant, {
    crashes: 1,
  }),
  mutant('the same copy is always written first', { copyToWriteFirst: () => 0 }, writtenDown, {
    crashes: 2,
  }),
  mutant(
    'a receipt writes back the programme as it was at the first byte',
    { decidesOn: 'what it remembers' },
    promised,
  ),

  mutant(
    'two sound copies that differ are no consent',
    { agreementOf: ifEqual },
    'a grant once given counts until it is taken back',
    { crashes: 1 },
  ),

  // One grant after another.
  mutant('the number survives an opt-out', { consentIdOf: () => 'id' }, ownNumber, { grants: 2 }),
  mutant(
    'a new grant keeps the records of the old one',
    changes((programme, event) =>
      event.kind === 'grant' ? { ...programme, wipe: 'none' } : programme,
    ),
    nothingEarlier,
    { grants: 2, policy: 1 },
  ),
  mutant(
    'a new grant forgets what was sent under the old one',
    changes((programme, event) =>
      event.kind === 'grant' ? { ...programme, sent: [] } : programme,
    ),
    writtenDown,
    { grants: 2 },
  ),
  mutant(
    'a new grant is no new epoch',
    changes((programme, event) =>
      event.kind === 'grant' ? { ...programme, epoch: 1 } : programme,
    ),
    asWanted,
    { grants: 2, policy: 1 },
  ),
  mutant(
    'a new grant keeps the old records, and nobody compares the epochs',
    {
      ...changes((programme, event) =>
        event.kind === 'grant' ? { ...programme, wipe: 'none' } : programme,
      ),
      maySend: coverage,
    },
    nothingEarlier,
    { grants: 2, policy: 1 },
  ),
  mutant(
    'nobody compares the epochs, but old records go',
    { maySend: coverage },
    {
      equivalent:
        'the second line of defence: no batch outlives the erasure that comes with a grant',
    },
    { grants: 2, policy: 1, offs: 0 },
  ),

  // What the cloud has to erase.
  mutant('sent is written down after the first byte', { marksBeforeFirstByte: false }, writtenDown),
  mutant(
    'only what was confirmed is ordered to be erased',
    changes((programme, event) =>
      event.kind === 'withdraw'
        ? {
            ...programme,
            orders: programme.orders.filter(({ consentId }) =>
              programme.sent.some(
                (entry) => entry.consentId === consentId && entry.state === 'stored',
              ),
            ),
          }
        : programme,
    ),
    promised,
  ),
  mutant(
    'only the last number is ordered to be erased',
    changes((programme, event) =>
      event.kind === 'withdraw' ? { ...programme, orders: programme.orders.slice(-1) } : programme,
    ),
    promised,
    { grants: 2, offs: 2 },
  ),
  mutant(
    'a withdrawal forgets what was sent',
    changes((programme, event) =>
      event.kind === 'withdraw' ? { ...programme, sent: [] } : programme,
    ),
    writtenDown,
  ),
  mutant(
    'an order ends with the first attempt',
    changes((programme, event) =>
      event.kind === 'erasure-tried' ? { ...programme, orders: [] } : programme,
    ),
    promised,
  ),
  mutant(
    'an order is passed on as often as one likes',
    changes((programme, event) =>
      event.kind === 'erasure-tried'
        ? {
            ...programme,
            orders: programme.orders.map((order) => ({ ...order, lastTriedOn: null })),
          }
        : programme,
    ),
    asWanted,
  ),
  mutant(
    'what was sent is forgotten a day early',
    {
      decide: (programme, circumstances, event) =>
        decide(
          programme,
          circumstances,
          event.kind === 'expire' ? { ...event, wallMs: event.wallMs + 1 } : event,
        ),
    },
    writtenDown,
    { days: 1 },
  ),

  // Asking whether one may.
  mutant(
    'on, unless somebody says no',
    unlessRefused(),
    'before the first decision nothing exists',
    {
      crashes: 1,
    },
  ),
  mutant('not asked again before storing', { asksBeforeStoring: false }, asWanted, { policy: 2 }),
  mutant('not asked again before the first byte', { asksBeforeFirstByte: false }, asWanted),
  mutant('a policy that matters changes nothing', ignoring('policy-outdated'), asWanted, {
    policy: 2,
  }),
  mutant('another region changes nothing', ignoring('region-changed'), asWanted, {
    regions: 2,
  }),
  mutant('an erasure that is due changes nothing', ignoring('wipe-due'), asWanted, {
    grants: 2,
    policy: 1,
  }),

  // Sending.
  mutant('rows go with the first byte', { keepsUntilReceipt: false }, lostNothing),
  mutant(
    'a retry is another batch',
    { keepsBytesForRetry: false, batchIdOf: (epoch, day) => `batch of ${epoch} on ${day}` },
    'one record is one object',
    { days: 1 },
  ),
];

function mutant(
  name: string,
  changed: Partial<Device>,
  fate: string | { readonly equivalent: string },
  limits: Partial<Limits> = {},
): Mutant {
  const about = { name, device: { ...trueDevice, ...changed }, limits: { ...small, ...limits } };
  return typeof fate === 'string' ? { ...about, killedBy: fate } : { ...about, ...fate };
}

function withoutStep(step: Step): Partial<Device> {
  return { optOut: trueDevice.optOut.filter((each) => each !== step) };
}

/** The step comes right after the other one. */
function moved(step: Device['optOut'][number], after: Device['optOut'][number]): Device['optOut'] {
  const others = trueDevice.optOut.filter((each) => each !== step);
  return others.flatMap((each) => (each === after ? [each, step] : [each]));
}

/** What the reducer says, changed afterwards. */
function changes(
  change: (programme: Programme, event: ProgrammeEvent) => Programme,
): Partial<Device> {
  return {
    decide(programme, circumstances, event) {
      const decided = decide(programme, circumstances, event);
      return decided.kind === 'changed'
        ? { kind: 'changed', programme: change(decided.programme, event) }
        : decided;
    },
  };
}

/** As if that were no reason. */
function ignoring(why: NotCovered): Partial<Device> {
  const blind = (programme: Programme, circumstances: Circumstances): Coverage => {
    const now = coverage(programme, circumstances);
    const { consent, epoch } = programme;
    if (now.kind === 'covered' || now.why !== why || consent.state !== 'granted') return now;
    return { kind: 'covered', epoch, grant: consent };
  };
  return { coverage: blind, maySend: blind };
}

/** The preset that others have. */
function unlessRefused(): Partial<Device> {
  const open = (programme: Programme, circumstances: Circumstances): Coverage => {
    const now = coverage(programme, circumstances);
    return now.kind === 'not-covered' && now.why === 'never-asked'
      ? { kind: 'covered', epoch: 1, grant: grantOf() }
      : now;
  };
  return { coverage: open, maySend: open };
}

function ifEqual(one: Programme | undefined, two: Programme | undefined) {
  return one?.sequence === two?.sequence
    ? agreementOf(one, two)
    : agreementOf(undefined, undefined);
}

function byNewer(one: Programme | undefined, two: Programme | undefined) {
  const newer = (one?.sequence ?? -1) >= (two?.sequence ?? -1) ? one : two;
  return newer === undefined
    ? agreementOf(one, two)
    : ({ kind: 'mended', programme: newer } as const);
}

function byOnlyOne(one: Programme | undefined, two: Programme | undefined) {
  const only = one === undefined ? two : two === undefined ? one : undefined;
  return only === undefined
    ? agreementOf(one, two)
    : ({ kind: 'mended', programme: only } as const);
}
