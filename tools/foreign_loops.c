/* Loads a library of loops, runs the cases of foreign_loops.py at every level of this machine, and compares each byte. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(_WIN32)
#include <windows.h>
#define OPEN(path) ((void *)LoadLibraryA(path))
#define FUNCTION(library, name) ((void *)GetProcAddress((HMODULE)library, name))
#else
#include <dlfcn.h>
#define OPEN(path) dlopen(path, RTLD_NOW)
#define FUNCTION(library, name) dlsym(library, name)
#endif

typedef int loop(const void *, const void *, void *, const int64_t *, int64_t, int64_t);
enum { LEVEL = 1, UNITS = 4 }; /* words of loop_head */

static void *contents(FILE *file, int64_t bytes)
{
    void *data = malloc((size_t)bytes);
    if (data == NULL || fread(data, 1, (size_t)bytes, file) != (size_t)bytes) exit(3);
    return data;
}

int main(int count, char **arguments)
{
    void *library = count == 3 ? OPEN(arguments[1]) : NULL;
    FILE *file = library ? fopen(arguments[2], "rb") : NULL;
    if (file == NULL) return fprintf(stderr, "usage: foreign_loops LIBRARY CASES\n"), 2;
    int (*highest)(void) = (int (*)(void))FUNCTION(library, "arrayconv_level");
    loop *blocks = (loop *)FUNCTION(library, "arrayconv_blocks");
    int64_t sizes[4];
    int runs = 0, differ = 0;
    while (fread(sizes, sizeof *sizes, 4, file) == 4) {
        int64_t *table = contents(file, sizes[0] * 8);
        void *x = contents(file, sizes[1]), *w = contents(file, sizes[2]), *expected = contents(file, sizes[3]);
        void *y = malloc((size_t)sizes[3]);
        for (int level = 0; level <= highest(); level++, runs++) {
            table[LEVEL] = level;
            memset(y, 0xab, (size_t)sizes[3]);
            differ += blocks(x, w, y, table, 0, table[UNITS]) || memcmp(y, expected, (size_t)sizes[3]);
        }
    }
    printf("%d levels, %d runs, %d differ\n", highest() + 1, runs, differ);
    return differ || !runs;
}
