import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../agent/test/fakes/temporary-folder.ts';
import { importDistances } from './nearest-tests.ts';

test('a test is as near to a source as the shortest way of imports, without those of types', () => {
  const root = temporaryFolder();
  const files = {
    'a/near.test.ts': "import { far } from '../b/far.ts';\nimport { near } from './near.ts';",
    'a/near.ts': "import type { T } from '../b/type.ts';\nexport { deep } from '../b/deep.ts';",
    'b/far.ts': "import '../a/near.ts';\nimport { x } from 'package';",
    'b/deep.ts': "import '../a/near.ts';\nimport '../c/data.json';",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const distances = importDistances(root, ['a/near.test.ts']).get('a/near.test.ts');
  expect(Object.fromEntries(distances ?? [])).toEqual({
    'a/near.test.ts': 0,
    'a/near.ts': 1,
    'b/far.ts': 1,
    'b/deep.ts': 2,
    'c/data.json': 3,
  });
});
