import { getSystemErrorMessage } from 'node:util'
import koffi from 'koffi'

/**
 * The C functions that the Linux process layer calls, found in the running process itself.
 * All of them are in glibc since 2.28 at the latest, but `posix_spawn_file_actions_addclosefrom_np` (2.34).
 */
export const openLibc = () => {
  const libc = koffi.load(null)
  return {
    posix_spawnp: libc.func(
      'int posix_spawnp(_Out_ int *pid, const char *file, void *actions, void *attr, const char **argv, void *envp)',
    ),
    posix_spawn: libc.func(
      'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attr, const char **argv, void *envp)',
    ),
    posix_spawn_file_actions_init: libc.func('int posix_spawn_file_actions_init(void *actions)'),
    posix_spawn_file_actions_destroy: libc.func('int posix_spawn_file_actions_destroy(void *actions)'),
    posix_spawn_file_actions_adddup2: libc.func(
      'int posix_spawn_file_actions_adddup2(void *actions, int fd, int newfd)',
    ),
    posix_spawn_file_actions_addclose: libc.func(
      'int posix_spawn_file_actions_addclose(void *actions, int fd)',
    ),
    posix_spawn_file_actions_addclosefrom_np: optional(() =>
      libc.func('int posix_spawn_file_actions_addclosefrom_np(void *actions, int from)'),
    ),
    posix_spawnattr_init: libc.func('int posix_spawnattr_init(void *attr)'),
    posix_spawnattr_setflags: libc.func('int posix_spawnattr_setflags(void *attr, short flags)'),
    posix_spawnattr_setsigdefault: libc.func('int posix_spawnattr_setsigdefault(void *attr, void *set)'),
    posix_spawnattr_setsigmask: libc.func('int posix_spawnattr_setsigmask(void *attr, void *set)'),
    pipe2: libc.func('int pipe2(_Out_ int *fds, int flags)'),
    memfd_create: libc.func('int memfd_create(const char *name, unsigned int flags)'),
    read: libc.func('long read(int fd, void *buffer, size_t size)') as (
      fd: number,
      buffer: Buffer,
      size: number,
    ) => number,
    fcntl: libc.func('int fcntl(int fd, int command, ...)'),
    fchdir: libc.func('int fchdir(int fd)'),
    getrlimit: libc.func('int getrlimit(int resource, void *limit)'),
    setrlimit: libc.func('int setrlimit(int resource, void *limit)'),
    getpagesize: libc.func('int getpagesize()') as () => number,
    getenv: libc.func('const char *getenv(const char *name)') as (name: string) => string | null,
    prctl: libc.func(
      'int prctl(int option, unsigned long value, unsigned long, unsigned long, unsigned long)',
    ),
    waitid: libc.func('int waitid(int type, int id, void *info, int options)'),
    ptrace: libc.func('long ptrace(int request, int pid, void *address, long data)'),
    _exit: libc.func('void _exit(int code)'),
    getxattr: libc.func('long getxattr(const char *path, const char *name, void *value, size_t size)'),
    syscall: libc.func('long syscall(long number, long operation, long first, long second)'),
    syscall_text: libc.func('long syscall(long number, long operation, const char *text)'),
    sigaction: libc.func('int sigaction(int signal, void *action, void *previous)'),
    wait4: libc.func('int wait4(int pid, _Out_ int *status, int options, void *usage)'),
    /** The error number of the call just made; must be read before anything else runs. */
    errno: (): number => koffi.errno(),
  }
}

export type Libc = ReturnType<typeof openLibc>

/** Sizes of glibc's structures on 64-bit Linux, in bytes. */
export const SIZE_OF = {
  fileActions: 80,
  spawnAttributes: 336,
  signalSet: 128,
  signalInfo: 128,
  rlimit: 16,
  rusage: 144,
  sigaction: 152,
}

export const POSIX_SPAWN_SETSIGDEF = 0x04
export const POSIX_SPAWN_SETSIGMASK = 0x08
export const POSIX_SPAWN_SETSID = 0x80
export const O_CLOEXEC = 0o2000000
export const MFD_CLOEXEC = 1
export const O_NONBLOCK = 0o4000
export const F_SETFL = 4
export const PR_SET_DUMPABLE = 4
export const PR_SET_CHILD_SUBREAPER = 36
export const P_ALL = 0
export const P_PID = 1
export const WNOHANG = 1
export const WSTOPPED = 2
export const WEXITED = 4
export const WNOWAIT = 0x1000000
export const CLD_TRAPPED = 4
export const CLD_STOPPED = 5
export const PTRACE_DETACH = 17
export const SIGCHLD = 17
export const SA_NOCLDSTOP = 1
export const O_PATH = 0o10000000
export const ENOENT = koffi.os.errno.ENOENT
export const EACCES = koffi.os.errno.EACCES
export const ERANGE = koffi.os.errno.ERANGE

/** An error number in words, strerror(3). */
export const errnoText = (errno: number): string => getSystemErrorMessage(-errno) ?? `errno ${errno}`

const optional = <T>(find: () => T): T | undefined => {
  try {
    return find()
  } catch {
    return undefined
  }
}
