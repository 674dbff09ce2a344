import { errorTable } from '../../errors.ts';

/** What a unit of the agent says of this device. */
export type UnitSpec = {
  /** The program and what it is told. */
  readonly command: readonly string[];
  readonly user: string;
  readonly dataDir: string;
  /** Device nodes that it may open: camera, GPIO chip. */
  readonly devices: readonly string[];
  /** Besides the user's own. */
  readonly groups: readonly string[];
  /** Of the whole service, with its holder of the relay and its camera program. */
  readonly memoryMaxBytes: number;
  /** False: this build cannot tell systemd that it is at work, so nobody may wait for that. */
  readonly notifies: boolean;
};

/** The span after which a main thread that does not turn is taken for dead (io/systemd/systemd.ts). */
const watchdogSeconds = 60;
/** The first start prepares the models for this processor. */
const startSeconds = 300;

/** No try can end otherwise until somebody changes something. */
const lasting = ['USAGE', 'RUNTIME_TOO_OLD', 'CONFIG_INVALID'] as const;

/**
 * The text of the service: started at boot, started again whatever it ended with, and kept from all that it does not
 * need. systemd.exec(5) and systemd.resource-control(5) say what each line does.
 */
export function unitText(spec: UnitSpec): string {
  const { command, user, dataDir, devices, groups, memoryMaxBytes, notifies } = spec;
  return [
    '# Made by doorkeep install: changes belong into a drop-in (systemctl edit).',
    '[Unit]',
    'Description=doorkeep: face recognition at the door',
    `RequiresMountsFor=${unitWord(dataDir)}`,
    '# The door is tried again for ever.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    ...(notifies
      ? ['Type=notify', 'NotifyAccess=main', `WatchdogSec=${watchdogSeconds}`]
      : ['# Without its native addon it cannot say that it is at work.', 'Type=exec']),
    `ExecStart=${command.map(commandWord).join(' ')}`,
    `Environment=${unitWord(`DOORKEEP_DATA_DIR=${dataDir}`)}`,
    `User=${user}`,
    `Group=${user}`,
    ...(groups.length > 0 ? [`SupplementaryGroups=${groups.join(' ')}`] : []),
    'UMask=0077',
    'Restart=always',
    'RestartSec=5',
    `RestartPreventExitStatus=${lasting.map((code) => errorTable[code].exitCode).join(' ')}`,
    `TimeoutStartSec=${startSeconds}`,
    'TimeoutStopSec=20',
    '# It ends its camera program and the holder of the relay itself, which let go by themselves when it is gone.',
    'KillMode=mixed',
    '',
    '# Keys are locked in memory, and faces never reach swap or a core image.',
    'LimitMEMLOCK=1M',
    'LimitCORE=0',
    `MemoryMax=${memoryMaxBytes}`,
    'MemorySwapMax=0',
    'TasksMax=64',
    '# The door goes after everything else.',
    'OOMScoreAdjust=-500',
    '',
    '# Writes to its data directory, opens its devices, speaks to the network; the rest of the system is not its own.',
    'ProtectSystem=strict',
    `ReadWritePaths=${unitWord(dataDir)}`,
    'DevicePolicy=closed',
    ...devices.map((device) => `DeviceAllow=${unitWord(device)} rw`),
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6',
    ...hardening,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

const hardening = [
  'ProtectHome=yes',
  'PrivateTmp=yes',
  'PrivateMounts=yes',
  'ProtectProc=invisible',
  'ProtectHostname=yes',
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelLogs=yes',
  'ProtectControlGroups=yes',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'LockPersonality=yes',
  'KeyringMode=private',
  'RemoveIPC=yes',
  'NoNewPrivileges=yes',
  'CapabilityBoundingSet=',
  'AmbientCapabilities=',
  'SystemCallArchitectures=native',
  'SystemCallErrorNumber=EPERM',
  'SystemCallFilter=@system-service',
  'SystemCallFilter=~@privileged',
  '# It asks the kernel whether its clock is kept, which is the call that sets it too: hence no ProtectClock. It lacks',
  '# the right to set it. The compiler of Node writes what it runs: hence no MemoryDenyWriteExecute.',
  'SystemCallFilter=adjtimex clock_adjtime',
] as const;

/** One word of a list: quoted where it must be, and nothing in it expanded. */
export function unitWord(text: string): string {
  const plain = text.replaceAll('%', '%%');
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain;
  const escaped = plain.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `"${escaped}"`;
}

/** Of a command line, in which variables are expanded besides. */
function commandWord(text: string): string {
  return unitWord(text).replaceAll('$', '$$$$');
}
