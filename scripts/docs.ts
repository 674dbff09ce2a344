/**
 * Writes the generated parts of the documents, from the tables the agent itself reads: settings and error
 * codes, what may leave the device, how long it is kept. `node scripts/docs.ts` rewrites them;
 * agent/test/docs.test.ts fails if it would.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settingTable } from '../agent/config.ts';
import { errorTable } from '../agent/errors.ts';
import { type RetentionRule, retention } from '../agent/rights/retention.ts';
import { described } from '../agent/ueip/field-types.ts';
import { attemptFields, dayFields, type Fields } from '../agent/ueip/fields.ts';
import { storeColumns } from '../agent/ueip/store-columns.ts';

type Parts = Readonly<Record<string, () => string>>;

/** Each page, and how its parts are made. */
const partsOf: Readonly<Record<string, Parts>> = {
  'docs/operations.md': { settings, codes },
  'docs/privacy.md': {
    attempt: () => fieldTable(attemptFields),
    day: () => fieldTable(dayFields),
    columns,
    retention: retentionTable,
  },
};

export const generatedPages: readonly string[] = Object.keys(partsOf);

if (import.meta.main) {
  for (const page of generatedPages) {
    const file = fileURLToPath(new URL(`../${page}`, import.meta.url));
    writeFileSync(file, regenerated(page, readFileSync(file, 'utf8')));
  }
}

/** The text of the page as it should be. */
export function regenerated(page: string, text: string): string {
  return Object.entries(partsOf[page] ?? {}).reduce(
    (made, [name, part]) => withPart(page, made, name, part()),
    text,
  );
}

function settings(): string {
  const rows = Object.entries(settingTable).map(
    ([name, { preset, help }]) => `| \`${name}\` | \`${JSON.stringify(preset)}\` | ${help} |`,
  );
  return ['| setting | preset | what it does |', '| --- | --- | --- |', ...rows].join('\n');
}

function codes(): string {
  const rows = Object.entries(errorTable).map(
    ([code, { exitCode, hint }]) => `| \`${code}\` | ${exitCode} | ${hint} |`,
  );
  return ['| code | exit status | hint |', '| --- | --- | --- |', ...rows].join('\n');
}

function fieldTable(fields: Fields): string {
  const rows = Object.entries(fields).map(([name, field]) => {
    const { type, unit, purpose, sensitivity, owner, since, expires } = field;
    const holds = `${described(type)}${unit === 'none' ? '' : ` (${unit})`}`;
    return `| \`${name}\` | ${purpose} | ${holds} | ${sensitivity} | ${owner} | ${since} | ${expires} |`;
  });
  return [
    '| field | what it is and what for | it holds | says something about | answers for it | since notice | until |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function columns(): string {
  const rows = storeColumns.map(({ name, reason }) => `| \`${name}\` | ${reason} |`);
  return ['| column | why |', '| --- | --- |', ...rows].join('\n');
}

function retentionTable(): string {
  const rows = Object.values(retention).map(
    ({ what, limit, countedFrom, enforcedBy }: RetentionRule) =>
      `| ${what} | ${limitText(limit)} | ${countedFrom} | ${enforcedBy} |`,
  );
  return [
    '| what | how long | counted from | enforced by |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function limitText(limit: RetentionRule['limit']): string {
  switch (limit.kind) {
    case 'month':
      return 'one month';
    case 'days':
      return `${limit.days} days`;
    case 'until':
      return `until ${limit.event}`;
  }
}

/** Replaces what stands between `<!-- generated: name -->` and `<!-- end -->`. */
function withPart(page: string, text: string, name: string, content: string): string {
  const part = new RegExp(`(<!-- generated: ${name} -->\\n)(?:[\\s\\S]*?\\n)??(<!-- end -->)`);
  if (!part.test(text)) throw new Error(`${page} has no generated part ${name}`);
  return text.replace(part, (_, before: string, after: string) => `${before}${content}\n${after}`);
}
