import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHierarchies } from '../../../../../lib/process/linux/cgroup/hierarchies.ts'

const mount = (point: string, type: string, options: string, root = '/'): string =>
  `32 31 0:29 ${root} ${point} rw,relatime shared:9 - ${type} ${type} ${options}`

const found = (mounts: string[], own: string[]) =>
  parseHierarchies(mounts.join('\n'), own.join('\n')).map(({ version, directory, controllers }) => ({
    version,
    directory,
    controllers: [...controllers],
  }))

test('version 1 has a tree for each line that names controllers, where they are mounted', () => {
  assert.deepEqual(
    found(
      [
        mount('/sys/fs/cgroup/systemd', 'cgroup', 'rw,name=systemd'),
        mount('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'rw,cpu,cpuacct'),
        mount('/sys/fs/cgroup/memory', 'cgroup', 'rw,memory'),
        mount('/proc', 'proc', 'rw'),
      ],
      [
        '12:pids:/system.slice/x.service',
        '4:memory:/system.slice/x.service',
        '3:cpu,cpuacct:/',
        '1:name=systemd:/a',
        '0::/b',
      ],
    ),
    [
      { version: 1, directory: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
      { version: 1, directory: '/sys/fs/cgroup/memory/system.slice/x.service', controllers: ['memory'] },
    ],
  )
})

test('version 2 has one tree', () => {
  assert.deepEqual(
    found([mount('/sys/fs/cgroup', 'cgroup2', 'rw,nsdelegate')], ['0::/system.slice/newdt-auto.service']),
    [{ version: 2, directory: '/sys/fs/cgroup/system.slice/newdt-auto.service', controllers: [] }],
  )
})

test('in a container the path goes from what is mounted', () => {
  const own = ['5:memory:/docker/3f', '0::/docker/3f']
  assert.deepEqual(
    found([mount('/sys/fs/cgroup/memory', 'cgroup', 'rw,memory', '/docker/3f')], own).map(
      ({ directory }) => directory,
    ),
    ['/sys/fs/cgroup/memory'],
  )
  // Another container's group cannot be reached from here.
  assert.deepEqual(found([mount('/sys/fs/cgroup/memory', 'cgroup', 'rw,memory', '/docker/77')], own), [])
})

test('a mount point with a space is read as it is', () => {
  assert.deepEqual(
    found([mount('/mnt/a\\040b', 'cgroup', 'rw,pids')], ['1:pids:/x']).map(({ directory }) => directory),
    ['/mnt/a b/x'],
  )
})

test('a tree that is mounted twice is one', () => {
  const twice = [mount('/sys/fs/cgroup', 'cgroup2', 'rw'), mount('/run/cgroup', 'cgroup2', 'rw')]
  assert.deepEqual(
    found(twice, ['0::/']).map(({ directory }) => directory),
    ['/sys/fs/cgroup'],
  )
})

test('nothing is found where nothing is mounted, and no line harms', () => {
  assert.deepEqual(found(['', 'x', '- cgroup'], ['', '0::', ':::']), [])
})
