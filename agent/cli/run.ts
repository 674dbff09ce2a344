import { type Command, Option } from 'commander';
import { runAgent } from '../at-work.ts';
import { openSource, type SourceOptions } from '../io/camera/source-options.ts';
import { systemClock } from '../io/process/clock.ts';
import { createLog, logLevels } from '../io/process/log.ts';
import { onStopSignal } from '../io/process/process-signals.ts';
import { eventLine } from '../io/recognition/event-text.ts';
import { openSystemd } from '../io/systemd/systemd.ts';
import { action, command } from './command.ts';

type Options = SourceOptions & { readonly log: (typeof logLevels)[number] };

export function runCommand(): Command {
  const target = command(
    'run',
    'the door at work: frames in, one line per visitor out',
    'run --v4l2 /dev/video0 --size 1280x720',
  )
    .option('--v4l2 <device>', 'a camera of the kernel: /dev/video0')
    .option('--exec <command>', 'a program whose standard output is raw frames')
    .option('--stdin', 'raw frames on standard input')
    .option('--files <path...>', 'pictures, or a folder of them, as a camera would bring them')
    .option(
      '--format <format>',
      'of raw frames: rgb24, bgr24, nv12, i420, yuyv, grey; of a camera: nv12, yuyv, mjpeg',
    )
    .option('--size <size>', 'of raw frames, or of a camera: 1280x720')
    .option('--fps <n>', 'pictures a second, with --files', Number)
    .option('--loop', 'begin again after the last picture, with --files')
    .addOption(
      new Option('--log <level>', 'what to log on standard error')
        .choices(logLevels)
        .default('info'),
    );
  return action<Options>(target, async (context, _args, options) => {
    const { terminal, dataDir, config } = context;
    const log = createLog({ level: options.log, clock: systemClock });
    const systemd = openSystemd({ onFault: () => log.error('systemd-not-told') });
    const { source, maxFrameBytes } = await openSource(options, log);
    const forget = onStopSignal(() => {
      systemd.stopping();
      void source.close();
    });
    try {
      const counters = await runAgent({ dataDir, config }, source, maxFrameBytes, {
        log,
        onReady: systemd.ready,
        onEvent: (event) => {
          if (event.kind === 'source-lost') {
            const { code, message } = event.error;
            terminal.result({ ...event, error: { code, message } }, `source lost: ${message}`);
          } else
            terminal.result(
              event,
              `${new Date(systemClock.wallMs()).toISOString()} ${eventLine(event)}`,
            );
        },
      });
      terminal.say(
        `${counters.frames} frames, ${counters.recognised} examined, ${counters.gated} without motion, ${counters.dropped} dropped`,
      );
    } finally {
      forget();
      systemd.close();
    }
  });
}
