/* XLA's side of the loops, played by a few threads: what tools/thread_sanitizer.py compiles with the loops, and runs.

   Each call has memory of its own for operands, table and result, which is freed the moment the call returns, as XLA may
   do. Some tasks of the pool begin late, many after that. Whatever a late task reads or writes there is a race or worse. */

#include "loops.c"

#include <assert.h>
#include <pthread.h>
#include <unistd.h>

enum { WORKERS = 3, CALLERS = 2, TASKS = 1 << 14, ROUNDS = 40 };

typedef struct {
    void (*run)(void *);
    void *data;
    int delay; /* microseconds */
} task;

static task tasks[TASKS];
static int put, taken, closed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some = PTHREAD_COND_INITIALIZER;

static void *work(void *unused)
{
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (taken == put && !closed) pthread_cond_wait(&some, &lock);
        if (taken == put) {
            pthread_mutex_unlock(&lock);
            return NULL;
        }
        const task own = tasks[taken++];
        pthread_mutex_unlock(&lock);
        if (own.delay) usleep((useconds_t)own.delay);
        own.run(own.data);
    }
}

struct XLA_FFI_Error { int code; char text[256]; };

static XLA_FFI_Error *make_error(XLA_FFI_Error_Create_Args *args)
{
    XLA_FFI_Error *error = malloc(sizeof *error);
    error->code = args->errc;
    snprintf(error->text, sizeof error->text, "%s", args->message);
    return error;
}

static void destroy_error(XLA_FFI_Error_Destroy_Args *args) { free(args->error); }

/* Every third task begins at once, others late; some are refused. */
static XLA_FFI_Error *add_task(XLA_FFI_ThreadPool_Schedule_Args *args)
{
    pthread_mutex_lock(&lock);
    const int number = put;
    if (number % 7 == 6 || number == TASKS) {
        if (number < TASKS) tasks[put++] = (task){free, malloc(1), 0};
        pthread_mutex_unlock(&lock);
        XLA_FFI_Error_Create_Args why = {sizeof why, NULL, "no more tasks", XLA_FFI_EXHAUSTED};
        return make_error(&why);
    }
    tasks[put++] = (task){args->task, args->data, number % 3 * 300};
    pthread_cond_signal(&some);
    pthread_mutex_unlock(&lock);
    return NULL;
}

typedef struct {
    word words[MAX_TABLES], tables, x_bytes, w_bytes, y_bytes, type; /* tables in the order of their names */
} sizes;

typedef struct {
    sizes size;
    word *table[MAX_TABLES];
    char *x, *w;
} problem;

static void *copied(const void *from, word bytes)
{
    void *copy = malloc((size_t)bytes + 1);
    memcpy(copy, from, (size_t)bytes);
    return copy;
}

/* Call the handler on copies with so many threads; return the result, or NULL and the error. */
static char *called(const problem *subject, word threads, XLA_FFI_Error **error)
{
    const int tables = (int)subject->size.tables;
    XLA_FFI_Array arrays[MAX_TABLES];
    void *attrs[MAX_TABLES];
    for (int n = 0; n < tables; n++) {
        xla_head *own = copied(subject->table[n], subject->size.words[n] * (word)sizeof(word));
        own->threads = threads;
        own->chunks = threads == 1 ? 1 : min_word(((const loop_head *)(own + 1))->units, 4 * threads);
        arrays[n] = (XLA_FFI_Array){XLA_FFI_S64, (size_t)subject->size.words[n], own};
        attrs[n] = &arrays[n];
    }
    const xla_head *head = arrays[0].data; /* its operands are the caller's */
    char *x = copied(subject->x, subject->size.x_bytes), *w = copied(subject->w, subject->size.w_bytes);
    char *y = malloc((size_t)subject->size.y_bytes + 1), *result = NULL;
    int64_t x_dims = head->x_size, w_dims = head->w_size, y_dims = head->y_size;
    const int type = (int)subject->size.type;
    XLA_FFI_Buffer buffers[3] = {{sizeof *buffers, NULL, type, x, 1, &x_dims},
                                 {sizeof *buffers, NULL, type, w, 1, &w_dims},
                                 {sizeof *buffers, NULL, type, y, 1, &y_dims}};
    void *args[] = {&buffers[0], &buffers[1]}, *rets[] = {&buffers[2]};
    XLA_FFI_Api api = {sizeof api, NULL, {sizeof(XLA_FFI_Api_Version), NULL, XLA_FFI_MAJOR, XLA_FFI_MINOR}, NULL,
                       make_error, NULL, destroy_error, NULL, {0}, add_task};
    XLA_FFI_CallFrame frame = {sizeof frame, NULL, &api, NULL, XLA_FFI_EXECUTE,
                               {sizeof(XLA_FFI_Args), NULL, 2, NULL, args},
                               {sizeof(XLA_FFI_Rets), NULL, 1, NULL, rets},
                               {sizeof(XLA_FFI_Attrs), NULL, tables, NULL, NULL, attrs}};
    *error = arrayconv_xla(&frame);
    if (*error == NULL) result = copied(y, subject->size.y_bytes);
    memset(x, 1, (size_t)subject->size.x_bytes); /* a late task that reads this races */
    memset(y, 1, (size_t)subject->size.y_bytes);
    for (int n = 0; n < tables; n++) {
        memset(arrays[n].data, 0, arrays[n].size * sizeof(word));
        free(arrays[n].data);
    }
    free(x);
    free(w);
    free(y);
    return result;
}

static problem problems[16];
static int problem_count;

static void *call_all(void *unused)
{
    (void)unused;
    for (int round = 0; round < ROUNDS; round++)
        for (int n = 0; n < problem_count; n++) {
            XLA_FFI_Error *error;
            char *one = called(problems + n, 1, &error), *many;
            assert(error == NULL && one != NULL);
            many = called(problems + n, 2 + round % 4, &error);
            assert(error == NULL && many != NULL);
            if (memcmp(one, many, (size_t)problems[n].size.y_bytes)) {
                fprintf(stderr, "problem %d: threads changed the result\n", n);
                exit(3);
            }
            free(one);
            free(many);
        }
    return NULL;
}

static void *part(FILE *file, word bytes)
{
    void *memory = malloc((size_t)bytes + 1);
    if (fread(memory, 1, (size_t)bytes, file) != (size_t)bytes) exit(2);
    return memory;
}

int main(int count, char **names)
{
    FILE *file = count == 2 ? fopen(names[1], "rb") : NULL;
    if (file == NULL) return 2;
    for (sizes size; fread(&size, sizeof size, 1, file) == 1;) {
        problem *next = &problems[problem_count++];
        next->size = size;
        for (int n = 0; n < size.tables; n++) next->table[n] = part(file, size.words[n] * (word)sizeof(word));
        next->x = part(file, size.x_bytes);
        next->w = part(file, size.w_bytes);
    }
    fclose(file);
    pthread_t workers[WORKERS], callers[CALLERS];
    for (int n = 0; n < WORKERS; n++) pthread_create(workers + n, NULL, work, NULL);
    for (int n = 0; n < CALLERS; n++) pthread_create(callers + n, NULL, call_all, NULL);
    for (int n = 0; n < CALLERS; n++) pthread_join(callers[n], NULL);
    pthread_mutex_lock(&lock);
    closed = 1;
    pthread_cond_broadcast(&some);
    pthread_mutex_unlock(&lock);
    for (int n = 0; n < WORKERS; n++) pthread_join(workers[n], NULL);
    for (; taken < put; taken++) tasks[taken].run(tasks[taken].data);
    printf("%d problems, %d tasks\n", problem_count, put);
    return 0;
}
