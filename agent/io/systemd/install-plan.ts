import { join } from 'node:path';
import { type UnitSpec, unitText, unitWord } from './systemd-unit.ts';

/** One thing that an installation does. Done twice it is done once. */
export type Act =
  | { readonly kind: 'file'; readonly path: string; readonly content: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'program'; readonly argv: readonly string[] };

export type InstallSpec = UnitSpec & {
  /** The GPIO chip of the relay: without a rule it belongs to root alone. */
  readonly gpioChip: string | null;
};

const unit = 'doorkeep.service';

/**
 * What makes a plain system with systemd into a door, in this order: the user, the data directory, the right to the
 * relay, the service. Under `prefix` the files only: of an image that is being built, whose first boot does the rest.
 */
export function installPlan(spec: InstallSpec, prefix: string | undefined): readonly Act[] {
  const at = (path: string) => join(prefix ?? '/', path);
  const files: Act[] = [
    { kind: 'file', path: at('etc/sysusers.d/doorkeep.conf'), content: userText(spec) },
    { kind: 'file', path: at('etc/tmpfiles.d/doorkeep.conf'), content: folderText(spec) },
    { kind: 'file', path: at('etc/udev/rules.d/70-doorkeep.rules'), content: ruleText(spec) },
    { kind: 'file', path: at(join('etc/systemd/system', unit)), content: unitText(spec) },
  ];
  if (prefix !== undefined) {
    const path = at(join('etc/systemd/system/multi-user.target.wants', unit));
    return [...files, { kind: 'link', path, target: join('..', unit) }];
  }
  return [...files, ...programs(spec).map((argv) => ({ kind: 'program' as const, argv }))];
}

function programs({ gpioChip }: InstallSpec): readonly (readonly string[])[] {
  return [
    ['systemd-sysusers', '/etc/sysusers.d/doorkeep.conf'],
    ['systemd-tmpfiles', '--create', '/etc/tmpfiles.d/doorkeep.conf'],
    ...(gpioChip === null
      ? []
      : [
          ['udevadm', 'control', '--reload'],
          ['udevadm', 'trigger', '--settle', gpioChip],
        ]),
    ['systemctl', 'daemon-reload'],
    ['systemctl', 'enable', unit],
    // Returns when the door is served, or says why it is not.
    ['systemctl', 'restart', unit],
  ];
}

/** And groups that a small system may not have: without them the service does not start. */
function userText({ user, dataDir, groups }: InstallSpec): string {
  const lines = groups.map((group) => `g ${group} - -\n`);
  return [made, ...lines, `u ${user} - "doorkeep agent" ${unitWord(dataDir)}\n`].join('');
}

/** Of its owner alone, and whatever root has enrolled there before as well. */
function folderText({ user, dataDir }: InstallSpec): string {
  const path = unitWord(dataDir);
  return `${made}d ${path} 0700 ${user} ${user} -\nZ ${path} - ${user} ${user} -\n`;
}

function ruleText({ user, gpioChip }: InstallSpec): string {
  if (gpioChip === null) return `${made}# No relay is set (relay.chip).\n`;
  const name = gpioChip.replace(/^\/dev\//, '');
  return `${made}SUBSYSTEM=="gpio", KERNEL=="${name}", GROUP="${user}", MODE="0660"\n`;
}

const made = '# Made by doorkeep install.\n';
