/**
 * Writes the generated parts of the documents: the settings and the error codes, from the tables the
 * agent itself reads. `node scripts/docs.ts` rewrites them; agent/test/docs.test.ts fails if it would.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settingTable } from '../agent/config.ts';
import { errorTable } from '../agent/errors.ts';

export const operations = fileURLToPath(new URL('../docs/operations.md', import.meta.url));

if (import.meta.main) writeFileSync(operations, regenerated(readFileSync(operations, 'utf8')));

export function regenerated(page: string): string {
  return withPart(withPart(page, 'settings', settings()), 'codes', codes());
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

/** Replaces what stands between `<!-- generated: name -->` and `<!-- end -->`. */
function withPart(page: string, name: string, content: string): string {
  const part = new RegExp(`(<!-- generated: ${name} -->\\n)(?:[\\s\\S]*?\\n)??(<!-- end -->)`);
  if (!part.test(page)) throw new Error(`docs/operations.md has no generated part ${name}`);
  return page.replace(part, (_, before: string, after: string) => `${before}${content}\n${after}`);
}
