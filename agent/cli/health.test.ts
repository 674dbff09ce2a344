import { expect, test } from 'vitest';
import { doorkeep } from '../test/e2e/doorkeep.ts';
import { socketAgent } from '../test/fakes/socket-agent.ts';
import { temporaryFolder } from '../test/fakes/temporary-folder.ts';

const health = (dataDir: string) => doorkeep(['health', '--json', '--data-dir', dataDir]);

test('where no agent is at work, whoever watches over it learns so by the exit status', async () => {
  const ran = await health(temporaryFolder());
  expect(ran.status).toBe(71);
  expect(ran.stderr).toContain('UNHEALTHY');
});

test('an agent that answers is well', async () => {
  const { dataDir } = await socketAgent({ handlers: { 'agent.ping': async () => undefined } });
  const ran = await health(dataDir);
  expect(ran.json()).toEqual([{ kind: 'answers' }]);
  expect(ran.status).toBe(0);
});
