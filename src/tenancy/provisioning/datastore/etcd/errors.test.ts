import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { EtcdCallError } from '../../../../etcdclient/call-error.ts';
import { toDataStoreError } from './errors.ts';

function failure(code: status, details: string): EtcdCallError {
  return new EtcdCallError({ code, details }, 'etcd-0.etcd:2379');
}

describe('toDataStoreError', () => {
  it.each([
    [status.FAILED_PRECONDITION, 'etcdserver: user name not found', 'AuthenticationFailed', 'does not know the user'],
    [status.INVALID_ARGUMENT, 'etcdserver: user name is empty', 'AuthenticationFailed', '--client-cert-auth'],
    [status.PERMISSION_DENIED, 'etcdserver: permission denied', 'PermissionDenied', 'lacks the role "root"'],
    [status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded', 'OutOfSpace', 'space quota'],
    [status.FAILED_PRECONDITION, 'etcdserver: authentication is not enabled', 'AuthenticationDisabled', 'not enabled'],
    [status.UNAVAILABLE, 'etcdserver: no leader', 'Unreachable', 'no leader'],
    [status.DEADLINE_EXCEEDED, 'Deadline exceeded after 1.5s', 'TimedOut', 'no answer in time'],
    [status.UNKNOWN, 'etcdserver: something new', 'Unexpected', 'something new'],
    [
      status.UNAVAILABLE,
      'No connection established. Last error: Error: connect ECONNREFUSED 10.0.0.1:2379. Resolution note: ',
      'Unreachable',
      'no answer (connect ECONNREFUSED 10.0.0.1:2379)',
    ],
    [
      status.UNAVAILABLE,
      'No connection established. Last error: Error: unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca',
      'HandshakeFailed',
      "the server's certificate is not signed by the certificate authority",
    ],
    [
      status.UNAVAILABLE,
      'No connection established. Last error: Error: 408:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:../deps/x.c:918:SSL alert number 48\n',
      'HandshakeFailed',
      'refuses the client certificate (unknown ca)',
    ],
    [
      status.UNAVAILABLE,
      "Error: Hostname/IP does not match certificate's altnames: Host: etcd. is not in the cert's altnames: DNS:x",
      'HandshakeFailed',
      'is for another name (Host: etcd)',
    ],
  ])('%i %s', (code, details, expectedCode, text) => {
    const error = toDataStoreError(failure(code, details));
    expect(error.code).toBe(expectedCode);
    expect(error.message).toContain(text);
    expect(error.message).toMatch(/^etcd-0\.etcd:2379: /);
    expect(error.message).not.toContain('\n');
    expect(error.terminal).toBe(false);
  });

  it('cuts what a server says at length', () => {
    expect(toDataStoreError(failure(status.UNKNOWN, 'x'.repeat(10_000))).message.length).toBeLessThan(300);
  });
});
