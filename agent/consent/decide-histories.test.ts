import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agreementOf } from '../consent/agreement.ts';
import {
  batchOf,
  daysLater,
  grantOf,
  policies,
  resident,
  today,
  uuid,
} from '../test/fakes/programmes.ts';
import {
  type Circumstances,
  coverage,
  neverAsked,
  type Programme,
  type ProgrammeEvent,
  policyInForce,
} from './consent.ts';
import { decide } from './decide.ts';
import { mostErasureTries } from './erasure-orders.ts';

/** What happens, before its place in a history gives it its moment, its ids and its circumstances. */
type Happening =
  | { readonly kind: ProgrammeEvent['kind']; readonly number: number; readonly erase: boolean }
  | { readonly kind: 'days'; readonly days: number }
  | { readonly kind: 'region'; readonly region: string | null }
  | { readonly kind: 'do-not-track'; readonly on: boolean };

/** How often each, so that most histories get far: what is granted is used, what is due is done. */
const weights: Readonly<Record<ProgrammeEvent['kind'], number>> = {
  grant: 5,
  withdraw: 2,
  wiped: 5,
  sending: 8,
  stored: 3,
  'order-erasure': 1,
  'erasure-tried': 2,
  'erasure-confirmed': 1,
  expire: 1,
};
const kinds = kindsOf(weights).flatMap((kind) => Array.from({ length: weights[kind] }, () => kind));

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constantFrom(...kinds),
      number: fc.nat({ max: 3 }),
      erase: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('days' as const), days: fc.nat({ max: 9 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('region' as const),
      region: fc.constantFrom('eu-central-1', 'eu-central-1', 'cn-hangzhou', null),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('do-not-track' as const),
      on: fc.constantFrom(true, false, false, false),
    }),
  },
);

const histories = fc.array(happening, { maxLength: 80, size: 'max' });

type Step = {
  readonly before: Programme;
  readonly event: ProgrammeEvent;
  readonly programme: Programme;
  readonly circumstances: Circumstances;
  readonly outcome: ReturnType<typeof decide>['kind'];
};

/** Plays a history and shows each step of it. */
function play(history: readonly Happening[], look: (step: Step) => void): Programme {
  let programme = neverAsked;
  let circumstances = today;
  let made = 0;
  const newId = () => `id-${++made}`;
  for (const happening of history) {
    if (happening.kind === 'days') {
      circumstances = {
        ...circumstances,
        wallMs: circumstances.wallMs + happening.days * 86_400_000,
      };
    } else if (happening.kind === 'region') {
      circumstances = { ...circumstances, region: happening.region };
    } else if (happening.kind === 'do-not-track') {
      circumstances = { ...circumstances, doNotTrack: happening.on };
    } else {
      const event = eventOf(happening, programme, circumstances, newId);
      const before = programme;
      const decided = decide(before, circumstances, event);
      if (decided.kind === 'changed') programme = decided.programme;
      look({ before, event, programme, circumstances, outcome: decided.kind });
    }
  }
  return programme;
}

function eventOf(
  { kind, number, erase }: Extract<Happening, { readonly number: number }>,
  programme: Programme,
  circumstances: Circumstances,
  newId: () => string,
): ProgrammeEvent {
  const { wallMs } = circumstances;
  const batchId = `batch-${number}`;
  const erasureId =
    programme.orders[number % Math.max(1, programme.orders.length)]?.erasureId ?? '-';
  switch (kind) {
    case 'grant': {
      const policy = number === 0 ? policies[0] : policyInForce(circumstances);
      const named = { policyVersion: policy?.version ?? '', textSha256: policy?.textSha256 ?? '' };
      const region = circumstances.region ?? 'eu-central-1';
      const consentId = uuid(1000 + programme.sequence);
      return { kind, grant: grantOf({ ...named, region, consentId }) };
    }
    case 'withdraw': {
      const at = { wallMs, monotonicMs: 1 };
      return { kind, by: resident, at, eraseCloud: erase ? newId : null };
    }
    case 'sending': {
      const { consent, epoch } = programme;
      const consentId = consent.state === 'granted' ? consent.consentId : uuid(1);
      const region = circumstances.region ?? 'eu-central-1';
      const expiresAtMs = wallMs + (28 + number) * 86_400_000;
      const ofGrant = { batchId, epoch, consentId, region, markedAtMs: wallMs, expiresAtMs };
      return { kind, batch: batchOf({ ...ofGrant, objectKey: erase ? `ttl28/${number}` : null }) };
    }
    case 'stored':
      return { kind, batchId, objectKey: `ttl28/${number}` };
    case 'order-erasure':
      return { kind, newId, atMs: wallMs };
    case 'erasure-tried':
      return { kind, erasureId, localDate: new Date(wallMs).toISOString().slice(0, 10) };
    case 'erasure-confirmed':
      return { kind, erasureId };
    case 'expire':
      return { kind, wallMs };
    case 'wiped':
      return { kind };
  }
}

function everyHistory(look: (step: Step) => void): void {
  fc.assert(
    fc.property(histories, (history) => void play(history, look)),
    { numRuns: 300 },
  );
}

test('S0-1 without a grant nothing is ever covered, whatever else happens', () => {
  fc.assert(
    fc.property(histories, (history) => {
      play(
        history.filter(({ kind }) => kind !== 'grant'),
        ({ programme, circumstances }) => {
          expect(coverage(programme, circumstances).kind).toBe('not-covered');
          expect(programme.sent).toEqual([]);
        },
      );
    }),
    { numRuns: 300 },
  );
});

test('every change has the next number, and what is refused or nothing new changes nothing', () => {
  everyHistory(({ before, programme, outcome }) => {
    if (outcome === 'changed') expect(programme.sequence).toBe(before.sequence + 1);
    else expect(programme).toBe(before);
  });
});

test('only a grant begins an epoch, and each is covered by its own grant only', () => {
  everyHistory(({ before, event, programme, circumstances }) => {
    const isGrant = event.kind === 'grant' && programme !== before;
    expect(programme.epoch).toBe(before.epoch + (isGrant ? 1 : 0));
    if (programme.epoch === before.epoch && before.consent.state !== 'granted') {
      expect(programme.consent.state).not.toBe('granted');
    }
    const now = coverage(programme, circumstances);
    if (now.kind === 'covered') {
      expect(now.grant).toBe(programme.consent);
      expect(now.grant.region).toBe(circumstances.region);
      expect(circumstances.doNotTrack).toBe(false);
    }
  });
});

test('S0-26 a withdrawal is never refused, and nothing is covered until somebody grants again', () => {
  everyHistory(({ event, programme, circumstances, outcome }) => {
    if (event.kind !== 'withdraw') return;
    expect(outcome).toBe('changed');
    expect(programme).toMatchObject({ consent: { state: 'withdrawn' }, wipe: 'due' });
    expect(coverage(programme, circumstances).kind).toBe('not-covered');
  });
});

test('S0-30 an entry of what was sent comes only under a grant, and goes only when it has expired', () => {
  everyHistory(({ before, event, programme, circumstances }) => {
    const isIn = (entry: Programme['sent'][number]) =>
      programme.sent.some(
        ({ batchId, epoch }) => batchId === entry.batchId && epoch === entry.epoch,
      );
    for (const entry of before.sent.filter((each) => !isIn(each))) {
      expect(event.kind).toBe('expire');
      expect(entry.expiresAtMs).toBeLessThanOrEqual(circumstances.wallMs);
    }
    if (programme.sent.length > before.sent.length) {
      expect(coverage(before, circumstances).kind).toBe('covered');
    }
  });
});

test('S0-32 nothing that was sent lies in the cloud for more than a month after an opt-out', () => {
  let entries = 0;
  everyHistory(({ event, programme, circumstances }) => {
    if (event.kind !== 'withdraw') return;
    entries += programme.sent.length;
    for (const { expiresAtMs } of programme.sent) {
      expect(expiresAtMs).toBeLessThanOrEqual(circumstances.wallMs + daysLater(31) - daysLater(0));
    }
  });
  expect(entries).toBeGreaterThan(100);
});

test('with its order, a withdrawal covers every number under which something may lie in the cloud', () => {
  let orders = 0;
  everyHistory(({ event, programme }) => {
    if (event.kind !== 'withdraw' || event.eraseCloud === null) return;
    const ordered = programme.orders.map(({ consentId }) => consentId);
    expect(new Set(ordered).size).toBe(ordered.length);
    for (const { consentId } of programme.sent) {
      const order = programme.orders.find((each) => each.consentId === consentId);
      expect(order?.tries).toBeLessThan(mostErasureTries);
      orders++;
    }
  });
  expect(orders).toBeGreaterThan(100);
});

test('an order is tried once on a date, and no order comes without a person', () => {
  const tries = new Set<string>();
  fc.assert(
    fc.property(histories, (history) => {
      tries.clear();
      play(history, ({ before, event, programme, outcome, circumstances }) => {
        if (programme.orders.length > before.orders.length) {
          expect(['withdraw', 'order-erasure']).toContain(event.kind);
        }
        if (event.kind !== 'erasure-tried' || outcome !== 'changed') return;
        const key = `${event.erasureId} ${circumstances.wallMs}`;
        expect(tries.has(key)).toBe(false);
        tries.add(key);
      });
    }),
  );
});

test('written to the first copy only, no change turns the old state into a grant', () => {
  everyHistory(({ before, programme, outcome }) => {
    if (outcome !== 'changed') return;
    for (const torn of [agreementOf(programme, before), agreementOf(before, programme)]) {
      const { consent } = torn.programme;
      if (consent.state === 'granted') expect(consent).toEqual(before.consent);
    }
    const alone = agreementOf(undefined, programme).programme.consent;
    expect(alone.state).not.toBe('granted');
  });
});

function kindsOf<K extends string>(table: Readonly<Record<K, number>>): K[] {
  return Object.keys(table).filter((key): key is K => Object.hasOwn(table, key));
}
