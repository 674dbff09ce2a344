import type { Command } from 'commander';
import { openVision } from '../agent.ts';
import { AgentError } from '../errors.ts';
import { parseLabel, parseResidentId } from '../gallery/resident-text.ts';
import { readPicture } from '../io/camera/image.ts';
import { systemClock } from '../io/process/clock.ts';
import { enrolResident } from '../operations.ts';
import { openResidents } from '../residents.ts';
import { action, collect, command } from './command.ts';

type Options = {
  readonly id: string;
  readonly label?: string;
  readonly photo: readonly string[];
  readonly photoLabel: readonly string[];
  readonly add?: boolean;
};

export function enrolCommand(): Command {
  const target = command(
    'enrol',
    'enrol a resident from photos; only templates are stored',
    'enrol --id R-12 --label "2nd floor" --photo front.jpg --photo glasses.jpg',
  )
    .requiredOption('--id <id>', 'of the resident: letters, digits, dots, dashes, underscores')
    .requiredOption(
      '--photo <file...>',
      'JPEG, PNG or WebP with one face; may be repeated',
      collect,
    )
    .option('--label <text>', 'a note about the resident')
    .option(
      '--photo-label <text>',
      'what sets a photo apart (glasses), in the order of the photos',
      collect,
      [],
    )
    .option('--add', 'more photos for a resident who is enrolled already');
  return action<Options>(target, async (context, _args, options) => {
    const id = parseResidentId(options.id);
    const label = options.label === undefined ? null : parseLabel(options.label);
    const photoLabels = options.photoLabel.map(parseLabel);
    const frames = [];
    for (const file of options.photo) frames.push(await readPicture(file));
    const vision = await openVision(context);
    const residents = await openResidents(context, vision);
    const photos = frames.map((frame, i) => ({ frame, label: photoLabels[i] ?? null }));
    const application = { id, label, photos, adds: options.add === true };
    try {
      const wallMs = systemClock.wallMs();
      const result = await enrolResident(context, vision, residents, application, wallMs);
      if (result.kind === 'refused') {
        const told = result.refusals.map(
          ({ photo, reasons }) => `${options.photo[photo]}: ${reasons.join(', ')}`,
        );
        throw new AgentError('ENROLMENT_REFUSED', `${id} is not enrolled: ${told.join('; ')}`);
      }
      const { templates, closest } = result;
      const near = closest
        ? `; of the others ${closest.residentId} is the most similar (${closest.score.toFixed(2)})`
        : '';
      context.terminal.result(
        { id, label, templates, closest },
        `${id} enrolled with ${templates} ${templates === 1 ? 'template' : 'templates'}${near}`,
      );
    } finally {
      for (const frame of frames) frame.data.fill(0);
      await residents.close();
      await vision.close();
    }
  });
}
