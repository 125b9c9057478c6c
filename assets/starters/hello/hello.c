/* What a WebAssembly program sees of the world, in one page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

int main(int argc, char **argv) {
  puts("Hello from Drydock!\n");
  puts("This program is a WebAssembly module. It runs in a process of its own, without Linux,");
  puts("without a virtual machine, and it sees nothing of your computer but what you give it.\n");
  printf("argument%s:", argc == 2 ? "" : "s");
  for (int i = 1; i < argc; i++) printf(" %s", argv[i]);
  puts(argc > 1 ? "" : " none (try: docker run --rm drydock/hello one two)");
  puts("variables:");
  for (char **entry = environ; entry && *entry; entry++) printf("  %s\n", *entry);
  puts("\nNext: docker run --rm -p 8080:80 drydock/web, then open http://127.0.0.1:8080/");
  return 0;
}
