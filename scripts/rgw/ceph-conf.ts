/** Where the parts of the store lie and listen. */
export type CephPlace = {
  /** Everything: data, keyrings, logs. */
  readonly folder: string;
  readonly ports: { readonly mon: number; readonly rgw: number };
  /** Unique id of the cluster. */
  readonly fsid: string;
  /** The master key that the gateway knows by this id; 32 bytes. */
  readonly kms: { readonly keyId: string; readonly key: Uint8Array };
  /** How long a day of a lifecycle rule lasts. */
  readonly lifecycleDayS: number;
};

/**
 * A cluster of one monitor and one object daemon that keeps its objects in memory, on loopback, and a gateway that
 * speaks TLS 1.3 and nothing else. Without authentication between them the gateway never gets to listen.
 */
export function cephConf({ folder, ports, fsid, kms, lifecycleDayS }: CephPlace): string {
  const old = ['sslv2', 'sslv3', 'tlsv1', 'tlsv1_1', 'tlsv1_2'].map((one) => `no_${one}`);
  const frontend = [
    'beast',
    `ssl_endpoint=127.0.0.1:${ports.rgw}`,
    `ssl_certificate=${folder}/server.pem`,
    `ssl_private_key=${folder}/server.key`,
    `ssl_options=${old.join(':')}`,
  ];
  return section('global', {
    fsid,
    keyring: `${folder}/keyring`,
    mon_initial_members: 'a',
    mon_host: `v2:127.0.0.1:${ports.mon}`,
    public_addr: '127.0.0.1',
    cluster_addr: '127.0.0.1',
    auth_cluster_required: 'cephx',
    auth_service_required: 'cephx',
    auth_client_required: 'cephx',
    auth_allow_insecure_global_id_reclaim: true,
    mon_allow_pool_size_one: true,
    mon_data: `${folder}/mon`,
    mon_data_avail_crit: 1,
    mon_data_avail_warn: 1,
    osd_data: `${folder}/osd`,
    osd_objectstore: 'memstore',
    osd_memory_target: 939_524_096,
    memstore_device_bytes: 536_870_912,
    osd_crush_chooseleaf_type: 0,
    osd_pool_default_size: 1,
    osd_pool_default_min_size: 1,
    osd_pool_default_pg_num: 1,
    osd_pool_default_pgp_num: 1,
    osd_pool_default_pg_autoscale_mode: 'off',
    run_dir: folder,
    admin_socket: `${folder}/$name.asok`,
    log_file: `${folder}/$name.log`,
    pid_file: `${folder}/$name.pid`,
  }).concat(
    section('client.rgw', {
      rgw_frontends: frontend.join(' '),
      rgw_crypt_s3_kms_backend: 'testing',
      rgw_crypt_s3_kms_encryption_keys: `${kms.keyId}=${Buffer.from(kms.key).toString('base64')}`,
      rgw_lc_debug_interval: lifecycleDayS,
      // It gives each rule 0.2 s for every one of these, and breaks off when a day is over.
      rgw_lc_max_wp_worker: 1,
      rgw_enable_gc_threads: false,
      rgw_enable_usage_log: false,
      rgw_run_sync_thread: false,
      rgw_thread_pool_size: 16,
    }),
  );
}

function section(name: string, settings: Readonly<Record<string, string | number | boolean>>) {
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}`);
  return [`[${name}]`, ...lines, ''].join('\n');
}
