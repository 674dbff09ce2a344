import { getCACertificates } from 'node:tls';
import type { Config } from '../../config.ts';
import { AgentError } from '../../errors.ts';
import { readPrivateFile } from '../files/private-file.ts';
import { readTextFile } from '../files/text-file.ts';
import { createHttpClient, type HttpClient } from './http-client.ts';
import type { SecureOptions } from './secure-connection.ts';

/** A client that is made when it is first needed, and anew when its files have changed. */
export type CloudClient = {
  /** @throws CREDENTIALS_INVALID INPUT_MISSING INPUT_INVALID: its files are not as they should be */
  get(): Promise<HttpClient>;
  close(): Promise<void>;
};

/** To the vendor's cloud: it is told who asks, and held to its authorities and pins. */
export function vendorClient(config: Config): CloudClient {
  return clientOf(() => ({
    ca: authorities(config),
    client: {
      cert: readTextFile(needed(config, 'cloud.certificate'), mostPemBytes),
      key: readPrivateFile(needed(config, 'cloud.key'), mostPemBytes),
    },
    pins: config['cloud.pins'],
    proxy: config['cloud.proxy'],
  }));
}

/** To the store that a grant leads to, which learns of nobody: the usual authorities count, and the vendor's. */
export function storeClient(config: Config): CloudClient {
  return clientOf(() => {
    const own = authorities(config);
    const ca = own && [...getCACertificates('default'), ...own];
    return { ca, client: undefined, pins: [], proxy: config['cloud.proxy'] };
  });
}

/** To one's own bucket. */
export function bucketClient(config: Config): CloudClient {
  return clientOf(() => ({
    ca: authorities(config),
    client: undefined,
    pins: [],
    proxy: config['cloud.proxy'],
  }));
}

/** A setting that `readSettings` has seen to. */
export function needed<
  K extends {
    [N in keyof Config]: null extends Config[N] ? N : never;
  }[keyof Config],
>(config: Config, name: K): NonNullable<Config[K]> {
  const value = config[name];
  if (value === null || value === undefined) {
    throw new AgentError('CONFIG_INVALID', `${name} is not set`);
  }
  return value;
}

const mostPemBytes = 1024 * 1024;

function authorities(config: Config): readonly string[] | undefined {
  const file = config['cloud.ca'];
  return file === null ? undefined : [readTextFile(file, mostPemBytes)];
}

function clientOf(read: () => SecureOptions): CloudClient {
  let made: { readonly key: string; readonly client: Promise<HttpClient> } | undefined;
  async function close() {
    const client = made?.client;
    made = undefined;
    await (await client)?.close();
  }
  return {
    close,
    async get() {
      const options = read();
      const key = JSON.stringify(options);
      if (made?.key !== key) {
        await close();
        made = { key, client: createHttpClient(options) };
      }
      return made.client;
    },
  };
}
