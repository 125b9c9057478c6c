/*
 * A static web server on WasmEdge's sockets: web [PORT] [ROOT]. GET and HEAD of the files below ROOT (/www); a directory answers its index.html. One
 * thread, poll_oneoff, up to MOST connections, each kept open until its client is done or silent for SILENCE seconds. One line a request on stdout.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

#define IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) extern
enum { INET4 = 1, STREAM = 2, AGAIN = 6 };
typedef struct { uint8_t *data; uint32_t length; } buffer;
IMPORT(sock_open) uint32_t socket_open(uint32_t family, uint32_t type, int32_t *fd);
IMPORT(sock_bind) uint32_t socket_bind(int32_t fd, const buffer *address, uint32_t port);
IMPORT(sock_listen) uint32_t socket_listen(int32_t fd, uint32_t backlog);
IMPORT(sock_accept) uint32_t socket_accept(int32_t fd, int32_t *accepted);
IMPORT(sock_recv) uint32_t socket_receive(int32_t fd, const buffer *into, uint32_t count, uint32_t flags, uint32_t *size, uint16_t *out);
IMPORT(sock_send) uint32_t socket_send(int32_t fd, const buffer *from, uint32_t count, uint32_t flags, uint32_t *size);

enum { MOST = 1024, HEAD = 16384, CHUNK = 65536, PATH = 2048, SILENCE = 60 };

typedef struct {
  int fd, file, closing;
  time_t seen;
  /* The request so far. */
  char in[HEAD + 1];
  size_t filled;
  /* What is being sent: a head (or a short answer), then `left` bytes of `file`. */
  uint8_t out[CHUNK];
  size_t length, sent;
  off_t left;
} connection;

static connection *connections[MOST];
static int count;
static const char *root = "/www";

static const struct { const char *suffix, *type; } types[] = {
  {".html", "text/html; charset=utf-8"}, {".htm", "text/html; charset=utf-8"}, {".css", "text/css; charset=utf-8"},
  {".js", "text/javascript; charset=utf-8"}, {".mjs", "text/javascript; charset=utf-8"}, {".json", "application/json"},
  {".txt", "text/plain; charset=utf-8"}, {".md", "text/markdown; charset=utf-8"}, {".xml", "application/xml"},
  {".svg", "image/svg+xml"}, {".png", "image/png"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"},
  {".gif", "image/gif"}, {".webp", "image/webp"}, {".avif", "image/avif"}, {".ico", "image/x-icon"},
  {".woff2", "font/woff2"}, {".woff", "font/woff"}, {".pdf", "application/pdf"}, {".mp4", "video/mp4"},
  {".webm", "video/webm"}, {".mp3", "audio/mpeg"}, {".wasm", "application/wasm"}, {".zip", "application/zip"},
};

static const char *type_of(const char *path) {
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
    if (!strcasecmp(dot, types[i].suffix)) return types[i].type;
  return "application/octet-stream";
}

/* A socket that stays blocking would only make the others wait. */
static void unblock(int fd) { (void)!__wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_NONBLOCK); }

static void drop(int index) {
  connection *c = connections[index];
  close(c->fd);
  if (c->file >= 0) close(c->file);
  free(c);
  connections[index] = connections[--count];
}

static void head(connection *c, const char *status, const char *type, off_t length, const char *more) {
  c->sent = 0;
  c->length = snprintf((char *)c->out, sizeof c->out,
                       "HTTP/1.1 %s\r\nServer: drydock-web\r\nContent-Type: %s\r\nContent-Length: %lld\r\n"
                       "X-Content-Type-Options: nosniff\r\n%s%s\r\n",
                       status, type, (long long)length, more, c->closing ? "Connection: close\r\n" : "");
}

static void refuse(connection *c, const char *status, int with_body, const char *more) {
  char body[64];
  int size = snprintf(body, sizeof body, "%s\n", status);
  head(c, status, "text/plain; charset=utf-8", size, more);
  if (with_body) memcpy(c->out + c->length, body, size), c->length += size;
}

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The path of a target below the root; 0 = it is no path, or leads out of it. The host would not let it out either: this makes it a plain 400. */
static int path_of(const char *target, char *path) {
  size_t at = snprintf(path, PATH, "%s", root), base = at;
  while (*target && *target != '?' && *target != '#' && at < PATH - 16) {
    char c = *target++;
    if (c == '%') {
      int high = hex(target[0]), low = high < 0 ? -1 : hex(target[1]);
      if (low < 0) return 0;
      c = (char)(high << 4 | low);
      target += 2;
    }
    if (!c) return 0;
    path[at++] = c;
  }
  path[at] = 0;
  if (path[base] != '/') return 0;
  for (char *part = path + base; (part = strstr(part, "/..")); part += 3)
    if (part[3] == '/' || !part[3]) return 0;
  return at < PATH - 16;
}

static void serve(connection *c, const char *method, const char *target) {
  char path[PATH], more[PATH + 32];
  struct stat found;
  int whole = !strcmp(method, "GET");
  if (!whole && strcmp(method, "HEAD")) return refuse(c, "405 Method Not Allowed", 1, "Allow: GET, HEAD\r\n");
  if (!path_of(target, path)) return refuse(c, "400 Bad Request", whole, "");
  if (stat(path, &found)) return refuse(c, errno == ENOENT || errno == ENOTDIR ? "404 Not Found" : "403 Forbidden", whole, "");
  if (S_ISDIR(found.st_mode)) {
    if (path[strlen(path) - 1] != '/') {
      /* As it was asked for, since it is encoded so; two slashes at the start would be another host. */
      while (target[0] == '/' && target[1] == '/') target++;
      snprintf(more, sizeof more, "Location: %.*s/\r\n", (int)strcspn(target, "?#"), target);
      return refuse(c, "308 Permanent Redirect", whole, more);
    }
    strcat(path, "index.html");
    if (stat(path, &found)) return refuse(c, "404 Not Found", whole, "");
  }
  int file = S_ISREG(found.st_mode) ? open(path, O_RDONLY) : -1;
  if (file < 0) return refuse(c, "403 Forbidden", whole, "");
  char date[64];
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&found.st_mtime));
  snprintf(more, sizeof more, "Last-Modified: %s\r\n", date);
  head(c, "200 OK", type_of(path), found.st_size, more);
  if (whole) c->file = file, c->left = found.st_size;
  else close(file);
}

/* Answers the next whole request of the buffer. 0 = there is none. */
static int take(connection *c) {
  c->in[c->filled] = 0;
  char *end = strstr(c->in, "\r\n\r\n"), method[16] = "", target[PATH] = "", version[16] = "";
  if (!end) {
    if (c->filled < HEAD) return 0;
    c->closing = 1, c->filled = 0;
    refuse(c, "431 Request Header Fields Too Large", 1, "");
    return 1;
  }
  int fields = sscanf(c->in, "%15s %2047s %15s", method, target, version);
  *end = 0;
  /* A body is not read, so the connection cannot go on behind one. */
  for (char *line = strstr(c->in, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
    const char *name = line + 2;
    if (!strncasecmp(name, "connection: close", 17) || !strncasecmp(name, "transfer-encoding:", 18) ||
        (!strncasecmp(name, "content-length:", 15) && strtoul(name + 15, NULL, 10)))
      c->closing = 1;
  }
  if (strcmp(version, "HTTP/1.1")) c->closing = 1;
  if (fields < 3) refuse(c, "400 Bad Request", 1, "");
  else serve(c, method, target);
  printf("%s %s %.3s\n", method, target, (char *)c->out + 9);
  fflush(stdout);
  size_t used = end + 4 - c->in;
  memmove(c->in, c->in + used, c->filled -= used);
  return 1;
}

/* Sends until there is no room, then takes the next request. -1 = the connection is over. */
static int work(connection *c) {
  for (;;) {
    while (c->sent < c->length) {
      buffer from = {c->out + c->sent, c->length - c->sent};
      uint32_t size = 0, error = socket_send(c->fd, &from, 1, 0, &size);
      if (error) return error == AGAIN ? 0 : -1;
      c->sent += size;
    }
    c->sent = c->length = 0;
    if (c->file >= 0) {
      ssize_t size = c->left > 0 ? read(c->file, c->out, c->left < CHUNK ? c->left : CHUNK) : 0;
      if (size > 0) {
        c->left -= size, c->length = size;
        continue;
      }
      close(c->file), c->file = -1;
      /* The file has become shorter than was promised. */
      if (c->left > 0) return -1;
    }
    if (c->closing) return -1;
    if (!take(c)) return 0;
  }
}

static int readable(connection *c) {
  buffer into = {(uint8_t *)c->in + c->filled, HEAD - c->filled};
  uint32_t size = 0;
  uint16_t flags;
  uint32_t error = socket_receive(c->fd, &into, 1, 0, &size, &flags);
  if (error) return error == AGAIN ? 0 : -1;
  if (size == 0) return -1;
  c->filled += size;
  c->seen = time(NULL);
  return work(c);
}

static void accept_all(int listener) {
  int fd;
  while (count < MOST && !socket_accept(listener, &fd)) {
    connection *c = calloc(1, sizeof *c);
    if (!c) {
      close(fd);
      return;
    }
    unblock(fd);
    c->fd = fd, c->file = -1, c->seen = time(NULL);
    connections[count++] = c;
  }
}

static int fail(const char *what, uint32_t error) {
  fprintf(stderr, "web: cannot %s: errno %u\n", what, error);
  return 1;
}

int main(int argc, char **argv) {
  int port = argc > 1 ? atoi(argv[1]) : 80, listener;
  if (argc > 2) root = argv[2];
  uint8_t any[4] = {0};
  buffer local = {any, sizeof any};
  uint32_t error;
  if ((error = socket_open(INET4, STREAM, &listener))) return fail("open a socket", error);
  if ((error = socket_bind(listener, &local, port))) return fail("bind", error);
  if ((error = socket_listen(listener, 512))) return fail("listen", error);
  unblock(listener);
  printf("serving %s on port %d\n", root, port);
  fflush(stdout);

  static __wasi_subscription_t wanted[MOST + 2];
  static __wasi_event_t events[MOST + 2];
  for (;;) {
    int asked = 0;
    for (int i = 0; i < count; i++) {
      __wasi_subscription_t *s = &wanted[asked++];
      memset(s, 0, sizeof *s);
      s->userdata = i;
      s->u.tag = connections[i]->length ? __WASI_EVENTTYPE_FD_WRITE : __WASI_EVENTTYPE_FD_READ;
      s->u.u.fd_read.file_descriptor = connections[i]->fd;
    }
    if (count < MOST) {
      __wasi_subscription_t *s = &wanted[asked++];
      memset(s, 0, sizeof *s);
      s->userdata = MOST;
      s->u.tag = __WASI_EVENTTYPE_FD_READ;
      s->u.u.fd_read.file_descriptor = listener;
    }
    if (count > 0) {
      /* Nobody waits for the silent when there is nobody. */
      __wasi_subscription_t *s = &wanted[asked++];
      memset(s, 0, sizeof *s);
      s->userdata = MOST + 1;
      s->u.tag = __WASI_EVENTTYPE_CLOCK;
      s->u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
      s->u.u.clock.timeout = 5000000000ull;
    }
    __wasi_size_t told = 0;
    if ((error = __wasi_poll_oneoff(wanted, events, asked, &told))) return fail("poll", error);
    /* From the last on: dropping one moves the last into its place, which was seen already. */
    for (int i = (int)told - 1; i >= 0; i--) {
      uint64_t index = events[i].userdata;
      if (index >= MOST) continue;
      connection *c = connections[index];
      int over = events[i].type == __WASI_EVENTTYPE_FD_READ ? readable(c) : (c->seen = time(NULL), work(c));
      if (over) drop(index);
    }
    time_t now = time(NULL);
    for (int i = count - 1; i >= 0; i--)
      if (now - connections[i]->seen > SILENCE) drop(i);
    accept_all(listener);
  }
}
