import type { Command } from 'commander';
import { buildRecognizer, openVision } from '../agent.ts';
import { AgentError } from '../errors.ts';
import { readPicture } from '../io/camera/image.ts';
import { systemClock } from '../io/process/clock.ts';
import { eventLine, pictureResult } from '../io/recognition/event-text.ts';
import { openResidents } from '../residents.ts';
import { action, command } from './command.ts';

export function identifyCommand(): Command {
  const target = command(
    'identify <file...>',
    'who is in these pictures? One line per picture',
    'identify --json visitor.jpg',
  ).argument('<file...>', 'JPEG, PNG or WebP');
  return action(target, async (context, files) => {
    const vision = await openVision(context);
    const residents = await openResidents(context, vision);
    const recognizer = buildRecognizer(context, vision, residents, systemClock, 'pictures');
    let failed: AgentError | undefined;
    try {
      for (const file of files) {
        try {
          const frame = await readPicture(file, { capturedAtMs: systemClock.monotonicMs() });
          const events = await recognizer.recognise(frame);
          frame.data.fill(0);
          const text = events.map((event) => `${file}: ${eventLine(event)}`).join('\n');
          context.terminal.result({ file, ...pictureResult(events) }, text);
        } catch (fault) {
          if (!(fault instanceof AgentError)) throw fault;
          failed ??= fault;
          const { code, message } = fault;
          context.terminal.result(
            { file, error: { code, message } },
            `${file}: ${code}: ${message}`,
          );
        }
      }
    } finally {
      recognizer.wipe();
      await residents.close();
      await vision.close();
    }
    if (failed) throw failed;
  });
}
