import { array, boolean, described, integer, object, required, string } from '../../apimachinery/schema/builders.ts';
import { kind } from '../../apimachinery/schema/kind.ts';
import type { KubeObject } from '../../apimachinery/object.ts';
import type { Static } from '../../apimachinery/schema/typed.ts';
import { condition } from './metadata.ts';

const contentRef = object({
  content: string({ description: 'The bytes themselves, in base64. Wins over secretReference.', format: 'byte' }),
  secretReference: object(
    {
      name: string({ description: 'Name of the Secret.' }),
      namespace: string({ description: 'Namespace of the Secret.' }),
      keyPath: required(string({ description: 'Key within the Secret.', minLength: 1 })),
    },
    { description: 'A key of a Secret of the admin cluster.', mapType: 'atomic' },
  ),
});
/** Bytes given in place or as a key of a Secret. */
export type ContentRef = Static<typeof contentRef>;

export const dataStoreSpec = object(
  {
    driver: required(
      string({
        description: 'Kind of the store. Cannot be changed later.',
        enum: ['etcd', 'MySQL', 'PostgreSQL', 'NATS'],
      }),
    ),
    endpoints: required(array(string(), { description: 'Servers of the store, each as `host:port`.', minItems: 1 })),
    basicAuth: object(
      {
        username: required(described(contentRef, { description: 'User name.' })),
        password: required(described(contentRef, { description: 'Password.' })),
      },
      { description: 'User that may make databases and users for tenants.' },
    ),
    tlsConfig: object(
      {
        certificateAuthority: required(
          object(
            {
              certificate: required(described(contentRef, { description: "Certificate that signs the servers'." })),
              privateKey: described(contentRef, {
                description: 'Its key, which signs the client certificates of tenants; etcd needs it.',
              }),
            },
            { description: 'Certificate authority of the store.' },
          ),
        ),
        clientCertificate: object(
          {
            certificate: required(described(contentRef, { description: 'Certificate.' })),
            privateKey: required(described(contentRef, { description: 'Key of the certificate.' })),
          },
          { description: 'Client certificate of a user that may set up tenants; etcd needs it.' },
        ),
      },
      { description: 'How to speak TLS with the store.' },
    ),
  },
  { description: 'Desired state.' },
);
export type DataStoreSpec = Static<typeof dataStoreSpec>;

export const dataStoreStatus = object(
  {
    observedGeneration: integer({ description: 'Generation that the status was computed from.', format: 'int64' }),
    ready: required(boolean({ description: 'Whether tenants can be set up in it.' })),
    usedBy: array(string(), { description: 'Tenants that use it, each as `namespace/name`.' }),
    conditions: array(condition, { description: 'Aspects of the state.', listType: 'map', keys: ['type'] }),
  },
  { description: 'Observed state.' },
);
export type DataStoreStatus = Static<typeof dataStoreStatus>;
export type DataStoreDriver = DataStoreSpec['driver'];

/** Where tenants keep their objects. */
export interface DataStore extends KubeObject {
  readonly spec: DataStoreSpec;
  readonly status?: DataStoreStatus;
}

export const dataStore = kind<DataStore>({
  description: "A store outside the admin cluster's own, in which tenants keep their objects.",
  spec: dataStoreSpec,
  status: dataStoreStatus,
});
