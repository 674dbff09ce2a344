import { join } from 'node:path';
import { describe } from 'vitest';
import { createEpochKey } from '../../io/programme/epoch-key.ts';
import { openOutbox } from '../../io/programme/outbox.ts';
import { memoryFolder } from '../fakes/memory-folder.ts';
import { memoryOutbox } from '../fakes/memory-outbox.ts';
import { outboxContract } from './outbox-contract.ts';

for (const [name, open] of [
  ['memory', memoryOutbox],
  ['sealed files', sealedFiles],
] as const) {
  describe(`outbox: ${name}`, () => outboxContract(open));
}

function sealedFiles() {
  const own = memoryFolder();
  const keyFile = join(own, 'epoch.key');
  createEpochKey(keyFile);
  return openOutbox(join(own, 'outbox'), keyFile);
}
