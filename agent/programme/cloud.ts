import type { Place } from '../agent.ts';
import type { Config } from '../config.ts';
import { isLinkedByHost } from '../io/cloud/host-link.ts';
import { systemClock } from '../io/process/clock.ts';
import type { Clock } from '../ports.ts';
import type { GrantRules } from '../upload/grant.ts';
import type { Cloud } from './outside.ts';

/**
 * What the settings name: where records go, and what is insisted on there. Undefined: nowhere. Opens no socket and
 * no file, and loads nothing that only a night needs: that is for the first call.
 */
export async function openCloud(
  { config }: Pick<Place, 'config'>,
  clock: Pick<Clock, 'wallMs'> = systemClock,
): Promise<Cloud | undefined> {
  switch (config['cloud.mode']) {
    case null:
      return undefined;
    case 'grant':
      return { port: await grantPort(config), rules: rulesOf(config['cloud.hosts'], config) };
    case 'direct':
      return {
        port: await directPort(config, clock),
        rules: rulesOf([endpointOf(config).host], config),
      };
  }
}

async function grantPort(config: Config): Promise<Cloud['port']> {
  const { grantCloud } = await import('../io/cloud/cloud-grant.ts');
  const { needed, storeClient, vendorClient } = await import('../io/cloud/cloud-clients.ts');
  return grantCloud({
    url: needed(config, 'cloud.url'),
    vendor: vendorClient(config),
    store: storeClient(config),
    isLinkedByHost: () => isLinkedByHost(config['cloud.linkFile']),
  });
}

async function directPort(config: Config, clock: Pick<Clock, 'wallMs'>): Promise<Cloud['port']> {
  const { directCloud } = await import('../io/cloud/cloud-direct.ts');
  const { bucketClient, needed } = await import('../io/cloud/cloud-clients.ts');
  const { readCredentials } = await import('../io/cloud/cloud-credentials.ts');
  const file = needed(config, 'cloud.credentials');
  return directCloud({
    dialect: config['cloud.dialect'],
    endpoint: needed(config, 'cloud.endpoint'),
    bucket: needed(config, 'cloud.bucket'),
    region: needed(config, 'cloud.region'),
    keyId: config['cloud.kmsKeyId'],
    checksum: config['cloud.checksum'],
    client: bucketClient(config),
    credentials: (nowMs) => readCredentials(file, nowMs),
    clock,
    isLinkedByHost: () => isLinkedByHost(config['cloud.linkFile']),
  });
}

/** `hosts`: 'store.example', or 'store.example:8443'. */
function rulesOf(hosts: readonly string[], config: Config): GrantRules {
  const parts = hosts.map((host) => host.split(':'));
  return {
    hostSuffixes: parts.map(([name = '']) => name),
    ports: parts.flatMap(([, port]) => (port === undefined ? [] : [Number(port)])),
    encryptionRequired: true,
    encryptionKeyId: config['cloud.kmsKeyId'],
  };
}

function endpointOf(config: Config): URL {
  return new URL(config['cloud.endpoint'] ?? '');
}
