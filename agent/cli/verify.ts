import type { Command } from 'commander';
import { openVision } from '../agent.ts';
import { readPicture } from '../io/camera/image.ts';
import { compareFaces } from '../operations.ts';
import { action, command } from './command.ts';

export function verifyCommand(): Command {
  const target = command(
    'verify <a> <b>',
    'do two pictures show the same person? (1:1, nobody needs to be enrolled)',
    'verify front.jpg glasses.jpg',
  )
    .argument('<a>', 'picture with one face')
    .argument('<b>', 'picture with one face');
  return action(target, async (context, [a = '', b = '']) => {
    const frames = [await readPicture(a), await readPicture(b)] as const;
    const vision = await openVision(context);
    try {
      const result = await compareFaces(context, vision, frames);
      const { same, score, threshold } = result;
      const verdict = same ? 'the same person' : 'not the same person';
      const text = `${verdict} (score ${score.toFixed(2)}, threshold ${threshold})`;
      context.terminal.result({ a, b, ...result }, text);
    } finally {
      for (const frame of frames) frame.data.fill(0);
      await vision.close();
    }
  });
}
