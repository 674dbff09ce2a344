import { Command } from 'commander';
import { AgentError } from '../errors.ts';
import { parseResidentId } from '../gallery/resident-text.ts';
import { textTable } from '../io/measuring/text-table.ts';
import { systemClock } from '../io/process/clock.ts';
import { eraseResident } from '../operations.ts';
import { openStore } from '../residents.ts';
import { action, command } from './command.ts';

export function subjectCommand(): Command {
  return new Command('subject')
    .description('who is enrolled, and what is stored about them')
    .addCommand(list())
    .addCommand(show())
    .addCommand(erase());
}

function list(): Command {
  const target = command('list', 'everybody who is enrolled', 'subject list --json');
  return action(target, async (context) => {
    const store = openStore(context);
    try {
      const rows = store.residents().map((resident) => ({
        ...resident,
        templates: store.templatesOf(resident.id).length,
      }));
      if (context.terminal.json) for (const row of rows) context.terminal.result(row, '');
      else if (rows.length === 0) context.terminal.say('nobody is enrolled');
      else {
        const lines = rows.map(({ id, label, templates, enrolledAt }) => [
          id,
          label ?? '',
          `${templates}`,
          day(enrolledAt),
        ]);
        context.terminal.say(textTable([['id', 'label', 'templates', 'enrolled'], ...lines], 2));
      }
    } finally {
      store.close();
    }
  });
}

function show(): Command {
  const target = command(
    'show <id>',
    'all that is stored about one resident, the template itself excepted',
    'subject show R-12',
  ).argument('<id>');
  return action(target, async (context, [text = '']) => {
    const id = parseResidentId(text);
    const store = openStore(context);
    try {
      const resident = store.resident(id);
      if (!resident) throw new AgentError('SUBJECT_UNKNOWN', `nobody is enrolled as ${id}`);
      const templates = store.templatesOf(id).map(({ label, modelSha256, version, createdAt }) => ({
        label,
        modelSha256,
        version,
        createdAt,
      }));
      const lines = templates.map(({ label, modelSha256, version, createdAt }) => [
        label ?? '–',
        modelSha256.slice(0, 12),
        `${version}`,
        day(createdAt),
      ]);
      context.terminal.result(
        { ...resident, templates },
        `${id}${resident.label === null ? '' : ` (${resident.label})`}, enrolled ${day(resident.enrolledAt)}\n${textTable([['photo', 'model', 'version', 'made'], ...lines], 2)}`,
      );
    } finally {
      store.close();
    }
  });
}

function erase(): Command {
  const target = command(
    'erase <id>',
    'erase a resident: gone from the disk, not only from the list',
    'subject erase R-12',
  ).argument('<id>');
  return action(target, async (context, [text = '']) => {
    const id = parseResidentId(text);
    const { overwritten, noTombstone } = await eraseResident(context, id, systemClock.wallMs());
    const rest = overwritten
      ? ''
      : '; its bytes on the disk are overwritten when other readers close';
    context.terminal.result({ id, erased: true, overwritten }, `${id} erased${rest}`);
    if (noTombstone !== null) {
      context.terminal.warn(`a backup from before could bring ${id} back: ${noTombstone}`);
    }
  });
}

function day(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}
