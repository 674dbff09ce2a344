import { expect, test } from 'vitest';
import { checkEvent, type LedgerEvent, ledgerKeepDays, ledgerTable } from './ledger-events.ts';

const hash = 'a'.repeat(64);
const gap = { from: 1, to: 2, before: hash, after: hash };

/** Of each kind of field: what it takes, and what it does not. */
const kinds: Record<
  string,
  { readonly good: readonly unknown[]; readonly bad: readonly unknown[] }
> = {
  count: { good: [0, 1, 2 ** 52], bad: [-1, 0.5, Number.NaN, '1', null, undefined] },
  'count?': { good: [null, 0, 404], bad: [-1, '1', undefined] },
  flag: { good: [true, false], bad: [0, 'true', null, undefined] },
  sha256: { good: [hash], bad: [hash.slice(1), `${hash}a`, hash.toUpperCase(), null, undefined] },
  'sha256?': { good: [null, hash], bad: ['', hash.slice(1), undefined] },
  word: { good: ['a', '2026-11', 'A.b_c-1'], bad: ['', 'two words', '-a', 'a'.repeat(65), null] },
  words: {
    good: [[], ['key', 'rows']],
    bad: [['key', 'two words'], ['two words', 'key'], 'key', {}],
  },
  host: { good: ['oss.example:443', '[::1]'], bad: ['', 'a/b', 'a b', undefined] },
  method: { good: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'], bad: ['get', 'PATCH', '', null] },
  channel: { good: ['cli', 'page', 'host'], bad: ['mail', '', null] },
  gaps: {
    good: [[], [gap], [gap, gap]],
    bad: [
      [gap, { ...gap, from: -1 }],
      [{ ...gap, before: 'x' }, gap],
      [{ ...gap, who: 'resident' }],
      [null],
      {},
    ],
  },
};

const rows = Object.entries(ledgerTable).flatMap(([what, { fields }]) =>
  Object.entries(fields).map(([field, kind]) => ({ what, field, kind })),
);
const goodOf = (kind: string) => kinds[kind]?.good ?? [];
const entry = (what: string, change: Record<string, unknown> = {}): LedgerEvent => {
  const fields = rows.filter((row) => row.what === what);
  const filled = Object.fromEntries(fields.map(({ field, kind }) => [field, goodOf(kind)[0]]));
  // What comes from outside the types is what is tested here.
  return JSON.parse(JSON.stringify({ what, ...filled, ...change }));
};

test.each(rows)('$what: $field takes every $kind and nothing else', ({ what, field, kind }) => {
  for (const value of goodOf(kind)) {
    expect(() => checkEvent({ ...entry(what), [field]: value })).not.toThrow();
  }
  for (const value of kinds[kind]?.bad ?? []) {
    const told = `ledger entry '${what}': ${field} is no ${kind}`;
    expect(() => checkEvent({ ...entry(what), [field]: value })).toThrow(told);
  }
  expect(kinds[kind]?.bad.length).toBeGreaterThan(1);
});

test('an entry says nothing that the table does not have', () => {
  expect(() => checkEvent(entry('erased', { resident: 'R-1' }))).toThrow(
    'it has no field resident',
  );
  expect(() => checkEvent(entry('greeting'))).toThrow("ledger entry 'greeting': is unknown");
  expect(() => checkEvent(entry('toString'))).toThrow('is unknown');
});

test('S0-13 decisions are kept for three years, what people asked for one, requests a month', () => {
  expect(ledgerKeepDays).toEqual({ request: 31, rights: 366, decision: 1096, expiry: null });
  const kept = (keep: string) =>
    Object.entries(ledgerTable).flatMap(([what, row]) => (row.keep === keep ? [what] : []));
  expect(kept('request')).toEqual(['request']);
  expect(kept('rights')).toEqual(['previewed', 'exported', 'refused']);
  expect(kept('expiry')).toEqual(['expired']);
});
