/** How long each class of entry is kept, in days. Months are not exact here, and need not be. */
export const ledgerKeepDays = {
  /** What was sent where: a month, as the data itself. */
  request: 31,
  /** Who asked for what: until a complaint about it would have come. */
  rights: 366,
  /** Consent, withdrawal and erasure, and faults of this file: the household's proof, three years. */
  decision: 1096,
  /** An entry about entries that are gone stays as long as it is the latest of its kind. */
  expiry: null,
} as const;

export type KeepClass = keyof typeof ledgerKeepDays;

/** Each kind of field, and what it takes. There is none for free text, nor for who somebody is. */
const fieldKinds = {
  count: (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
  'count?': (value: unknown): value is number | null => value === null || fieldKinds.count(value),
  flag: (value: unknown): value is boolean => typeof value === 'boolean',
  sha256: (value: unknown): value is string => matches(value, /^[0-9a-f]{64}$/),
  'sha256?': (value: unknown): value is string | null => value === null || fieldKinds.sha256(value),
  word: (value: unknown): value is string => matches(value, /^[a-z0-9][a-z0-9._-]{0,63}$/i),
  words: (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.every(fieldKinds.word),
  host: (value: unknown): value is string => matches(value, /^[a-z0-9.:[\]-]{1,255}$/),
  method: (value: unknown): value is 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' =>
    matches(value, /^(GET|HEAD|PUT|POST|DELETE)$/),
  channel: (value: unknown): value is 'cli' | 'page' | 'host' =>
    matches(value, /^(cli|page|host)$/),
  gaps: (value: unknown): value is readonly Gap[] => Array.isArray(value) && value.every(isGap),
} as const;

type FieldKinds = typeof fieldKinds;
type FieldKind = keyof FieldKinds;
type Taken<K extends FieldKind> = FieldKinds[K] extends (value: unknown) => value is infer T
  ? T
  : never;

/** Entries `from` to `to` are gone; the one before had the hash `before`, the last of them `after`. */
export type Gap = {
  readonly from: number;
  readonly to: number;
  readonly before: string;
  readonly after: string;
};

type Row = { readonly keep: KeepClass; readonly fields: Readonly<Record<string, FieldKind>> };
const by = { actor: 'word', channel: 'channel' } as const;

/** THE list of what the ledger says, and of what it says about it. */
export const ledgerTable = {
  granted: {
    keep: 'decision',
    fields: { ...by, epoch: 'count', policyVersion: 'word', textSha256: 'sha256', region: 'word' },
  },
  withdrawn: {
    keep: 'decision',
    fields: { ...by, epoch: 'count', decidedAtMs: 'count', eraseCloud: 'flag' },
  },
  erased: {
    keep: 'decision',
    fields: { epoch: 'count', receiptSha256: 'sha256?', rows: 'count', bytes: 'count' },
  },
  'erasure-incomplete': {
    keep: 'decision',
    fields: { epoch: 'count', receiptSha256: 'sha256?', failed: 'words' },
  },
  'policy-paused': { keep: 'decision', fields: { policyVersion: 'word' } },
  'erasure-ordered': { keep: 'decision', fields: { ...by, objects: 'count' } },
  'erasure-confirmed': { keep: 'decision', fields: { objects: 'count' } },
  /** `objectKeyHash`: HMAC-SHA-256 under a key of the epoch, which an opt-out destroys. Status null: no answer. */
  request: {
    keep: 'request',
    fields: {
      method: 'method',
      host: 'host',
      objectKeyHash: 'sha256?',
      bodySha256: 'sha256?',
      bytes: 'count',
      status: 'count?',
    },
  },
  previewed: { keep: 'rights', fields: { ...by, rows: 'count', bytes: 'count' } },
  exported: { keep: 'rights', fields: { ...by, rows: 'count', bytes: 'count' } },
  /** `uid`: of the process that asked, where the system tells. */
  refused: { keep: 'rights', fields: { ...by, command: 'word', uid: 'count?' } },
  /** The end of the file was half a line: the device lost power while it wrote. */
  repaired: { keep: 'decision', fields: { droppedBytes: 'count' } },
  'damage-found': { keep: 'decision', fields: { why: 'word', line: 'count' } },
  expired: { keep: 'expiry', fields: { why: 'word', entries: 'count', gaps: 'gaps' } },
} as const satisfies Record<string, Row>;

type Table = typeof ledgerTable;
export type LedgerWhat = keyof Table;
type EventOf<W extends LedgerWhat> = { readonly what: W } & {
  readonly [F in keyof Table[W]['fields']]: Table[W]['fields'][F] extends FieldKind
    ? Taken<Table[W]['fields'][F]>
    : never;
};
/** What happened, without when, where in the chain, and its hashes. */
export type LedgerEvent = { [W in LedgerWhat]: EventOf<W> }[LedgerWhat];

export function isLedgerWhat(what: unknown): what is LedgerWhat {
  return typeof what === 'string' && Object.hasOwn(ledgerTable, what);
}

/** A TypeError, which names no value, for a field that the table does not have, or has otherwise. */
export function checkEvent(event: LedgerEvent): void {
  const { what, ...given } = event;
  const fault = isLedgerWhat(what) ? eventFault(what, given) : 'is unknown';
  if (fault !== undefined) throw new TypeError(`ledger entry '${what}': ${fault}`);
}

function eventFault(what: LedgerWhat, given: Record<string, unknown>): string | undefined {
  const fields: Readonly<Record<string, FieldKind>> = ledgerTable[what].fields;
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined) return `it has no field ${unknown}`;
  const wrong = Object.entries(fields).find(([name, kind]) => !fieldKinds[kind](given[name]));
  return wrong && `${wrong[0]} is no ${wrong[1]}`;
}

function isGap(value: unknown): value is Gap {
  if (typeof value !== 'object' || value === null) return false;
  const { from, to, before, after, ...rest }: Partial<Record<string, unknown>> = { ...value };
  return (
    [from, to].every(fieldKinds.count) &&
    [before, after].every(fieldKinds.sha256) &&
    Object.keys(rest).length === 0
  );
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}
