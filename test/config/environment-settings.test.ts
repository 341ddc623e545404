import { describe, expect, it } from '@jest/globals';
import { environmentOf } from '../../config/environment-settings.ts';

const read = (value: unknown) => environmentOf('murmur.yaml', value, '/home/jane');

describe('the environment of agents', () => {
  it('is this host by default', () => {
    expect(read(undefined)).toEqual({ provider: 'local' });
    expect(read({ provider: 'local' })).toEqual({ provider: 'local' });
  });

  it('is a list of hosts with the settings of each', () => {
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
    const jump = 'jane@gate:2222,second';
    const full = { host: 'build-2', user: 'ci', port: 2222, host_key: key, jump, node: '/opt/node' };
    expect(read({ provider: 'ssh', hosts: [{ host: 'build-1' }, { ...full, key_file: '~/.ssh/id' }] })).toEqual({
      provider: 'ssh',
      hosts: [{ host: 'build-1' }, { ...full, key_file: '/home/jane/.ssh/id' }],
    });
  });

  it.each([
    [7, 'environment is 7'],
    [{ provider: 'docker' }, 'environment.provider is "docker"'],
    [{ provider: 'ssh' }, 'environment.hosts is undefined'],
    [{ provider: 'ssh', hosts: [] }, 'environment.hosts is []'],
    [{ provider: 'ssh', hosts: [{}] }, 'hosts[0].host'],
    [{ provider: 'ssh', hosts: [{ host: '-oProxyCommand=x' }] }, 'hosts[0].host is "-oProxyCommand=x"'],
    [{ provider: 'ssh', hosts: [{ host: 'a', jump: 'gate,-oProxyCommand=x' }] }, 'hosts[0].jump is "gate,-o'],
    [{ provider: 'ssh', hosts: [{ host: 'a', port: 0 }] }, 'hosts[0].port is 0'],
    [{ provider: 'ssh', hosts: [{ host: 'a', key_file: 'id' }] }, 'hosts[0].key_file is "id"'],
    [{ provider: 'ssh', hosts: [{ host: 'a', host_key: 'AAAA' }] }, 'hosts[0].host_key is "AAAA"'],
    [{ provider: 'ssh', hosts: [{ host: 'a', password: 'x' }] }, 'hosts[0].password'],
    [{ provider: 'ssh', hosts: [{ host: 'a' }, { host: 'a' }] }, 'environment.hosts is "a"'],
  ])('rejects %j and names the problem', (value, message) => {
    expect(() => read(value)).toThrow(message);
  });
});
