/* Loads libtributary as a plug-in would be, uses it and unloads it, for valgrind to watch. Exits
 * with 0 if no thread ran before a client was opened, nothing came to stdout, and the library is
 * gone at the end. Usage: plugin LIBRARY */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <tributary/tributary.h>
#include <unistd.h>

static int threads(void) {
  DIR* tasks = opendir("/proc/self/task");
  const struct dirent* entry;
  int count = 0;
  while ((entry = readdir(tasks)) != NULL) count += entry->d_name[0] != '.';
  closedir(tasks);
  return count;
}

static void* find(void* library, const char* name) {
  void* symbol = dlsym(library, name);
  if (symbol == NULL) fprintf(stderr, "%s\n", dlerror());
  return symbol;
}

static int use(void* library) {
  int (*open_client)(const tributary_options*, tributary_client**);
  int (*load)(tributary_client*, const char* const*, size_t);
  int (*wait_event)(tributary_client*, int64_t, tributary_event*);
  int (*close_client)(tributary_client*);
  const char* source = "not-there.torrent";
  tributary_options options = {0};
  tributary_event event = {0};
  tributary_client* client = NULL;
  int ok;
  *(void**)&open_client = find(library, "tributary_client_open");
  *(void**)&load = find(library, "tributary_client_load");
  *(void**)&wait_event = find(library, "tributary_client_wait_event");
  *(void**)&close_client = find(library, "tributary_client_close");
  options.size = sizeof options;
  event.size = sizeof event;
  if (threads() != 1 || open_client(&options, &client) < 0) return 0;
  ok = load(client, &source, 1) == 0 && wait_event(client, 60000, &event) == 0 &&
       event.result == TRIBUTARY_E_NOT_FOUND;
  return close_client(client) == 0 && ok;
}

int main(int count, char** arguments) {
  void* library;
  int used;
  if (count != 2) return 2;
  library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  used = use(library);
  dlclose(library);
  if (dlopen(arguments[1], RTLD_NOW | RTLD_NOLOAD) != NULL) {
    fprintf(stderr, "%s was not unloaded\n", arguments[1]);
    return 1;
  }
  return used ? 0 : 1;
}
