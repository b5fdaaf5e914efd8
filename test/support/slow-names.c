/* Names that no server answers for: preloaded, getaddrinfo sleeps for `slow.test`; `good.test` is this host. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
  if (name && strstr(name, "slow.test")) sleep(3600);
  return next(name && strcmp(name, "good.test") == 0 ? "127.0.0.1" : name, service, hints, found);
}
