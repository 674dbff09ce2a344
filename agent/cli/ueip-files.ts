import type { Command } from 'commander';
import { readTextFile } from '../io/files/text-file.ts';
import { writeOut } from '../io/process/standard-output.ts';
import type { AskProgramme } from '../programme-access.ts';
import type { Streamed } from '../programme-commands.ts';
import { action, type Context, command } from './command.ts';
import { type ActorOption, actorOf, withActor } from './ueip-actor.ts';
import { historyText } from './ueip-history-text.ts';
import { verifiedText } from './ueip-result-text.ts';

export function previewCommand(ask: AskProgramme): Command {
  const target = command(
    'preview',
    'exactly the bytes that the next batch would send',
    'ueip preview',
  ).option('--gzip', 'as they travel', false);
  type Options = ActorOption & { readonly gzip: boolean };
  return action<Options>(withActor(target), async (context, _args, options) => {
    const order = { by: actorOf(options), gzip: options.gzip };
    const sent = await ask(context, (programme) => programme.preview(order, writeOut));
    told(context, sent, 'nothing would be sent');
  });
}

export function exportCommand(ask: AskProgramme): Command {
  const target = command(
    'export',
    'every record on this device, a line of JSON each',
    'ueip export',
  );
  return action<ActorOption>(withActor(target), async (context, _args, options) => {
    const by = actorOf(options);
    const sent = await ask(context, (programme) => programme.export({ by }, writeOut));
    told(context, sent, 'there are no records');
  });
}

export function historyCommand(ask: AskProgramme): Command {
  const target = command('history', 'what was decided, sent, asked for and erased', 'ueip history');
  return action(target, async (context) => {
    const { terminal } = context;
    const pieces: Uint8Array[] = [];
    const keep = async (bytes: Uint8Array) => void pieces.push(Uint8Array.from(bytes));
    const write = terminal.json ? writeOut : keep;
    const sent = await ask(context, (programme) => programme.history(write));
    if (pieces.length > 0) terminal.say(historyText(Buffer.concat(pieces).toString('utf8')));
    told(context, sent, 'nothing has happened yet');
  });
}

export function verifyCommand(ask: AskProgramme): Command {
  const target = command(
    'verify [receipt]',
    'that the history is whole, and a receipt of an erasure is of this device',
    'ueip verify receipts/1.json',
  ).argument('[receipt]', 'a file');
  return action(target, async (context, [file]) => {
    const receipt = file === undefined ? null : readTextFile(file, mostReceiptBytes);
    const found = await ask(context, (programme) => programme.verify({ receipt }));
    context.terminal.result(found, verifiedText(found));
  });
}

const mostReceiptBytes = 16_384;

/** On standard error: standard output is for the lines themselves. */
function told({ terminal }: Context, { lines }: Streamed, nothing: string): void {
  if (lines === 0) terminal.warn(nothing);
}
