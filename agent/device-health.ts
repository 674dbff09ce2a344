/** What `doorkeep doctor` looks at outside the board: the cameras that the kernel offers, and the relay's line. */
import type { Config } from './config.ts';
import type { Check } from './health.ts';
import { type FoundCamera, findCameras } from './io/camera/camera-look.ts';
import { cameraFormats } from './io/camera/native-camera.ts';
import { loadLookAtCamera } from './io/process/native.ts';
import { lookAtRelay, ourHolder, type RelaySight } from './io/relay/relay-look.ts';

/** One for each camera of the kernel, or the one that says why there is none. */
export function cameraChecks(): readonly Check[] {
  const loaded = loadLookAtCamera();
  if (loaded.kind === 'loaded') return checksOf(findCameras(loaded.lookAtCamera));
  const detail = 'nobody can look: the native addon is missing';
  return [{ name: 'camera', state: 'warn', detail, hint: loaded.reason }];
}

export function checksOf(cameras: readonly FoundCamera[]): readonly Check[] {
  if (cameras.length > 0) return cameras.map(cameraCheck);
  const hint =
    'frames can also come from a program (--exec), a stream (--stdin) or pictures (--files)';
  return [{ name: 'camera', state: 'warn', detail: 'the kernel offers none', hint }];
}

function cameraCheck(camera: FoundCamera): Check {
  const name = `camera ${camera.path}`;
  switch (camera.kind) {
    case 'seen': {
      const { formats } = camera;
      if (formats.length > 0) {
        return { name, state: 'ok', detail: `${camera.name}: ${formats.join(', ')}` };
      }
      const detail = `${camera.name}: gives none of ${cameraFormats.join(', ')}`;
      const hint = 'let a program read it and hand over its frames (--exec)';
      return { name, state: 'warn', detail, hint };
    }
    case 'unfit':
      return {
        name,
        state: 'warn',
        detail: camera.reason,
        hint: 'the log of the kernel may say why',
      };
    case 'closed':
      return closedCheck(name, camera.name, camera.code);
  }
}

function closedCheck(name: string, called: string | undefined, code: string): Check {
  const before = called === undefined ? '' : `${called}: `;
  switch (code) {
    case 'EACCES':
    case 'EPERM': {
      const hint = 'put the user into the group of that device: video, on most systems';
      return { name, state: 'warn', detail: `${before}this user may not open it`, hint };
    }
    case 'EBUSY': {
      const hint = 'one program at a time has it: an agent that runs, or what else reads frames';
      return { name, state: 'warn', detail: `${before}in use`, hint };
    }
    default: {
      const hint = 'plug it in again; the log of the kernel may say why';
      return { name, state: 'warn', detail: `${before}cannot be opened (${code})`, hint };
    }
  }
}

/** The line is neither requested nor driven. */
export function relayCheck(config: Config, look: typeof lookAtRelay = lookAtRelay): Check {
  const { 'relay.chip': chip, 'relay.line': line } = config;
  if (chip !== null && line !== null) return sightCheck(chip, line, look({ chip, line }));
  const hint =
    'set relay.chip and relay.line, or let the host open the door on the events of the agent';
  const detail = 'nothing opens: relay.chip is not set';
  return { name: 'relay', state: 'warn', detail, hint };
}

function sightCheck(chip: string, line: number, sight: RelaySight): Check {
  const name = 'relay';
  const fail = (detail: string, hint: string): Check => ({ name, state: 'fail', detail, hint });
  const where = `line ${line} of ${chip}`;
  switch (sight.kind) {
    case 'free':
      return { name, state: 'ok', detail: `${where} is free (GPIO ${sight.api})` };
    case 'used': {
      if (sight.holder === ourHolder) {
        return { name, state: 'ok', detail: `${where} is held by an agent (GPIO ${sight.api})` };
      }
      const holder = sight.holder === '' ? 'the kernel itself' : sight.holder;
      return fail(
        `${where} is held by ${holder} (GPIO ${sight.api})`,
        'relay.line may be the wrong number; otherwise end what holds it',
      );
    }
    case 'no-line': {
      const last = sight.lines - 1;
      return fail(
        `${chip} has no line ${line} (GPIO ${sight.api})`,
        `set relay.line to a number from 0 to ${last}, or relay.chip to another chip`,
      );
    }
    case 'no-holder':
      return fail(`nobody can hold ${where}: ${sight.reason}`, 'run `npm run postinstall`');
    case 'no-chip':
      return fail(sight.reason, chipHint(sight.code));
  }
}

function chipHint(code: string | undefined): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'put the user into the group of that device (gpio, on many systems); `doorkeep install` writes a rule for it';
    case 'ENOENT':
      return 'correct relay.chip: `ls /dev/gpiochip*` shows the chips of this device';
    default:
      return 'relay.chip must name a GPIO chip, as /dev/gpiochip0';
  }
}
