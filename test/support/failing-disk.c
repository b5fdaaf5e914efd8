/*
 * A disk that turns read-only, for LD_PRELOAD: while the file FAILING_DISK_FLAG exists, whatever writes to or removes
 * from the directory FAILING_DISK_DIRECTORY fails with EROFS, or with EIO if the flag file is not empty. Reading works.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int under(const char *path) {
  const char *directory = getenv("FAILING_DISK_DIRECTORY");
  return directory && strncmp(path, directory, strlen(directory)) == 0;
}

/* 0 when the call is to be made. */
static int failure(const char *path) {
  const char *flag = getenv("FAILING_DISK_FLAG");
  struct stat status;
  if (!flag || !under(path) || stat(flag, &status) != 0) return 0;
  return status.st_size > 0 ? EIO : EROFS;
}

static int failure_of(int descriptor) {
  char link[64], path[PATH_MAX];
  int saved = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = saved;
  if (length <= 0) return 0;
  path[length] = 0;
  return failure(path);
}

#define FAIL_WITH(error) \
  do { int code = (error); if (code) { errno = code; return -1; } } while (0)
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t size) { FAIL_WITH(failure_of(fd)); return REAL(write)(fd, bytes, size); }
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { FAIL_WITH(failure_of(fd)); return REAL(pwrite)(fd, bytes, size, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) { FAIL_WITH(failure_of(fd)); return REAL(pwrite64)(fd, bytes, size, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { FAIL_WITH(failure_of(fd)); return REAL(writev)(fd, parts, count); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { FAIL_WITH(failure_of(fd)); return REAL(pwritev)(fd, parts, count, at); }
int fsync(int fd) { FAIL_WITH(failure_of(fd)); return REAL(fsync)(fd); }
int fdatasync(int fd) { FAIL_WITH(failure_of(fd)); return REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t size) { FAIL_WITH(failure_of(fd)); return REAL(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { FAIL_WITH(failure_of(fd)); return REAL(ftruncate64)(fd, size); }
int unlink(const char *path) { FAIL_WITH(failure(path)); return REAL(unlink)(path); }
int unlinkat(int at, const char *path, int flags) { FAIL_WITH(failure(path)); return REAL(unlinkat)(at, path, flags); }
int remove(const char *path) { FAIL_WITH(failure(path)); return REAL(remove)(path); }
