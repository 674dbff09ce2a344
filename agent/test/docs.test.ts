import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { generatedPages, regenerated } from '../../scripts/docs.ts';
import { everyCommand, program } from '../cli/program.ts';
import { settingTable } from '../config.ts';
import { errorTable } from '../errors.ts';
import { stopReasons } from '../upload/outcome.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map(([, inside = '']) => inside);

  test('names only files that exist', () => {
    const parts = /^(?:agent|native|scripts|fixtures|docs)\/[\w./-]+$/;
    const linked = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = '']) =>
      join(page, '..', target),
    );
    const named = quoted.filter((name) => parts.test(name));
    expect([...linked, ...named].filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });

  test('names only error codes that exist', () => {
    const codes = quoted.filter((name) => /^[A-Z]+(?:_[A-Z]+)+$/.test(name) && !known.has(name));
    expect(codes.filter((code) => !Object.hasOwn(errorTable, code))).toEqual([]);
  });

  test('names only settings that exist', () => {
    const groups = new Set(Object.keys(settingTable).map((name) => name.split('.')[0]));
    const named = quoted.filter((name) => {
      const [group = '', setting] = name.split('.');
      return (
        groups.has(group) && /^[a-z]+[A-Za-z]*$/.test(setting ?? '') && name.split('.').length === 2
      );
    });
    expect(named.filter((name) => !Object.hasOwn(settingTable, name))).toEqual([]);
  });

  test('names only commands and options that exist', async () => {
    const commands = everyCommand(await program());
    const named = (name: string | undefined, parent: string | undefined) =>
      commands.find((each) => each.name() === name && each.parent?.name() === parent);
    const called = [
      ...text.matchAll(/(?:`|^)doorkeep ((?:[a-z]+ ?){1,2})((?:[^`\n]*?--[a-z\d-]+)*)/gm),
    ];
    for (const [line, words = '', rest = ''] of called) {
      const path = words.trim().split(' ');
      const command = named(path[0], 'doorkeep');
      const inner = named(path[1], path[0]);
      expect(command, `${line} is no command`).toBeDefined();
      const options = [command, inner].flatMap(
        (each) => each?.options.map(({ long }) => long) ?? [],
      );
      // What stands after a lone "--" the command hands on to `doorkeep run`.
      const [own = '', handedOn = ''] = rest.split(/(?<!\S)--(?=\s)/);
      const handled = named('run', 'doorkeep')?.options.map(({ long }) => long);
      for (const [given, may] of [
        [own, options],
        [handedOn, handled],
      ] as const) {
        for (const [option] of given.matchAll(/--[a-z\d-]+/g)) {
          expect(may, `${line}: ${option}`).toContain(option);
        }
      }
    }
  });
});

/** Capital words in quotes that are no codes of ours. */
const known = new Set([
  'DOORKEEP_DATA_DIR',
  'DOORKEEP_DEBUG',
  'ORT_DISABLE_TELEMETRY',
  'MULTI_FACE',
]);

test.each(generatedPages)('the generated tables of %s are those of the code', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  expect(text, 'run `node scripts/docs.ts`').toBe(regenerated(page, text));
});

test.each(stopReasons)('docs/cloud.md says what it means that a night ended with %s', (reason) => {
  const text = readFileSync(join(root, 'docs/cloud.md'), 'utf8');
  const reasons = [...text.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = '']) => cell);
  expect(reasons.filter((cell) => cell.includes(`\`${reason}\``))).toHaveLength(1);
});
