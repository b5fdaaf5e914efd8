/* A user database that does not answer for one name: preloaded, getpwnam_r sleeps for it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size, struct passwd **found) {
  int (*next)(const char *, struct passwd *, char *, size_t, struct passwd **) = dlsym(RTLD_NEXT, "getpwnam_r");
  if (strcmp(name, "slow-user") == 0) sleep(3600);
  return next(name, entry, buffer, size, found);
}
