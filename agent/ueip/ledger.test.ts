import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { canonicalJson, parseCanonical } from './canonical-json.ts';
import { genesis, type LedgerHead, ledgerLine, readEntry, verifyLedger } from './ledger.ts';
import type { LedgerEvent } from './ledger-events.ts';
import { expireLedger } from './ledger-expiry.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const dayMs = 86_400_000;
const start = Date.UTC(2027, 0, 1);

const by = { actor: 'resident', channel: 'cli' } as const;
const granted: LedgerEvent = {
  what: 'granted',
  ...by,
  epoch: 1,
  policyVersion: '2026-11',
  textSha256: sha256('text'),
  region: 'eu-central-1',
};
const withdrawn: LedgerEvent = {
  what: 'withdrawn',
  ...by,
  epoch: 1,
  decidedAtMs: start,
  eraseCloud: false,
};
const request = (n: number): LedgerEvent => ({
  what: 'request',
  method: 'PUT',
  host: 'bucket.example',
  objectKeyHash: sha256(`key ${n}`),
  bodySha256: sha256(`body ${n}`),
  bytes: 1000 + n,
  status: 200,
});

type Written = { readonly lines: readonly string[]; readonly head: LedgerHead };

function written(events: readonly (readonly [LedgerEvent, number])[], after?: Written): Written {
  let head = after?.head ?? genesis;
  const lines = [...(after?.lines ?? [])];
  for (const [event, at] of events) {
    const next = ledgerLine(head, event, at, sha256);
    lines.push(next.line);
    head = next.head;
  }
  return { lines, head };
}

/** A grant, a request a day, and the withdrawal. */
const history = (days: number) =>
  written([
    [granted, start],
    ...Array.from({ length: days }, (_, n) => [request(n), start + n * dayMs] as const),
    [withdrawn, start + days * dayMs],
  ]);

describe('the history of the programme', () => {
  const { lines, head } = history(10);

  test('is intact as it was written, each entry on a line', () => {
    expect(verifyLedger(lines, head, sha256)).toEqual({ kind: 'intact', entries: 12, head });
    expect(lines.every((line) => !line.includes('\n'))).toBe(true);
    expect(readEntry(lines[0] ?? '', sha256)).toMatchObject({ n: 1, what: 'granted', at: start });
  });

  test('may be ahead of its head: the device lost power between the two', () => {
    for (const n of [0, 5, 11]) {
      const behind = written([], { lines, head: headAt(lines, n) });
      expect(verifyLedger(lines, behind.head, sha256).kind).toBe('intact');
    }
  });

  test.each([1, 2, 11])('shows that the last %i entries were cut off', (count) => {
    expect(verifyLedger(lines.slice(0, -count), head, sha256)).toMatchObject({
      kind: 'broken',
      why: 'truncated',
    });
  });

  test('shows that all of it was removed, and that its head was', () => {
    expect(verifyLedger([], head, sha256)).toMatchObject({ why: 'truncated' });
    expect(verifyLedger(lines, undefined, sha256)).toMatchObject({ why: 'head-missing' });
    expect(verifyLedger([], undefined, sha256)).toMatchObject({ kind: 'intact', entries: 0 });
  });

  test('shows an end that was written anew, with hashes that fit', () => {
    const other = written([[request(99), start]], {
      lines: lines.slice(0, -1),
      head: headAt(lines, 11),
    });
    expect(verifyLedger(other.lines, head, sha256)).toMatchObject({ why: 'truncated' });
  });

  test('shows an entry whose hash was made to fit, because the next one does not', () => {
    const [first = '', second = ''] = lines;
    const { hash: _, ...rest } = JSON.parse(second);
    const forged = { ...rest, bytes: 1 };
    const line = canonicalJson({ ...forged, hash: sha256(canonicalJson(forged)) });
    const changed = [first, line, ...lines.slice(2)];
    expect(verifyLedger(changed, head, sha256)).toEqual({
      kind: 'broken',
      why: 'removed',
      line: 3,
    });
  });

  test('shows a gap that no entry accounts for, however well it is named', () => {
    const cut = [...lines.slice(0, 3), ...lines.slice(5)];
    expect(verifyLedger(cut, head, sha256)).toEqual({ kind: 'broken', why: 'removed', line: 4 });
    expect(verifyLedger(lines.slice(1), head, sha256)).toMatchObject({ why: 'removed', line: 1 });
  });

  test('1,000 random changes of its text are found, all of them', () => {
    const text = lines.join('\n');
    const random = seededChance('ledger');
    const whole = (most: number) => Buffer.from(random(4)).readUInt32LE() % most;
    const other = (letter: string) => {
      const printable = 32 + whole(95);
      return String.fromCharCode(printable === letter.charCodeAt(0) ? 10 : printable);
    };
    const changes: readonly ((at: number) => string)[] = [
      (at) => text.slice(0, at) + other(text[at] ?? '') + text.slice(at + 1),
      (at) => text.slice(0, at) + text.slice(at + 1 + whole(300)),
      (at) => `${text.slice(0, at)}${String.fromCharCode(33 + whole(94))}${text.slice(at)}`,
      () => lines.toSpliced(whole(lines.length), 1).join('\n'),
      () => lines.toSpliced(whole(lines.length), 0, lines[whole(lines.length)] ?? '').join('\n'),
      () => {
        const from = whole(lines.length - 1);
        const [a = '', b = ''] = lines.slice(from, from + 2);
        return lines.toSpliced(from, 2, b, a).join('\n');
      },
    ];
    let made = 0;
    for (let n = 0; made < 1000; n++) {
      const changed = changes[n % changes.length]?.(whole(text.length)) ?? text;
      if (changed === text) continue;
      made++;
      expect(verifyLedger(changed.split('\n'), head, sha256).kind, changed).toBe('broken');
    }
  });

  test('that notes damage of its own is not intact, though its chain is', () => {
    const noted = written([[{ what: 'damage-found', why: 'removed', line: 3 }, start]], {
      lines,
      head,
    });
    expect(verifyLedger(noted.lines, noted.head, sha256)).toEqual({
      kind: 'broken',
      why: 'damage-found',
      line: 13,
    });
  });

  test('S0-25 says of each export, erasure and refusal who, what and when, and nothing of the content', () => {
    const events: readonly LedgerEvent[] = [
      { what: 'exported', ...by, rows: 12, bytes: 3456 },
      { what: 'withdrawn', ...by, epoch: 1, decidedAtMs: start, eraseCloud: true },
      { what: 'refused', actor: 'unknown', channel: 'host', command: 'ueip.export', uid: 1001 },
    ];
    const audit = written(events.map((event) => [event, start] as const));
    expect(entriesOf(audit.lines).map(({ prev: _, hash: __, ...said }) => said)).toEqual(
      events.map((event, index) => ({ ...event, at: start, n: index + 1 })),
    );
  });

  test.each([
    ['a field that the table does not have', { ...withdrawn, name: 'Ann' }],
    ['a text where a count belongs', { ...withdrawn, epoch: 'one' }],
    ['a missing field', { what: 'withdrawn', epoch: 1 }],
    ['free text as an actor', { ...withdrawn, actor: 'Ann, second floor' }],
    ['an address with a path as a host', { ...request(1), host: 'bucket.example/ueip/1234' }],
    ['an unknown happening', { what: 'recognised', ...by }],
    [
      'gaps that hold more than gaps',
      {
        what: 'expired',
        why: 'age',
        entries: 1,
        gaps: [{ from: 1, to: 2, before: sha256(''), after: sha256(''), note: 'x' }],
      },
    ],
  ])('takes no entry with %s', (_, event) => {
    const append = () => Reflect.apply(ledgerLine, undefined, [genesis, event, start, sha256]);
    expect(append).toThrow(TypeError);
  });
});

describe('entries that have had their time', () => {
  const { lines, head } = history(60);
  const limits = (days: number) => ({
    wallMs: start + days * dayMs,
    isClockTrusted: true,
    maxBytes: 1 << 20,
  });

  test('go, requests after 31 days, and the rest is still a chain that says what is gone', () => {
    const expired = expireLedger(lines, head, limits(60), sha256);
    if (!expired) throw new Error('nothing was due');
    const days = entriesOf(expired.lines).flatMap((entry) =>
      entry.what === 'request' ? (entry.at - start) / dayMs : [],
    );
    expect(days).toEqual(Array.from({ length: 30 }, (_, n) => n + 30));
    const whats = entriesOf(expired.lines).map(({ what }) => what);
    expect(whats).toEqual(['granted', ...days.map(() => 'request'), 'withdrawn', 'expired']);
    expect(expired.removed).toBe(30);
    expect(verifyLedger(expired.lines, expired.head, sha256)).toMatchObject({ kind: 'intact' });
    // Power went before the head was written.
    expect(verifyLedger(expired.lines, head, sha256)).toMatchObject({ kind: 'intact' });
    expect(expireLedger(expired.lines, expired.head, limits(60), sha256)).toBeUndefined();
  });

  test('may be the last of all, and again and again; receipts of before still name an entry', () => {
    let now = written([
      [granted, start],
      [request(1), start],
    ]);
    const receiptHead = now.head;
    for (let month = 1; month < 40; month++) {
      const expired = expireLedger(now.lines, now.head, limits(31 * month), sha256);
      if (!expired) throw new Error('nothing was due');
      expect(verifyLedger(expired.lines, now.head, sha256).kind, `month ${month}`).toBe('intact');
      expect(verifyLedger(expired.lines, expired.head, sha256).kind).toBe('intact');
      const text = expired.lines.join('\n');
      if (month === 1) expect(text).toContain(receiptHead.hash);
      expect(expired.lines.length).toBeLessThanOrEqual(2);
      now = written([[request(month), start + 31 * month * dayMs]], expired);
    }
    expect(entriesOf(now.lines).map(({ what }) => what)).toEqual(['expired', 'request']);
  });

  test('cannot be feigned: an entry that was taken out is not among those that expired', () => {
    const expired = expireLedger(lines, head, limits(60), sha256);
    if (!expired) throw new Error('nothing was due');
    for (let n = 0; n < expired.lines.length; n++) {
      const cut = expired.lines.toSpliced(n, 1);
      expect(verifyLedger(cut, expired.head, sha256).kind, `line ${n + 1}`).toBe('broken');
    }
  });

  test('consent is kept for three years, what a person asked for one', () => {
    const exported: LedgerEvent = { what: 'exported', ...by, rows: 3, bytes: 900 };
    const all = written([
      [granted, start],
      [exported, start],
      [withdrawn, start + dayMs],
    ]);
    const left = (days: number) =>
      entriesOf(expireLedger(all.lines, all.head, limits(days), sha256)?.lines ?? all.lines)
        .map(({ what }) => what)
        .filter((what) => what !== 'expired');
    expect(left(365)).toEqual(['granted', 'exported', 'withdrawn']);
    expect(left(366)).toEqual(['granted', 'withdrawn']);
    expect(left(1096)).toEqual(['withdrawn']);
    expect(left(1097)).toEqual([]);
  });

  test('dated by a wrong clock neither stay for ever nor go at once', () => {
    const wrong = written([
      [granted, start],
      [request(1), start + 3650 * dayMs],
      [withdrawn, 0],
      [request(2), start + 20 * dayMs],
    ]);
    const left = (days: number) =>
      entriesOf(expireLedger(wrong.lines, wrong.head, limits(days), sha256)?.lines ?? wrong.lines)
        .map(({ n, what }) => `${n} ${what}`)
        .filter((entry) => !entry.includes('expired'));
    expect(left(30)).toEqual(['1 granted', '2 request', '3 withdrawn', '4 request']);
    expect(left(31)).toEqual(['1 granted', '3 withdrawn', '4 request']);
    expect(left(51)).toEqual(['1 granted', '3 withdrawn']);
    const unsure = { ...limits(9999), isClockTrusted: false };
    expect(expireLedger(wrong.lines, wrong.head, unsure, sha256)).toBeUndefined();
  });

  test('give way, oldest requests first and openly, where the file grows beyond its cap', () => {
    const maxBytes = 4000;
    const small = expireLedger(
      lines,
      head,
      { ...limits(60), isClockTrusted: false, maxBytes },
      sha256,
    );
    if (!small) throw new Error('nothing gave way');
    expect(small.lines.join('\n').length).toBeLessThan(maxBytes);
    const entries = entriesOf(small.lines);
    expect(entries.at(-1)).toMatchObject({ what: 'expired', why: 'size' });
    const kept = entries.filter(({ what }) => what === 'request');
    expect(kept.length).toBeGreaterThan(3);
    expect(kept.at(-1)?.at).toBe(start + 59 * dayMs);
    expect(kept[0]?.at).toBe(start + (60 - kept.length) * dayMs);
    expect(verifyLedger(small.lines, small.head, sha256).kind).toBe('intact');
  });

  test('that are decisions give way last: only where nothing else is left to go', () => {
    const many = written(
      Array.from({ length: 60 }, (_, n) => [n % 2 ? withdrawn : request(n), start + n] as const),
    );
    const decisionsOf = (maxBytes: number) => {
      const tight = { ...limits(0), isClockTrusted: false, maxBytes };
      const small = expireLedger(many.lines, many.head, tight, sha256);
      if (!small) throw new Error('nothing gave way');
      expect(small.lines.join('\n').length).toBeLessThan(maxBytes);
      expect(verifyLedger(small.lines, small.head, sha256).kind).toBe('intact');
      return entriesOf(small.lines).filter(({ what }) => what === 'withdrawn');
    };
    expect(decisionsOf(16_000)).toHaveLength(30);
    const left = decisionsOf(6_000);
    expect(left.length).toBeGreaterThan(5);
    expect(left.at(-1)?.n).toBe(60);
    const nothing = expireLedger(many.lines, many.head, { ...limits(0), maxBytes: 1 }, sha256);
    expect(entriesOf(nothing?.lines ?? []).map(({ what }) => what)).toEqual(['expired']);
  });

  test('of a damaged history go as well, and the damage stays told', () => {
    const damaged = lines.with(5, (lines[5] ?? '').replace('1004', '1005'));
    const noted = written(
      [[{ what: 'damage-found', why: 'edited', line: 6 }, start + 60 * dayMs]],
      {
        lines: damaged,
        head,
      },
    );
    expect(verifyLedger(noted.lines, noted.head, sha256)).toMatchObject({ why: 'edited', line: 6 });
    const expired = expireLedger(noted.lines, noted.head, limits(61), sha256);
    if (!expired) throw new Error('nothing was due');
    expect(verifyLedger(expired.lines, expired.head, sha256)).toMatchObject({
      why: 'damage-found',
    });
  });

  test('leave a chain, whatever happened when', () => {
    const event = fc.constantFrom(granted, withdrawn, request(1), request(2));
    const life = fc.array(fc.tuple(event, fc.nat(400), fc.boolean()), { maxLength: 40 });
    fc.assert(
      fc.property(life, (moments) => {
        let now: Written = { lines: [], head: genesis };
        let day = 0;
        for (const [what, days, expire] of moments) {
          day += days % 40;
          now = written([[what, start + day * dayMs]], now);
          if (expire)
            now = expireLedger(now.lines, now.head, limits(day + (days % 7)), sha256) ?? now;
          if (verifyLedger(now.lines, now.head, sha256).kind !== 'intact') return false;
        }
        return true;
      }),
    );
  });
});

test('a value has one canonical text, whatever the order of its keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(canonicalJson(parseCanonical(text) ?? null)).toBe(text);
    }),
  );
  expect(canonicalJson({ b: [1, 'ä"\n'], a: { d: null, c: 1e21 } })).toBe(
    '{"a":{"c":1e+21,"d":null},"b":[1,"ä\\"\\n"]}',
  );
  for (const other of ['{"b":1,"a":2}', '{"a": 1}', '{"a":1.0}', '{"a":1,"a":1}', '', '{']) {
    expect(parseCanonical(other), other).toBeUndefined();
  }
  expect(() => canonicalJson(Number.NaN)).toThrow(TypeError);
});

function headAt(lines: readonly string[], n: number): LedgerHead {
  const entry = readEntry(lines[n - 1] ?? '', sha256);
  return entry ? { n: entry.n, hash: entry.hash } : genesis;
}

function entriesOf(lines: readonly string[]) {
  return lines.flatMap((line) => readEntry(line, sha256) ?? []);
}
