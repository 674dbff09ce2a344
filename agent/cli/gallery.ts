import { Command } from 'commander';
import { backUpGallery, restoreGallery } from '../backup.ts';
import { AgentError } from '../errors.ts';
import { presetGraceDays } from '../gallery/grace.ts';
import { systemClock } from '../io/process/clock.ts';
import { askPassphrase, confirm } from '../io/process/dialogue.ts';
import { wipe } from '../io/process/secure-memory.ts';
import { galleryStatus, renewGallery, revokeGallery } from '../renewal.ts';
import { action, command } from './command.ts';
import { renewalText, restoreText, revocationText, statusText } from './gallery-text.ts';

export function galleryCommand(): Command {
  return new Command('gallery')
    .description('the templates as a whole: renew, revoke, back up, and how they are')
    .addCommand(status())
    .addCommand(renew())
    .addCommand(revoke())
    .addCommand(backup())
    .addCommand(restore());
}

function status(): Command {
  const target = command(
    'status',
    'versions of templates, how far a renewal has come, who is left, and who looks like whom',
    'gallery status',
  );
  return action(target, async (context) => {
    const found = await galleryStatus(context);
    context.terminal.result(found, statusText(found));
  });
}

function renew(): Command {
  const target = command(
    'renew',
    'new templates under a new key, without photos: from the next sure matches at the door',
    'gallery renew --grace-days 30',
  )
    .option(
      '--grace-days <n>',
      'how long the old templates serve beside the new',
      wholeDays,
      presetGraceDays,
    )
    .option('--now', 'end the renewal (or all there is): the old templates are erased at once')
    .option('--yes', 'even if residents are left without templates');
  type Options = { readonly graceDays: number; readonly now?: boolean; readonly yes?: boolean };
  return action<Options>(target, async (context, _args, { graceDays, now, yes }) => {
    const order = { graceDays, now: now === true, mayLeave: yes === true };
    const result = renewGallery(context, order, systemClock.wallMs());
    context.terminal.result(result, renewalText(result));
  });
}

function revoke(): Command {
  const target = command(
    'revoke',
    'destroy the root key and erase every resident: no template of this device is of any use from then on',
    'gallery revoke',
  ).option('--yes', 'do not ask');
  return action<{ readonly yes?: boolean }>(target, async (context, _args, { yes }) => {
    const question =
      'This destroys the root key and erases every resident. Nothing but a backup brings them back.';
    if (!yes && !(await confirm(question, 'revoke'))) {
      throw new AgentError('CONFIRMATION_NEEDED', 'nothing was revoked');
    }
    const result = revokeGallery(context, systemClock.wallMs());
    context.terminal.result(result, revocationText(result));
  });
}

const carries = `
The file carries residents, templates and the keys of their versions, encrypted under the passphrase; never the
root key. So it serves on a device that replaces this one: the residents are recognised there, and get new
templates under that device's own key, one by one. Whoever has the file AND the passphrase can approximate
the residents' faces: keep them apart, and destroy old files.`;

function backup(): Command {
  const target = command(
    'backup <file>',
    'write the gallery to an encrypted file, for this device or one that replaces it',
    'gallery backup gallery.backup',
  )
    .argument('<file>')
    .option('--passphrase-file <file>', 'its first line is the passphrase; without: asked for')
    .addHelpText('after', carries);
  return action<PassphraseOption>(target, async (context, [file = ''], options) => {
    const passphrase = await askPassphrase({ file: options.passphraseFile, isNew: true });
    try {
      const result = await backUpGallery(context, file, passphrase, systemClock.wallMs());
      const { residents, templates, refused } = result;
      const left = refused === 0 ? '' : `; ${refused} do not open here and are not in it`;
      context.terminal.result(
        { file, ...result },
        `${file}: ${residents} residents, ${templates} templates${left}\n${carries.trim()}`,
      );
    } finally {
      wipe(passphrase);
    }
  });
}

function restore(): Command {
  const target = command(
    'restore <file>',
    'take residents from a backup; who is here stays as is, who was erased stays erased',
    'gallery restore gallery.backup',
  )
    .argument('<file>')
    .option('--passphrase-file <file>', 'its first line is the passphrase; without: asked for')
    .addHelpText('after', carries);
  return action<PassphraseOption>(target, async (context, [file = ''], options) => {
    const passphrase = await askPassphrase({ file: options.passphraseFile, isNew: false });
    try {
      const result = await restoreGallery(context, file, passphrase, systemClock.wallMs());
      context.terminal.result({ file, ...result }, restoreText(file, result));
    } finally {
      wipe(passphrase);
    }
  });
}

type PassphraseOption = { readonly passphraseFile?: string };

function wholeDays(text: string): number {
  const days = Number(text);
  if (/^\d+$/.test(text) && days >= 1 && days <= 365) return days;
  throw new AgentError('USAGE', `--grace-days is a whole number from 1 to 365, not ${text}`);
}
