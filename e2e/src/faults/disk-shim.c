// Preloaded into a server under test: lets its disk fail on demand. Which operation on which file fails, and how, stands in
// a small file that the test shares with this process; while that says nothing, every call passes straight through.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { on_write = 1, on_sync = 2, on_read = 4, on_open = 8 };

// disk-shim.ts writes the same layout.
struct control {
  int32_t armed;
  int32_t on;
  int32_t error;  // An errno; 0 kills the process.
  int32_t after;  // So many of these calls pass first.
  int32_t hits;   // Calls that failed.
  char end[64];   // What the path of the file ends with; after a '*' what it holds anywhere.
};

static volatile struct control *control;

__attribute__((constructor)) static void attach(void) {
  const char *path = getenv("DISK_SHIM_CONTROL");
  if (path == NULL) return;
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (shared != MAP_FAILED) control = shared;
}

static int matches(const char *path) {
  char wanted[64];
  memcpy(wanted, (const void *)control->end, sizeof wanted);
  wanted[sizeof wanted - 1] = 0;
  if (wanted[0] == '*') return strstr(path, wanted + 1) != NULL;
  size_t length = strlen(path), size = strlen(wanted);
  return length >= size && strcmp(path + length - size, wanted) == 0;
}

static int names(int file) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return matches(path);
}

static int armed(int operation) {
  return control != NULL && __atomic_load_n(&control->armed, __ATOMIC_SEQ_CST) != 0 && (control->on & operation) != 0;
}

// To be called for what is meant. True where this call is to fail; errno is set then.
static int strike(int before) {
  if (__atomic_fetch_sub(&control->after, 1, __ATOMIC_SEQ_CST) > 0) {
    errno = before;
    return 0;
  }
  __atomic_fetch_add(&control->hits, 1, __ATOMIC_SEQ_CST);
  if (control->error == 0) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  errno = control->error;
  return 1;
}

static int fails(int file, int operation) {
  if (!armed(operation)) return 0;
  int before = errno;
  if (names(file)) return strike(before);
  errno = before;
  return 0;
}

static int open_fails(const char *path, int flags) {
  if (!armed(on_open) || (flags & (O_WRONLY | O_RDWR | O_CREAT)) == 0 || !matches(path)) return 0;
  return strike(errno);
}

#define real(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t size) {
  return fails(file, on_write) ? -1 : real(write)(file, bytes, size);
}
ssize_t pwrite(int file, const void *bytes, size_t size, off_t at) {
  return fails(file, on_write) ? -1 : real(pwrite)(file, bytes, size, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at) {
  return fails(file, on_write) ? -1 : real(pwrite64)(file, bytes, size, at);
}
ssize_t pread(int file, void *bytes, size_t size, off_t at) {
  return fails(file, on_read) ? -1 : real(pread)(file, bytes, size, at);
}
ssize_t pread64(int file, void *bytes, size_t size, off64_t at) {
  return fails(file, on_read) ? -1 : real(pread64)(file, bytes, size, at);
}
ssize_t read(int file, void *bytes, size_t size) {
  return fails(file, on_read) ? -1 : real(read)(file, bytes, size);
}
int fsync(int file) { return fails(file, on_sync) ? -1 : real(fsync)(file); }
int fdatasync(int file) { return fails(file, on_sync) ? -1 : real(fdatasync)(file); }

static int mode_of(int flags, va_list more) { return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, int) : 0; }

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int mode = mode_of(flags, more);
  va_end(more);
  return open_fails(path, flags) ? -1 : real(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int mode = mode_of(flags, more);
  va_end(more);
  return open_fails(path, flags) ? -1 : real(open64)(path, flags, mode);
}
