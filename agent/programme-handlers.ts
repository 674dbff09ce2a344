/** The commands of the improvement programme, as the control socket is asked for them. */
import { AgentError } from './errors.ts';
import type { ControlHandlers } from './io/control/control-conversation.ts';
import type { ProgrammeCommands } from './programme-commands.ts';
import { flag, nullOr, object, oneOf, readShape, type Shape, text } from './shape.ts';

/**
 * What each is called there. What was sent is checked here, and only for its form: whether it may be done, the
 * programme decides. CONTROL_INVALID: wrong arguments.
 */
export function programmeHandlers(programme: ProgrammeCommands): ControlHandlers {
  return {
    'agent.ping': async (given) => void ordered(nothing, given),
    'ueip.on': async (given) => programme.on(ordered(onOrder, given)),
    'ueip.off': async (given) => programme.off(ordered(offOrder, given)),
    'ueip.status': async (given) => {
      ordered(nothing, given);
      return programme.status();
    },
    'ueip.preview': async (given, _peer, write) =>
      programme.preview(ordered(previewOrder, given), write),
    'ueip.history': async (given, _peer, write) => {
      ordered(nothing, given);
      return programme.history(write);
    },
    'ueip.export': async (given, _peer, write) =>
      programme.export(ordered(exportOrder, given), write),
    'ueip.trust-store': async (given) => {
      ordered(nothing, given);
      return programme.trustStore();
    },
    'ueip.verify': async (given) => programme.verify(ordered(verifyOrder, given)),
  };
}

/** What the control socket passes on to the thread that has the programme. */
export const controlNames = [
  'ueip.on',
  'ueip.off',
  'ueip.status',
  'ueip.preview',
  'ueip.history',
  'ueip.export',
  'ueip.trust-store',
  'ueip.verify',
] as const;

function ordered<T>(shape: Shape<T>, given: unknown): T {
  const read = readShape(shape, given);
  if ('value' in read) return read.value;
  throw new AgentError('CONTROL_INVALID', read.faults.slice(0, 3).join('; '));
}

const nothing = object({});
const by = object({
  name: text({ pattern: /^[a-z0-9._-]{1,64}$/, what: '1 to 64 of a-z 0-9 . _ -' }),
  channel: oneOf(['cli', 'page', 'host']),
});
const onOrder = object({
  acceptPolicy: text({ max: 64, what: 'a policy version' }),
  by,
  allowVolatile: flag(),
});
const offOrder = object({ by, eraseCloud: flag(), verify: flag() });
const previewOrder = object({ by, gzip: flag() });
const exportOrder = object({ by });
const verifyOrder = object({ receipt: nullOr(text({ max: 16_384, what: 'a receipt' })) });
