import { createBucket } from '../../fixtures/cloud/bucket.ts';
import type { Certificates } from '../../fixtures/cloud/certificates.ts';
import { cloudTime } from '../../fixtures/cloud/cloud-time.ts';
import { startHttpsServer } from '../../fixtures/cloud/https-server.ts';
import { createVendor, type Vendor } from '../../fixtures/cloud/vendor.ts';

export type VendorCloud = {
  readonly url: string;
  readonly vendor: Vendor;
  close(): Promise<void>;
};

/** The reference cloud's vendor, whose grants lead into a store that is not its own. */
export async function startVendorCloud(
  made: Certificates,
  store: {
    readonly endpoint: string;
    readonly bucket: string;
    readonly region: string;
    /** The id under which the store knows the master key is the one that the reference cloud asks for. */
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  },
): Promise<VendorCloud> {
  const time = cloudTime(() => Date.now());
  const { bucket: name, region, accessKeyId, secretAccessKey: accessKeySecret } = store;
  const credential = { accessKeyId, accessKeySecret };
  const bucket = createBucket({ name, dialect: 's3', region, credential }, time);
  const vendor = createVendor(bucket, store.endpoint, time);
  const server = await startHttpsServer({
    service: vendor.service,
    pair: made.cloud.right,
    time,
    clientCa: made.deviceCa,
    clientCertificate: 'must',
    skewMs: () => 0,
    port: 0,
    onHandled: undefined,
  });
  return { url: `https://localhost:${server.port}`, vendor, close: () => server.close() };
}

/** The only master key of the reference cloud; the real store is given one by this id. */
export function masterKeyId(): string {
  return createBucket(
    { name: 'none', dialect: 's3', region: 'none' },
    cloudTime(() => 0),
  ).keyId;
}
