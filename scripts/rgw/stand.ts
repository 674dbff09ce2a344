import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificates } from '../../fixtures/cloud/certificates.ts';
import { type BucketOwner, bucketOwner } from './bucket-owner.ts';
import { type Ceph, startCeph } from './ceph.ts';
import { type House, openHouse } from './house.ts';
import { masterKeyId, startVendorCloud, type VendorCloud } from './vendor-cloud.ts';

/** All that takes part: the store, who runs its bucket, the vendor's cloud, and houses. */
export type Stand = {
  readonly ceph: Ceph;
  readonly owner: BucketOwner;
  readonly vendor: VendorCloud;
  readonly bucket: string;
  readonly keyId: string;
  /** PEM: who vouches for both servers, and for nobody else. */
  readonly ca: string;
  /** A house with four records to send; `more`: what is set otherwise there. */
  house(mode: 'direct' | 'grant', more?: Readonly<Record<string, unknown>>): Promise<House>;
  /** A PEM file of an authority that vouches for none of them. */
  readonly strangerCaFile: string;
  close(): Promise<void>;
};

/** The store has only this one. */
const region = 'default';

/** @param folder empty; everything lies in it */
export async function openStand(folder: string, lifecycleDayS: number): Promise<Stand> {
  const made = await certificates();
  const bucket = 'ueip';
  const keyId = masterKeyId();
  const keys = {
    accessKeyId: randomBytes(10).toString('hex'),
    secretAccessKey: randomBytes(20).toString('hex'),
  };
  const store = join(folder, 'store');
  mkdirSync(store);
  const ceph = await startCeph({ folder: store, pair: made.bucket.right, keyId, lifecycleDayS });
  const { endpoint } = ceph;
  const closing: (() => unknown)[] = [ceph.stop];
  const close = async () => {
    for (const end of closing.toReversed()) await end();
  };
  const file = (name: string, content: string) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  try {
    await ceph.addUser('owner', keys.accessKeyId, keys.secretAccessKey);
    const owner = bucketOwner({ endpoint, region, ca: made.ca, ...keys });
    closing.push(owner.close);
    const vendor = await startVendorCloud(made, { endpoint, bucket, region, ...keys });
    closing.push(vendor.close);
    const common = { 'cloud.region': region, 'cloud.ca': file('ca.pem', made.ca) };
    const device = made.device('device-1');
    const modes = {
      direct: {
        'cloud.mode': 'direct',
        'cloud.endpoint': endpoint,
        'cloud.bucket': bucket,
        'cloud.dialect': 's3',
        // This store answers no other sum.
        'cloud.checksum': 'etag',
        'cloud.kmsKeyId': keyId,
        'cloud.credentials': file('credentials.json', JSON.stringify(keys)),
      },
      grant: {
        'cloud.mode': 'grant',
        'cloud.url': vendor.url,
        'cloud.certificate': file('device.pem', device.cert),
        'cloud.key': file('device.key', device.key),
        'cloud.pins': made.pins,
        'cloud.hosts': [new URL(endpoint).host],
        'cloud.kmsKeyId': keyId,
      },
    };
    let houses = 0;
    return {
      ...{ ceph, owner, vendor, bucket, keyId, ca: made.ca, close },
      strangerCaFile: file('stranger.pem', made.deviceCa),
      async house(mode, more = {}) {
        const settings = { ...common, ...modes[mode], ...more };
        const house = await openHouse(join(folder, `house-${++houses}`), settings);
        closing.push(house.close);
        return house;
      },
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}
