import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Credential } from '../../../fixtures/cloud/credentials.ts';
import type { Cloud } from '../../../fixtures/cloud/start-cloud.ts';
import { type Config, readSettings } from '../../config.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The settings of a device of this cloud, with their files in a folder that is gone when the test is over. */
export function cloudConfig(
  cloud: Cloud,
  mode: 'grant' | 'direct',
  more: Readonly<Record<string, unknown>> = {},
): Config {
  const folder = temporaryFolder();
  const file = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const ofGrant = {
    'cloud.url': cloud.cloudUrl,
    'cloud.certificate': file('device.pem', cloud.device.cert),
    'cloud.key': file('device.key', cloud.device.key),
    'cloud.pins': cloud.pins,
    'cloud.hosts': [new URL(cloud.bucketUrl).host],
  };
  const ofDirect = {
    'cloud.endpoint': cloud.bucketUrl,
    'cloud.bucket': cloud.bucket.name,
    'cloud.dialect': cloud.bucket.dialect,
    'cloud.credentials': file('credentials.json', credentialsText(cloud.bucket.credentials.main)),
  };
  const settings = {
    'cloud.mode': mode,
    'cloud.region': cloud.bucket.region,
    'cloud.ca': file('ca.pem', cloud.ca),
    ...(mode === 'grant' ? ofGrant : ofDirect),
    ...more,
  };
  return readSettings(settings, 'the settings of the test');
}

/** As a file of credentials has it. */
export function credentialsText(credential: Credential): string {
  const { accessKeyId, accessKeySecret, securityToken, expiresAtMs } = credential;
  return JSON.stringify({
    accessKeyId,
    secretAccessKey: accessKeySecret,
    ...(securityToken !== undefined && { sessionToken: securityToken }),
    ...(expiresAtMs !== undefined && { expiresAt: new Date(expiresAtMs).toISOString() }),
  });
}
