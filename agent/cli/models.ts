import { Command } from 'commander';
import { modelFilesOf, modelNamesOf } from '../agent.ts';
import { AgentError } from '../errors.ts';
import { textTable } from '../io/measuring/text-table.ts';
import type { ModelStatus } from '../io/models/model-files.ts';
import type { ModelFile } from '../io/models/model-search.ts';
import { action, type Context, command } from './command.ts';

export function modelsCommand(): Command {
  return new Command('models')
    .description('the models: which there are, which are used, and how they come here')
    .addCommand(list())
    .addCommand(verify())
    .addCommand(importFile())
    .addCommand(pull());
}

function list(): Command {
  const target = command('list', 'every model of the manifest', 'models list');
  return action(target, async (context) => show(context, await modelFilesOf(context).list()));
}

function verify(): Command {
  const target = command(
    'verify [name]',
    'load a model, or all that are here, and compare it with its manifest entry',
    'models verify',
  ).argument('[name]');
  return action(target, async (context, [name]) => {
    const found = await modelFilesOf(context).verify(name);
    show(context, found);
    const bad = found.find(({ state }) => state !== 'present');
    if (bad) {
      const code = bad.state === 'missing' ? 'MODEL_MISSING' : 'MODEL_CORRUPT';
      throw new AgentError(code, bad.reason);
    }
  });
}

function importFile(): Command {
  const target = command(
    'import <file>',
    'take a model file that was brought along; it is recognised by its SHA-256',
    'models import face_detection.onnx',
  ).argument('<file>');
  return action(target, async (context, [file = '']) => {
    imported(context, await modelFilesOf(context).importFile(file));
  });
}

function pull(): Command {
  const target = command(
    'pull [name]',
    'download a model, or all that the settings name, from the address in its manifest entry',
    'models pull yunet-n-dynamic',
  ).argument('[name]');
  return action(target, async (context, [name]) => {
    const files = modelFilesOf(context);
    for (const each of name === undefined ? modelNamesOf(context.config) : [name]) {
      const progress = context.terminal.progress(each);
      try {
        const file = await files.pull(each, (done, total) => progress.update(done, total));
        progress.end();
        imported(context, file);
      } finally {
        progress.end();
      }
    }
  });
}

function imported({ terminal }: Context, { entry, path, preparation }: ModelFile): void {
  const { name, licence } = entry;
  const prepared = preparation?.prepared ?? 'unchanged';
  const reason = preparation?.reason ?? '';
  terminal.result(
    { name, path, licence, prepared, reason },
    `${name}: ${path} (${licence}; ${prepared}: ${reason})`,
  );
}

function show({ terminal, config }: Context, found: readonly ModelStatus[]): void {
  const used = modelNamesOf(config);
  const rows = found.map(({ entry, state, file, reason }) => {
    const { name, task, licence, sizeBytes, sha256 } = entry;
    return {
      name,
      task,
      state,
      used: used.includes(name),
      origin: file?.origin ?? null,
      sizeBytes,
      licence,
      sha256,
      reason,
    };
  });
  if (terminal.json) for (const row of rows) terminal.result(row, '');
  else {
    const lines = rows.map(({ name, task, state, used, origin, sizeBytes, reason }) => [
      used ? '*' : '',
      name,
      task,
      state,
      origin ?? '–',
      state === 'missing' ? '' : reason,
      (sizeBytes / 1e6).toFixed(1),
    ]);
    terminal.say(
      textTable(
        [['', 'name', 'task', 'state', 'from', 'how it is loaded here', 'MB'], ...lines],
        6,
      ),
    );
    terminal.say('* named by the settings');
  }
}
